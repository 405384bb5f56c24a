"""What a release of step preference pairs publishes: columns, the configs for DPO, and what follows from the counts."""

from collections.abc import Iterator, Mapping
from math import floor
from typing import TYPE_CHECKING, Any

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema
from generators.dataset import Claim, Config, Parameters, Picture, claims_of_sides
from generators.problems.chats import preferences
from generators.records import Evidence, Margin, StepCounts
from generators.rows import Rows
from generators.search.margins import margin_of
from generators.step_preference_pairs.table import MARGIN, STEP_PREFERENCE_PAIRS, TEST_MARGIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SOLUTIONS = {side: pl.col("initial_reason_steps") + pl.col(f"full_{side}") for side in ("chosen", "rejected")}
_RECOMPUTED = (*MARGIN, "chosen_value", "rejected_value", *TEST_MARGIN)

FULL = STEP_PREFERENCE_PAIRS.published("step_preference_pairs/full")
STEPS = Schema(
    name="step_preference_pairs/steps",
    columns={
        "prompt": Column(pl.String, "`templated_prompt`: the problem in its template, and the steps before."),
        "chosen": Column(pl.String, "The right next step."),
        "rejected": Column(pl.String, "The wrong next step."),
        "is_final_step": Column(pl.Boolean, "Whether the end-of-text token belongs after `chosen`."),
        "rejected_is_final_step": Column(pl.Boolean, "Whether the end-of-text token belongs after `rejected`."),
    },
    rules={"chosen: differs_from_rejected": pl.col("chosen") != pl.col("rejected")},
)


def recompute(rows: pl.DataFrame, _: Parameters) -> pl.DataFrame:
    """Values, margin, interval and the margin of the test of every row from its counts; null if these give none."""
    derived = [(*_published(row), *_tested(row)) for row in rows.iter_rows(named=True)]
    return pl.DataFrame(derived, schema=dict.fromkeys(_RECOMPUTED, pl.Float64), orient="row")


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """Two a row: the whole solution with the chosen step is right, the one with the rejected step is not."""
    sides = {side: text.alias(f"full_{side}") for side, text in _SOLUTIONS.items()}
    return claims_of_sides(rows, source="dataset", **sides)


def next_steps(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """Prompt and steps of the rows whose texts give their token ids back."""
    stable = apply_rules(rows, {"unstable_boundary": pl.col("is_stable")})
    steps = ("chosen", "rejected", "is_final_step", "rejected_is_final_step")
    kept = stable.kept.select("problem_id", pl.col("templated_prompt").alias("prompt"), *steps)
    return Filtered(kept, stable.dropped)


CONFIGS: tuple[Config[Parameters], ...] = (
    Config(
        name="full",
        purpose="everything: texts, tokens, counts and provenance",
        schema=FULL,
        table="step_preference_pairs",
        recompute=recompute,
        claims=claims,
    ),
    preferences(
        "step_preference_pairs",
        purpose="both whole solutions as chats, for DPO; the steps that they share cancel in its loss",
        **_SOLUTIONS,
    ),
    Config(
        name="steps",
        purpose="the two next steps alone, for Step-DPO with a trainer that ends no partial step with end of text",
        schema=STEPS,
        derive=next_steps,
    ),
)


def draw_margins(rows: Rows, figure: "Figure") -> None:
    """Draw how many pairs there are by the value of either step, and by their margin."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    margins = rows.only("rejected_value", "chosen_value", "value_margin")
    lowest = min([0, *(floor(20 * margin) for margin in margins["value_margin"])])
    bins = [edge / 20 for edge in range(lowest, 21)]
    for name, colour in (("rejected_value", "#b03a2e"), ("chosen_value", "#2e7d4f"), ("value_margin", "#34495e")):
        axes.hist(margins[name].to_list(), bins=bins, histtype="step", linewidth=2, color=colour, label=name)
    axes.set_xlabel("share of right held-out rollouts")
    axes.set_ylabel("pairs")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


PICTURE = Picture(
    name="margins.png", caption="Pairs by the value of either step and by their margin", draw=draw_margins
)


def _published(row: Mapping[str, Any]) -> tuple[float | None, ...]:
    margin = _margin(row, "")
    if margin is None:
        return (None,) * (len(_RECOMPUTED) - len(TEST_MARGIN))
    return margin.value, margin.low, margin.high, margin.chosen.value, margin.rejected.value


def _tested(row: Mapping[str, Any]) -> tuple[float | None, ...]:
    margin = None if row["test_chosen_n_rollouts"] is None else _margin(row, "test_")
    return (None,) * len(TEST_MARGIN) if margin is None else (margin.value, margin.low)


def _margin(row: Mapping[str, Any], which: str) -> Margin | None:
    """The margin by the held-out counts, or by those of the test if `which` is "test_"."""
    return margin_of(
        _evidence(row, f"{which}chosen", True if row["is_final_step"] else None),
        _evidence(row, f"{which}rejected", False if row["rejected_is_final_step"] else None),
    )


def _evidence(row: Mapping[str, Any], side: str, own_outcome: bool | None) -> Evidence:
    right, n = row[f"{side}_n_correct"], row[f"{side}_n_rollouts"]
    return Evidence(counts=StepCounts(n_correct=right, n_rollouts=n, n_undecided=0), own_outcome=own_outcome)
