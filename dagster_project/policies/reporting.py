"""The figures of a loop's policies by round: a table for terminal and UI, a picture, and JSON data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from generators.dataset import Picture
from generators.evaluation.figures import FIGURES, MAJORITY, PASS_AT_1, PASS_AT_K, TOKENS, Evaluation
from generators.rows import Rows
from releases.comparison.text import text_table
from releases.figures import drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAIN = "gain"
COLOURS = {PASS_AT_1: "#2e7d4f", MAJORITY: "#34495e", PASS_AT_K: "#c9a227", TOKENS: "#4466aa"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTable:
    """A row for each policy, with every figure and the gain in pass@1 over the policy before; and a sentence."""

    frame: pl.DataFrame
    headline: str

    def text(self) -> str:
        """The table as text."""
        return text_table(self.frame.columns, [tuple(map(str, row)) for row in self.frame.iter_rows()])


def table_of(evaluations: Sequence[Evaluation]) -> FigureTable:
    """The figures of a loop's policies in order; the first policy drew the first round."""
    k = evaluations[0].k
    heads = {PASS_AT_1: "pass@1", MAJORITY: "majority@8", PASS_AT_K: f"pass@{k}", TOKENS: "tokens"}
    rows = []
    for number, evaluation in enumerate(evaluations):
        figures = evaluation.figures()
        gain = evaluation.less(evaluations[number - 1])[PASS_AT_1] if number else None
        shown = {heads[name]: str(figure) for name, figure in figures.items()}
        rows.append({"after round": str(number), **shown, GAIN: "" if gain is None else f"{gain}"})
    last = rows[-1]
    headline = f"{evaluations[-1].policy}: pass@1 {last['pass@1']}, pass@{k} {last[f'pass@{k}']}"
    if last[GAIN]:
        headline += f"; pass@1 less that of the policy before: {last[GAIN]}"
    return FigureTable(frame=pl.DataFrame(rows), headline=headline)


def curves_of(evaluations: Sequence[Evaluation]) -> dict[str, list[float]]:
    """pass@1 and pass@k by round."""
    figures = [evaluation.figures() for evaluation in evaluations]
    heads = {PASS_AT_1: "pass@1", PASS_AT_K: f"pass@{evaluations[0].k}"}
    return {head: [by_name[name].mean for by_name in figures] for name, head in heads.items()}


def picture(evaluations: Sequence[Evaluation]) -> bytes:
    """A PNG of the figures by round, with their 95 % intervals."""
    frame = pl.DataFrame(
        [
            {"number": number, "figure": name, **asdict(figure)}
            for number, evaluation in enumerate(evaluations)
            for name, figure in evaluation.figures().items()
        ]
    )
    k = evaluations[0].k
    caption = "Figures of each policy on the evaluation problems, by round"
    return drawn(
        Picture(name="policies.png", caption=caption, draw=lambda rows, figure: _draw(rows, figure, k)), Rows.of(frame)
    ).png


def data_of(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """The figures of policies in the order of a loop as JSON data, with each one's less those of the one before."""
    return [
        evaluation.summary(before=evaluations[number - 1] if number else None)
        for number, evaluation in enumerate(evaluations)
    ]


def _draw(rows: Rows, figure: "Figure", k: int) -> None:
    """Draw the shares on the left, and the tokens of a solution on the right."""
    labels = {PASS_AT_1: "pass@1", MAJORITY: "majority of eight", PASS_AT_K: f"pass@{k}", TOKENS: "tokens a solution"}
    shares, tokens = figure.subplots(1, 2, width_ratios=(2, 1))
    frame = rows.only("number", "figure", "mean", "low", "high")
    for name in FIGURES:
        values = frame.filter(pl.col("figure") == name)
        axes = tokens if name == TOKENS else shares
        means = values["mean"].to_list()
        ends = [(values["mean"] - values["low"]).to_list(), (values["high"] - values["mean"]).to_list()]
        axes.errorbar(
            values["number"].to_list(), means, yerr=ends, marker="o", capsize=3, color=COLOURS[name], label=labels[name]
        )
    for axes in (shares, tokens):
        axes.set_xlabel("policy after round")
        axes.set_xticks(sorted(set(frame["number"])))
        axes.set_ylim(bottom=0)
        axes.legend(fontsize="small", loc="lower right")
    shares.set_ylim(0, 1.04)
