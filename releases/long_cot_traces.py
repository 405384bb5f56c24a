"""The dataset `long_cot_traces`: its published columns, and how rows of the assets become a draft of a release.

Knows the assets' columns and what follows from what; nothing of folders, versions or cards.
"""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from filters.rules import Filtered
from filters.schema import SchemaError, TableSchema
from generators.long_cot_traces.behaviours import KINDS
from generators.long_cot_traces.copied_examples import without_examples
from generators.long_cot_traces.schema import LONG_COT_PAIRS, LONG_COT_TRACES
from releases.draft import Draft, Table
from releases.errors import IncompleteManifest, NothingToRelease
from releases.facts import ReleaseFacts, StageFacts
from releases.long_cot_about import ABOUT
from releases.long_cot_recomputation import (
    SIDES,
    Export,
    differing,
    recompute_pairs,
    recompute_traces,
)
from releases.pictures import picture_of_behaviours
from releases.schemas import PublishedSchema, measured_columns
from releases.splits import SplitShares, split_by_problem

Recompute = Callable[[pl.DataFrame, Export], pl.DataFrame]


def _published(config: str, table: TableSchema) -> PublishedSchema:
    return PublishedSchema(
        name=f"{ABOUT.dataset}/{config}", columns=measured_columns(table, table.meanings), rules=table.rules
    )


DEFAULT = _published("default", LONG_COT_TRACES)
PAIRS = _published("pairs", LONG_COT_PAIRS)


def build_long_cot_traces(traces: pl.DataFrame, pairs: pl.DataFrame, facts: ReleaseFacts, export: Export) -> Draft:
    """Validate the assets' rows, derive anew what follows in them and lay them out in configs and splits.

    Rows that repeat a worked example are left out. Raises NothingToRelease when no trace is left, and SchemaError when
    rows break their schema or are not what follows from their columns.
    """
    kept, unlike = _checked_traces(traces, export), _checked_pairs(pairs, export)
    if kept.kept.is_empty():
        raise NothingToRelease(
            f"{ABOUT.dataset}: there are no rows to release; {kept.dropped.height} repeat a worked example: look at "
            "what the asset dropped for which reason"
        )
    default = _split(DEFAULT, kept.kept, export.shares)
    tables = {
        "default": Table(schema=DEFAULT, purpose="problem, thoughts and solution, ready for SFT", splits=default),
        "pairs": Table(
            schema=PAIRS,
            purpose="the best answer to a problem against the worst, ready for TRL's DPOTrainer",
            splits=_split(PAIRS, unlike.kept, export.shares),
        ),
    }
    stages = (
        StageFacts(name="release: default", kept=kept.kept.height, dropped=kept.counts()),
        StageFacts(name="release: pairs", kept=unlike.kept.height, dropped=unlike.counts()),
    )
    return Draft(
        about=ABOUT,
        tables={config: table for config, table in tables.items() if table.splits},
        facts=replace(facts, stages=(*facts.stages, *stages), settings={**facts.settings, "export": export.facts()}),
        label_counts={split: count_kinds(part) for split, part in default.items()},
        pictures=(picture_of_behaviours(kept.kept),),
        example='print(rows[0]["messages"][1]["content"], rows[0]["behaviours"])',
    )


def count_kinds(rows: pl.DataFrame) -> dict[str, int]:
    """How often the thoughts of all rows show each behaviour."""
    return {kind: int(rows[f"n_{kind}"].sum()) for kind in KINDS}


def _checked_traces(traces: pl.DataFrame, export: Export) -> Filtered:
    rows = LONG_COT_TRACES.validate(traces).sort(LONG_COT_TRACES.key)
    _refuse_unless_equal("traces", rows, recompute_traces, export)
    return _without_examples(rows, ("prompt", "internal_thoughts", "external_solution"), export)


def _checked_pairs(pairs: pl.DataFrame, export: Export) -> Filtered:
    rows = LONG_COT_PAIRS.validate(pairs).sort(LONG_COT_PAIRS.key)
    _refuse_unless_equal("pairs", rows, recompute_pairs, export)
    texts = {side: f"{side}_text" for side in ("prompt", *SIDES)}
    said = rows.with_columns(
        pl.col(side).list.eval(pl.element().struct.field("content")).list.join("\n\n").alias(text)
        for side, text in texts.items()
    )
    parted = _without_examples(said, tuple(texts.values()), export)
    return Filtered(parted.kept.drop(texts.values()), parted.dropped.drop(texts.values()))


def _refuse_unless_equal(what: str, rows: pl.DataFrame, recompute: Recompute, export: Export) -> None:
    try:
        anew = recompute(rows, export)
    except IncompleteManifest as lacking:
        raise SchemaError(f"{ABOUT.dataset}: {lacking}: materialise {ABOUT.dataset} again") from lacking
    wrong = differing(rows, anew)
    if wrong:
        raise SchemaError(
            f"{ABOUT.dataset}: scores, messages, behaviours or rewards do not follow in {len(wrong)} of {rows.height} "
            f"{what}, first problem {rows['problem_id'][wrong[0]]}: materialise {ABOUT.dataset} again"
        )


def _without_examples(rows: pl.DataFrame, columns: tuple[str, ...], export: Export) -> Filtered:
    """The rows without a passage of a worked example, looked for as their slice was made."""
    parts = [
        without_examples(part, row=("problem_id",), columns=columns, match=export.making(str(key)).near_examples)
        for (key,), part in rows.partition_by("slice", as_dict=True, maintain_order=True).items()
    ]
    if not parts:
        return Filtered(rows, rows.with_columns(pl.lit(None, pl.String).alias("reason")))
    kept = pl.concat([part.kept for part in parts]).sort("problem_id")
    return Filtered(kept, pl.concat([part.dropped for part in parts]))


def _split(schema: PublishedSchema, rows: pl.DataFrame, shares: SplitShares) -> dict[str, pl.DataFrame]:
    return {split: schema.validate(part) for split, part in split_by_problem(rows, shares).items()}
