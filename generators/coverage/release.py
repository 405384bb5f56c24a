"""What a release of coverage publishes: columns, the problems that are solved sometimes, and the mean curves."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema
from generators.columns import GOLDS
from generators.coverage.curves import BY_K
from generators.coverage.fit import READ, fit, mean_curves
from generators.coverage.table import COVERAGE, derived
from generators.dataset import Claim, Config, MoreFacts, Parameters, Picture, Round
from generators.formats import Format
from generators.problems.chats import prompts
from generators.problems.release import ABILITY
from generators.problems.release import DEFAULT as OF_PROBLEMS
from generators.rows import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVES = "Means over problems by k, for ways to choose one of k answers"
FIT = "Coverage as exp(a k^b), fitted on small k"
DRAWN = {
    "pass_at_k": "#2e7d4f",
    "majority_at_k": "#34495e",
    "first_finish_at_k": "#c9a227",
    "shortest_k_majority": "#b03a2e",
}
_DERIVED = ("n_decided", "n_right", "pass_rate", "k", *BY_K)
_RATED = ("also_accepted", "pass_rate", "n_decided", "k", "pass_at_k")
DEFAULT = Schema(
    name="coverage/default",
    columns={
        **OF_PROBLEMS.only("prompt", "data_source", "ability", "reward_model"),
        "extra_info": Column(
            pl.Struct({"index": pl.String, **{name: COVERAGE.columns[name].dtype for name in _RATED}}),
            "`index` is the problem's id; the others are as in `full`.",
        ),
    },
)


def recompute(rows: pl.DataFrame, _: Parameters) -> pl.DataFrame:
    """Counts, pass rate and curves of every row from its answers and tokens."""
    types = {name: COVERAGE.columns[name].dtype for name in _DERIVED}
    return pl.DataFrame(
        [derived(row) for row in rows.select("answer_numbers", "n_tokens").iter_rows(named=True)], schema=types
    )


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """The gold answer of every problem is accepted."""
    for number, (golds, source) in enumerate(rows.select(GOLDS, "source").iter_rows()):
        yield Claim(number, ("answer", None, None), rf"\boxed{{{golds[0]}}}", tuple(golds), source, Verdict.EQUAL.value)


def solved_sometimes(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The problems with a right and a wrong attempt, in the columns of verl."""
    mixed = {"never_right": pl.col("n_right") > 0, "always_right": pl.col("n_right") < pl.col("n_decided")}
    kept, dropped = apply_rules(rows, mixed)
    ready = kept.select(
        "problem_id",
        prompts(kept["prompt"]),
        pl.col("source").alias("data_source"),
        pl.lit(ABILITY).alias("ability"),
        pl.struct(pl.lit("rule").alias("style"), pl.col("answer").alias("ground_truth")).alias("reward_model"),
        pl.struct(pl.col("problem_id").alias("index"), *_RATED).alias("extra_info"),
    )
    return Filtered(ready, dropped)


CONFIGS: tuple[Config[Parameters], ...] = (
    Config(
        name="full",
        purpose="everything: problem, outcome and length of every attempt, curves, provenance",
        schema=COVERAGE.published("coverage/full"),
        table=COVERAGE.name,
        recompute=recompute,
        claims=claims,
    ),
    Config(
        name="default",
        purpose="the problems that are solved sometimes, as chats with gold answer and curve, for RL",
        schema=DEFAULT,
        format=Format.PROBLEMS,
        derive=solved_sometimes,
    ),
)


def more_facts(_: Round, rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """The mean curves, and how far the law of coverage misses at the largest k."""
    curves = mean_curves(rows.only(*READ))
    width = len(str(max(curves.sizes, default=0)))
    by_k = {
        f"k = {k:0{width}}": {name: values[place] for name, values in curves.means.items()}
        for place, k in enumerate(curves.sizes)
    }
    figures = {CURVES: by_k}
    law = fit(curves.sizes, curves.means["pass_at_k"])
    if law is not None:
        figures[FIT] = {
            law.verdict: {
                "a": law.a,
                "b": law.b,
                "fitted_up_to_k": law.fitted_up_to,
                "at_k": law.k,
                "predicted": law.predicted,
                "measured": law.measured,
                "miss": law.miss,
            }
        }
    return MoreFacts(figures=figures)


def draw_curves(rows: Rows, figure: "Figure") -> None:
    """Draw the mean curves over k."""
    axes = figure.add_subplot()
    curves = mean_curves(rows.only(*READ))
    for name, colour in DRAWN.items():
        axes.plot(curves.sizes, curves.means[name], marker="o", color=colour, label=name.replace("_", " "))
    axes.set_xscale("log", base=2)
    axes.set_ylim(0, 1)
    axes.set_xlabel("attempts at a problem (k)")
    axes.set_ylabel("share right")
    axes.legend()


PICTURE = Picture(name="curves.png", caption="Coverage and ways to choose an answer, by k", draw=draw_curves)
