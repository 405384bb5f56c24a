"""The dataset `step_preference_pairs`: its published columns, and how rows of the asset become a draft of a release.

Knows the asset's columns and how a margin follows from counts; nothing of folders, versions or cards.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.schema import SchemaError
from generators.records import Evidence, StepCounts
from generators.search.margins import margin_of
from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS
from releases.draft import About, Draft, Paper, Table
from releases.errors import NothingToRelease
from releases.facts import ReleaseFacts, StageFacts
from releases.pictures import picture_of_margins
from releases.schemas import PublishedColumn, PublishedSchema, measured_columns
from releases.splits import SplitShares, split_by_problem

_TOLERANCE = 1e-9
_DERIVED = ("margin", "margin_low", "margin_high", "chosen_value", "rejected_value")

DEFAULT = PublishedSchema(
    name="step_preference_pairs/default",
    columns=measured_columns(STEP_PREFERENCE_PAIRS, STEP_PREFERENCE_PAIRS.meanings),
    rules=STEP_PREFERENCE_PAIRS.rules,
)
TRL = PublishedSchema(
    name="step_preference_pairs/trl",
    columns=(
        PublishedColumn(
            name="prompt", dtype=pl.String, meaning="`templated_prompt`: the problem in its template, and steps before."
        ),
        PublishedColumn(name="chosen", dtype=pl.String, meaning="The right next step."),
        PublishedColumn(name="rejected", dtype=pl.String, meaning="The wrong next step."),
        PublishedColumn(
            name="is_final_step", dtype=pl.Boolean, meaning="Whether the end-of-text token belongs behind `chosen`."
        ),
        PublishedColumn(
            name="rejected_is_final_step",
            dtype=pl.Boolean,
            meaning="Whether the end-of-text token belongs behind `rejected`.",
        ),
    ),
    rules={"chosen: differs_from_rejected": pl.col("chosen") != pl.col("rejected")},
)

ABOUT = About(
    dataset="step_preference_pairs",
    pretty_name="Step preference pairs, both sides verified",
    summary=(
        "Where a policy's solution of a problem first went wrong, the step that it took and a right step that it could "
        "have taken, behind the same prefix. Both steps are the policy's own, and both are valued by rollouts: "
        "`margin` is by how much the right one is worth more. The rows train Step-DPO."
    ),
    recipe=(
        "Wrong attempts at problems that the policy solves at times are searched for their first wrong step. From the "
        "prefix before it the policy goes on until a continuation ends right; the first step of that one is chosen. "
        "The continuation was picked for its end, so it counts for nothing: new rollouts from behind either step tell "
        "what each is worth, in small lots until the margin is surely above or below its least value, or to a cap. "
        "A step that ends its solution is worth what the solution came to. The interval is Newcombe's for the "
        "difference of two shares (1998, method 10); a pair stays where the margin is large enough and the interval "
        "excludes 0. Values, margin and interval follow from the counts, and are derived again before a release. "
        "The first eight columns are those of Math-Step-DPO-10K: `initial_reason_steps + full_chosen` is a whole "
        "solution."
    ),
    limits=(
        "The stock DPOTrainer of TRL appends the end-of-text token to both sides of every row of `trl`. Behind a step "
        "that ends no solution it teaches the model to stop there: override `_prepare_dataset`, or strip the last id "
        "of a side whose `is_final_step` (`rejected_is_final_step`) is false.",
        "`prompt` of `trl` is templated, without the token that the policy's own tokenizer puts in front: tokenize it "
        "with special tokens, and apply no chat template. Another model wants the default config and its own template.",
        "A step is right if the policy gets from it to the right answer. A weak policy fails from sound steps, and "
        "a wrong derivation with a right answer counts as right.",
        "Counts are looked at after every lot and the rejected step was chosen by rollouts that count for it: near the "
        "least margin the interval holds the truth less often than 95 %, and kept margins are somewhat too large.",
        "Only steps that could be told apart by rollouts are here: slight errors, from which the policy recovers, are "
        "missing.",
    ),
    papers=(
        Paper(
            authors="Lai et al.",
            title="Step-DPO: Step-wise Preference Optimization for Long-chain Reasoning of LLMs",
            year=2024,
            arxiv="2406.18629",
        ),
    ),
    task_categories=("text-generation",),
    tags=("math", "reasoning", "preference", "dpo", "step-dpo", "synthetic"),
)


def build_step_preference_pairs(rows: pl.DataFrame, facts: ReleaseFacts, shares: SplitShares | None = None) -> Draft:
    """Validate the asset's rows, derive their margins again and lay them out in configs and splits.

    Raises NothingToRelease when there are no rows, and SchemaError when they break the asset's schema or a margin does
    not follow from its counts.
    """
    shares = shares or SplitShares()
    if rows.is_empty():
        raise NothingToRelease(
            "step_preference_pairs: there are no rows to release; look at what the asset dropped for which reason"
        )
    checked = _checked(STEP_PREFERENCE_PAIRS.validate(rows).sort(STEP_PREFERENCE_PAIRS.key))
    stable = _stable(checked)
    purpose = "everything: texts, tokens, counts and provenance"
    tables = {
        "default": Table(schema=DEFAULT, purpose=purpose, splits=_split(DEFAULT, checked, shares)),
        **training_tables(checked, shares),
    }
    stages = (
        StageFacts(name="release: default", kept=checked.height),
        StageFacts(name="release: trl", kept=stable.kept.height, dropped=stable.counts()),
    )
    export = {"validation": shares.validation, "test": shares.test}
    return Draft(
        about=ABOUT,
        tables=tables,
        facts=replace(facts, stages=(*facts.stages, *stages), settings={**facts.settings, "export": export}),
        pictures=(picture_of_margins(checked),),
        example='print(rows[0]["initial_reason_steps"], rows[0]["chosen"], rows[0]["rejected"], rows[0]["margin"])',
    )


def training_tables(rows: pl.DataFrame, shares: SplitShares) -> dict[str, Table]:
    """The config for training, as it follows from the rows; empty where none of them is stable."""
    frame = _trl(_stable(rows).kept)
    splits = _split(TRL, frame, shares)
    return {"trl": Table(schema=TRL, purpose="ready for TRL's DPOTrainer", splits=splits)} if splits else {}


def recompute(rows: pl.DataFrame) -> pl.DataFrame:
    """Values, margin and interval of every row by its counts; null where they come to none."""
    derived = [_derived(row) for row in rows.iter_rows(named=True)]
    return pl.DataFrame(derived, schema=dict.fromkeys(_DERIVED, pl.Float64), orient="row")


def differing(rows: pl.DataFrame) -> list[int]:
    """The numbers of the rows whose values, margin or interval are not what their counts come to."""
    pairs = zip(rows.select(_DERIVED).iter_rows(), recompute(rows).iter_rows(), strict=True)
    return [number for number, (told, anew) in enumerate(pairs) if not _equal(told, anew)]


def _stable(rows: pl.DataFrame) -> Filtered:
    return apply_rules(rows, {"unstable_boundary": pl.col("is_stable")})


def _checked(rows: pl.DataFrame) -> pl.DataFrame:
    wrong = differing(rows)
    if wrong:
        row = rows.row(wrong[0], named=True)
        raise SchemaError(
            f"step_preference_pairs: values and margin do not follow from the counts in {len(wrong)} of {rows.height} "
            f"rows, first attempt {row['attempt_index']} at problem {row['problem_id']}: materialise "
            "step_preference_pairs again"
        )
    return rows


def _derived(row: Mapping[str, Any]) -> tuple[float | None, ...]:
    margin = margin_of(
        _evidence(row, "chosen", True if row["is_final_step"] else None),
        _evidence(row, "rejected", False if row["rejected_is_final_step"] else None),
    )
    if margin is None:
        return (None,) * len(_DERIVED)
    return margin.value, margin.low, margin.high, margin.chosen.value, margin.rejected.value


def _equal(told: tuple[float | None, ...], anew: tuple[float | None, ...]) -> bool:
    pairs = zip(told, anew, strict=True)
    return all(a is not None and b is not None and abs(a - b) <= _TOLERANCE for a, b in pairs)


def _evidence(row: Mapping[str, Any], side: str, own_outcome: bool | None) -> Evidence:
    right, n = row[f"{side}_n_correct"], row[f"{side}_n_rollouts"]
    return Evidence(counts=StepCounts(n_correct=right, n_rollouts=n, n_undecided=0), own_outcome=own_outcome)


def _trl(stable: pl.DataFrame) -> pl.DataFrame:
    """Prompt and steps; a problem's id stays until the rows are split."""
    kept = ("chosen", "rejected", "is_final_step", "rejected_is_final_step")
    return stable.select("problem_id", pl.col("templated_prompt").alias("prompt"), *kept)


def _split(schema: PublishedSchema, rows: pl.DataFrame, shares: SplitShares) -> dict[str, pl.DataFrame]:
    return {split: schema.validate(part) for split, part in split_by_problem(rows, shares).items()}
