"""The dataset `self_correction_traces`: its published columns, and how rows of the asset become a draft of a release.

Knows the asset's columns; nothing of folders, versions or cards.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from filters.schema import SchemaError
from generators.columns import MESSAGES
from generators.self_correction_traces.parts import DERIVED, derived
from generators.self_correction_traces.table import SELF_CORRECTION_TRACES
from releases.draft import Draft, Table
from releases.errors import IncompleteManifest, NothingToRelease
from releases.facts import ReleaseFacts, StageFacts
from releases.schemas import PublishedColumn, PublishedSchema, measured_columns
from releases.self_correction_traces_about import ABOUT
from releases.splits import SplitShares, split_by_problem

IGNORED = -100  # the label of a token without loss, by torch's convention
ORIGINS = ("sampled", "composed")
_IDS = pl.List(pl.Int64)

DEFAULT = PublishedSchema(
    name="self_correction_traces/default",
    columns=measured_columns(SELF_CORRECTION_TRACES, SELF_CORRECTION_TRACES.meanings),
    rules=SELF_CORRECTION_TRACES.rules,
)
_LABELS, _INPUT = pl.col("labels"), pl.col("input_ids")
SFT = PublishedSchema(
    name="self_correction_traces/sft",
    columns=(
        PublishedColumn(name="messages", dtype=MESSAGES, meaning="The chat, to read or to tokenize for another model."),
        PublishedColumn(
            name="input_ids",
            dtype=_IDS,
            meaning="`prompt_token_ids` and `token_ids`: what the policy was given, and the row.",
        ),
        PublishedColumn(
            name="labels",
            dtype=_IDS,
            meaning=f"`input_ids`, {IGNORED} where nothing is to be learnt: on the prompt and where `loss_mask` is 0.",
        ),
    ),
    rules={
        "labels: one_per_token": _LABELS.list.len() == _INPUT.list.len(),
        "labels: the_token_or_ignored": ((_LABELS - _INPUT) * (_LABELS - IGNORED))
        .list.eval(pl.element() == 0)
        .list.all(),
        "labels: something_to_learn": _LABELS.list.eval(pl.element() != IGNORED).list.any(),
    },
)


def build_self_correction_traces(rows: pl.DataFrame, facts: ReleaseFacts, shares: SplitShares | None = None) -> Draft:
    """Validate the asset's rows, derive what follows in them again and lay them out in configs and splits.

    Raises NothingToRelease when there are no rows, and SchemaError when they break the asset's schema or something in
    them does not follow from the rest.
    """
    shares = shares or SplitShares()
    if rows.is_empty():
        raise NothingToRelease(
            "self_correction_traces: there are no rows to release; look at what the asset dropped for which reason"
        )
    checked = _checked(SELF_CORRECTION_TRACES.validate(rows).sort(SELF_CORRECTION_TRACES.key))
    default = {name: DEFAULT.validate(part) for name, part in split_by_problem(checked, shares).items()}
    tables = {
        "default": Table(schema=DEFAULT, purpose="everything: texts, tokens, verdicts, masks", splits=default),
        "sft": Table(schema=SFT, purpose="ready for TRL's SFTTrainer", splits=sft_splits(checked, shares)),
    }
    stages = [StageFacts(name=f"release: {config}", kept=sum(table.rows.values())) for config, table in tables.items()]
    export = {"validation": shares.validation, "test": shares.test}
    return Draft(
        about=ABOUT,
        tables=tables,
        facts=replace(facts, stages=(*facts.stages, *stages), settings={**facts.settings, "export": export}),
        label_counts={split: count_origins(part) for split, part in default.items()},
        example='print(rows[0]["text"], rows[0]["verdicts"], rows[0]["origin"])',
    )


def sft_splits(rows: pl.DataFrame, shares: SplitShares) -> Mapping[str, pl.DataFrame]:
    """The config `sft` by split, as it follows from the rows."""
    learnt = [
        [IGNORED] * len(prompt) + [token_id if kept else IGNORED for token_id, kept in zip(ids, mask, strict=True)]
        for prompt, ids, mask in rows.select("prompt_token_ids", "token_ids", "loss_mask").iter_rows()
    ]
    ready = rows.select(
        "problem_id",
        "messages",
        pl.concat_list("prompt_token_ids", "token_ids").alias("input_ids"),
        pl.Series("labels", learnt, dtype=_IDS),
    )
    return {name: SFT.validate(part) for name, part in split_by_problem(ready, shares).items()}


def count_origins(rows: pl.DataFrame) -> Mapping[str, int]:
    """How many rows were sampled, and how many composed."""
    counts = Counter(rows["origin"].to_list())
    return {origin: counts[origin] for origin in ORIGINS}


def shares_of(facts: ReleaseFacts) -> SplitShares:
    """The shares of the splits that a manifest's facts tell; raises IncompleteManifest."""
    told = facts.settings.get("export", {})
    try:
        return SplitShares(validation=told["validation"], test=told["test"])
    except (KeyError, TypeError, ValueError) as bad:
        raise IncompleteManifest(f"settings.export lacks the shares of the splits: {bad!r}") from bad


def _checked(rows: pl.DataFrame) -> pl.DataFrame:
    anew = derived(rows)
    for name in DERIVED:
        wrong = [
            n
            for n, pair in enumerate(zip(rows[name].to_list(), anew[name].to_list(), strict=True))
            if pair[0] != pair[1]
        ]
        if wrong:
            row = rows.row(wrong[0], named=True)
            raise SchemaError(
                f"self_correction_traces: {name} does not follow from the rest in {len(wrong)} of {rows.height} rows, "
                f"first the {row['origin']} one of attempt {row['attempt_index']} at problem {row['problem_id']}: "
                "materialise self_correction_traces again"
            )
    return rows
