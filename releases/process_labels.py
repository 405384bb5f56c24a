"""The dataset `process_labels`: its published columns, and how rows of the asset become a draft of a release.

Knows the asset's columns and the labels; nothing of folders, versions or cards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.schema import SchemaError
from generators.process_labels.balance import balance
from generators.process_labels.consensus import same_first_error
from generators.process_labels.labels import count_labels, with_labels
from generators.process_labels.table import PROCESS_LABELS
from generators.search.priors import Priors
from releases.draft import Draft, Table
from releases.errors import IncompleteManifest, NothingToRelease
from releases.facts import ReleaseFacts, StageFacts
from releases.pictures import picture_of_labels
from releases.process_labels_about import about
from releases.recomputation import differing, recompute
from releases.schemas import PublishedColumn, PublishedSchema, measured_columns
from releases.splits import SplitShares, split_by_problem

MEANINGS = {
    "problem_id": "Hash of the problem; it decides the split.",
    "source": "The source that the problem came from.",
    "prompt": "The problem, without chat template or instructions.",
    "answer": "The problem's gold answer.",
    "level": "The source's own level of difficulty.",
    "attempt_index": "Which of the attempts at the problem this solution is.",
    "prompt_token_ids": "What the policy was given, in its own token ids.",
    "token_ids": "The solution, in the policy's token ids.",
    "steps": "The solution's text in steps; joined they are the whole.",
    "step_ends": "Where each step ends in `token_ids` (exclusive).",
    "n_correct": "For each step, the rollouts from its end with the right answer.",
    "n_rollouts": "For each step, the rollouts whose answer could be decided.",
    "n_undecided": "For each step, the rollouts whose answer could not be decided.",
    "node_ids": "For each step, the node of the search tree; solutions with a common beginning share nodes.",
    "n_attempts": "The attempts at the problem whose answer could be decided.",
    "n_attempts_right": "How many of them ended right.",
    "values_low": "For each step, the lower end of the 95 % interval of its value.",
    "values_high": "For each step, the upper end of that interval.",
    "sound": "For each step, the probability that nothing up to its end is wrong; null where the strategy has none.",
    "stop_reasons": "For each step, why no more rollouts were drawn from its end.",
    "verdict": "What comparing the solution's own answer with the gold came to.",
    "extracted": "The solution's own final answer.",
    "strategy": "How the rollouts were spread over the steps.",
    "judge_first_error": "The judge's index of the first wrong step, -1 if it found none; null where it names nothing.",
    "judge_outcome": "`judged`, `not_sure` (a tie of votes), `no_verdict` or `failed` (refused); null without a judge.",
    "judge": "The model that gave a second opinion on the solution; null without one.",
    "policy": "The model that wrote the solution and the rollouts.",
    "round": "The round of generation.",
    "slice": "The part of the round that was generated as one.",
}

_DERIVED = (
    PublishedColumn(
        name="soft_labels",
        dtype=pl.List(pl.Float64),
        meaning="For each step what it is worth: `n_correct / n_rollouts`, or with `sound` the posterior mean.",
        nullable_items=True,
    ),
    PublishedColumn(
        name="hard_labels",
        dtype=pl.List(pl.Boolean),
        meaning="For each step, whether it is `sound` (or its share above the hard threshold); null where not sure.",
        nullable_items=True,
    ),
    PublishedColumn(
        name="first_error",
        dtype=pl.Int64,
        meaning="Index of the first step whose hard label is false, -1 if none; null if an unlabelled step is before.",
        nullable=True,
    ),
)

_STEPS = pl.col("steps").list.len()
_UNKNOWN = pl.element().is_null()

DEFAULT = PublishedSchema(
    name="process_labels/default",
    columns=(*measured_columns(PROCESS_LABELS, MEANINGS), *_DERIVED),
    rules={
        **{name: rule for name, rule in PROCESS_LABELS.rules.items() if not name.startswith("values:")},
        "soft_labels: one_per_step": pl.col("soft_labels").list.len() == _STEPS,
        "hard_labels: one_per_step": pl.col("hard_labels").list.len() == _STEPS,
        "first_error: is_a_step_or_minus_one": pl.col("first_error").is_between(-1, _STEPS.cast(pl.Int64) - 1)
        | pl.col("first_error").is_null(),
    },
)
STEPWISE = PublishedSchema(
    name="process_labels/stepwise",
    columns=(
        PublishedColumn(name="prompt", dtype=pl.String, meaning="The problem."),
        PublishedColumn(
            name="completions", dtype=pl.List(pl.String), meaning="The steps, without the white space around them."
        ),
        PublishedColumn(name="labels", dtype=pl.List(pl.Boolean), meaning="The hard label of each step."),
    ),
    rules={"labels: one_per_step": pl.col("completions").list.len() == pl.col("labels").list.len()},
)
TRUNCATED = PublishedSchema(
    name="process_labels/truncated",
    columns=STEPWISE.columns,
    rules={
        **STEPWISE.rules,
        "labels: false_at_most_at_the_end": pl.col("labels").list.slice(0, pl.col("labels").list.len() - 1).list.all(),
    },
)
CONSENSUS = replace(TRUNCATED, name="process_labels/consensus")
TRAINING = {
    "stepwise": (STEPWISE, "prompt, steps and one hard label a step"),
    "truncated": (TRUNCATED, "the same up to the first error, behind which labels mean little"),
    "consensus": (CONSENSUS, "of those, the solutions on whose first error, or on whose having none, the judge agrees"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """How labels are derived, and the problems split.

    `confidence` is the soundness from which a step counts as right; `hard_threshold` does the same for shares, where
    there is no soundness. `priors` are those of the sequential test, by slice. `label_ratio`, where it is given, bounds
    how many times as frequent as the other a label is in the configs for training.
    """

    hard_threshold: float = 0.0
    confidence: float = 0.94
    label_ratio: float | None = None
    priors: Mapping[str, Priors] = field(default_factory=dict)
    shares: SplitShares = field(default_factory=SplitShares)

    def recomputed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with all that follows from their counts derived anew."""
        return recompute(rows, hard_threshold=self.hard_threshold, confidence=self.confidence, priors=self.priors)

    def slices_without_priors(self, rows: pl.DataFrame) -> list[str]:
        """The slices of rows with a soundness, which follows from priors, that have none here."""
        return sorted(set(rows.filter(pl.col("sound").is_not_null())["slice"]) - self.priors.keys())

    def facts(self) -> dict[str, Any]:
        """What the manifest keeps."""
        return {
            "hard_threshold": self.hard_threshold,
            "confidence": self.confidence,
            "label_ratio": self.label_ratio,
            "priors": {key: priors.plain() for key, priors in sorted(self.priors.items())},
            "validation": self.shares.validation,
            "test": self.shares.test,
        }

    @classmethod
    def of(cls, facts: ReleaseFacts) -> "Export":
        """What `facts()` gave to the manifest, read back; raises IncompleteManifest."""
        told = dict(facts.settings.get("export", {}))
        try:
            shares = SplitShares(validation=told.pop("validation"), test=told.pop("test"))
            priors = {key: Priors(**plain) for key, plain in told.pop("priors").items()}
            return cls(shares=shares, priors=priors, **told)
        except (KeyError, TypeError, ValueError) as bad:
            raise IncompleteManifest(f"settings.export lacks what the labels are derived with: {bad!r}") from bad


def build_process_labels(rows: pl.DataFrame, facts: ReleaseFacts, export: Export | None = None) -> Draft:
    """Validate the asset's rows, derive their labels and lay them out in configs and splits.

    Raises NothingToRelease when there are no rows, and SchemaError when they break the asset's schema or do not follow
    from their counts.
    """
    export = export or Export()
    if rows.is_empty():
        raise NothingToRelease("process_labels: there are no rows to release; look at what the earlier stages dropped")
    labelled = _checked(PROCESS_LABELS.validate(rows).sort(PROCESS_LABELS.key), export)
    default = split_by_problem(DEFAULT.validate(labelled), export.shares)
    parts = _parts(labelled, export.label_ratio)
    tables = {
        "default": Table(schema=DEFAULT, purpose="everything: counts, labels and provenance", splits=default),
        **_training_tables(parts, export.shares),
    }
    return Draft(
        about=about(judged="consensus" in parts),
        tables={config: table for config, table in tables.items() if table.splits},
        facts=_with_export(facts, labelled.height, parts, export),
        label_counts={split: count_labels(part) for split, part in default.items()},
        pictures=(picture_of_labels(labelled),),
        example='print(rows[0]["steps"], rows[0]["soft_labels"])',
    )


def training_tables(labelled: pl.DataFrame, export: Export) -> dict[str, Table]:
    """The configs for training, as they follow from labelled rows."""
    return _training_tables(_parts(labelled, export.label_ratio), export.shares)


def _parts(labelled: pl.DataFrame, ratio: float | None) -> dict[str, Filtered]:
    """The rows of each config for training, and the others with the reason; `consensus` only where there is a judge."""
    decided = apply_rules(labelled, {"undecided_step": ~pl.col("hard_labels").list.eval(_UNKNOWN).list.any()})
    located = apply_rules(labelled, {"first_error_not_sure": pl.col("first_error").is_not_null()})
    parts = {"stepwise": decided, "truncated": _truncated(located)}
    has_judge = pl.col("judge").is_not_null()
    if labelled.select(has_judge.any()).item():
        parts["consensus"] = _truncated(apply_rules(labelled, {"no_judge": has_judge, **same_first_error()}))
    return {name: _balanced(part, ratio) for name, part in parts.items()}


def _training_tables(parts: Mapping[str, Filtered], shares: SplitShares) -> dict[str, Table]:
    tables = {}
    for name, part in parts.items():
        schema, purpose = TRAINING[name]
        splits = split_by_problem(_stepwise(part.kept), shares)
        validated = {split: schema.validate(rows) for split, rows in splits.items()}
        tables[name] = Table(schema=schema, purpose=purpose, splits=validated)
    return tables


def _balanced(rows: Filtered, ratio: float | None) -> Filtered:
    if ratio is None:
        return rows
    balanced = balance(rows.kept, labels="hard_labels", key=PROCESS_LABELS.key, most=ratio)
    return Filtered(balanced.kept, pl.concat([rows.dropped, balanced.dropped], how="diagonal_relaxed"))


def _checked(rows: pl.DataFrame, export: Export) -> pl.DataFrame:
    """The rows with labels; raises SchemaError where what stands in a row does not follow from its counts."""
    labelled = with_labels(rows, hard_threshold=export.hard_threshold, confidence=export.confidence)
    unknown = export.slices_without_priors(rows)
    if unknown:
        raise SchemaError(
            f"process_labels: the recipe of slice {unknown[0]} holds no priors, without which its labels cannot be "
            "checked: materialise process_labels again"
        )
    wrong = differing(labelled, export.recomputed(labelled))
    if wrong:
        row = labelled.row(wrong[0], named=True)
        raise SchemaError(
            f"process_labels: values and soundness do not follow from the counts in {len(wrong)} of {rows.height} "
            f"rows, first attempt {row['attempt_index']} at problem {row['problem_id']}: materialise process_labels "
            "again"
        )
    return labelled


def _truncated(located: Filtered) -> Filtered:
    """Steps and labels of what is kept up to the first error, it included."""
    first = pl.col("first_error")
    end = pl.when(first < 0).then(pl.col("steps").list.len()).otherwise(first + 1)
    kept = located.kept.with_columns(pl.col("steps").list.head(end), pl.col("hard_labels").list.head(end))
    return Filtered(kept, located.dropped)


def _stepwise(labelled: pl.DataFrame) -> pl.DataFrame:
    # Trainers put their own separator between steps.
    steps = pl.col("steps").list.eval(pl.element().str.strip_chars())
    return labelled.select("problem_id", "prompt", steps.alias("completions"), pl.col("hard_labels").alias("labels"))


def _with_export(facts: ReleaseFacts, total: int, parts: Mapping[str, Filtered], export: Export) -> ReleaseFacts:
    stages = [
        StageFacts(name="release: default", kept=total),
        *(
            StageFacts(name=f"release: {name}", kept=part.kept.height, dropped=part.counts())
            for name, part in parts.items()
        ),
    ]
    settings = {**facts.settings, "export": export.facts()}
    return replace(facts, stages=(*facts.stages, *stages), settings=settings)
