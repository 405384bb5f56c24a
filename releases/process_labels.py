"""The dataset `process_labels`: its published columns, and how rows of the asset become a draft of a release.

Knows the asset's columns and the labels; nothing of folders, versions or cards.
"""

from dataclasses import replace

import polars as pl

from filters.schemas import PROCESS_LABELS
from releases.draft import About, Draft, Paper, Table
from releases.errors import NothingToRelease
from releases.facts import ReleaseFacts, StageFacts
from releases.labels import count_labels, with_labels
from releases.pictures import picture_of_labels
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
    "verdict": "What comparing the solution's own answer with the gold came to.",
    "extracted": "The solution's own final answer.",
    "strategy": "How the rollouts were spread over the steps.",
    "policy": "The model that wrote the solution and the rollouts.",
    "round": "The round of generation.",
    "slice": "The part of the round that was generated as one.",
}

_DERIVED = (
    PublishedColumn(
        name="soft_labels",
        dtype=pl.List(pl.Float64),
        meaning="For each step `n_correct / n_rollouts`; null without a decided rollout.",
        nullable_items=True,
    ),
    PublishedColumn(
        name="hard_labels",
        dtype=pl.List(pl.Boolean),
        meaning="For each step, whether its soft label is above the hard threshold; null where that is null.",
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

DEFAULT = PublishedSchema(
    name="process_labels/default",
    columns=(*measured_columns(PROCESS_LABELS, MEANINGS), *_DERIVED),
    rules={
        **PROCESS_LABELS.rules,
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

ABOUT = About(
    dataset="process_labels",
    pretty_name="Process labels by rollouts",
    summary=(
        "Solutions of problems with known answers, cut into steps. From the end of every step the policy that wrote "
        "the solution went on several times; how many of these rollouts reached the right answer is what the step is "
        "worth. The rows train process reward models."
    ),
    recipe=(
        "The policy attempts every problem, and each final answer is verified. A solution is cut into steps on token "
        "boundaries, and its exact token ids up to the end of a step are the prefix of that step's rollouts. Counts "
        "were measured; soft labels, hard labels and the first error are derived from them and can be derived again."
    ),
    limits=(
        "A label says whether this policy gets from the step to the right answer. A weak policy fails from sound "
        "steps, and at times recovers from faulty ones: the label is a value under the policy, no proof of the step.",
        "A share of n rollouts has a standard error of up to 0.5 / sqrt(n): read `n_rollouts` beside each soft label.",
        "Only final answers are verified. A wrong derivation with a right answer counts as right.",
        "Solutions were chosen for labelling, right and wrong ones: their share of right answers is no pass rate.",
    ),
    papers=(
        Paper(
            authors="Wang et al.",
            title="Math-Shepherd: Verify and Reinforce LLMs Step-by-step without Human Annotations",
            year=2023,
            arxiv="2312.08935",
        ),
        Paper(
            authors="Zheng et al.",
            title="ProcessBench: Identifying Process Errors in Mathematical Reasoning",
            year=2024,
            arxiv="2412.06559",
        ),
    ),
    task_categories=("text-classification",),
    tags=("math", "reasoning", "process-supervision", "stepwise-supervision", "synthetic"),
)


def build_process_labels(
    rows: pl.DataFrame,
    facts: ReleaseFacts,
    *,
    hard_threshold: float = 0.0,
    shares: SplitShares | None = None,
) -> Draft:
    """Validate the asset's rows, derive their labels and lay them out in configs and splits.

    Raises NothingToRelease when there are no rows, and SchemaError when they break the asset's schema.
    """
    shares = shares or SplitShares()
    if rows.is_empty():
        raise NothingToRelease("process_labels: there are no rows to release; look at what the earlier stages dropped")
    labelled = with_labels(PROCESS_LABELS.validate(rows).sort(PROCESS_LABELS.key), hard_threshold=hard_threshold)
    default = split_by_problem(DEFAULT.validate(labelled), shares)
    decided = labelled.filter(~pl.col("hard_labels").list.eval(pl.element().is_null()).list.any())
    stepwise = {split: STEPWISE.validate(_stepwise(part)) for split, part in split_by_problem(decided, shares).items()}
    tables = {
        "default": Table(schema=DEFAULT, purpose="everything: counts, labels and provenance", splits=default),
        "stepwise": Table(schema=STEPWISE, purpose="prompt, steps and one hard label a step", splits=stepwise),
    }
    return Draft(
        about=ABOUT,
        tables={config: table for config, table in tables.items() if table.splits},
        facts=_with_export(facts, labelled, decided, hard_threshold, shares),
        label_counts={split: count_labels(part) for split, part in default.items()},
        pictures=(picture_of_labels(labelled),),
        example='print(rows[0]["steps"], rows[0]["soft_labels"])',
    )


def _stepwise(labelled: pl.DataFrame) -> pl.DataFrame:
    # Trainers put their own separator between steps.
    steps = pl.col("steps").list.eval(pl.element().str.strip_chars())
    return labelled.select("prompt", steps.alias("completions"), pl.col("hard_labels").alias("labels"))


def _with_export(
    facts: ReleaseFacts, labelled: pl.DataFrame, decided: pl.DataFrame, hard_threshold: float, shares: SplitShares
) -> ReleaseFacts:
    undecided = labelled.height - decided.height
    stages = (
        StageFacts(name="release: default", kept=labelled.height),
        StageFacts(
            name="release: stepwise", kept=decided.height, dropped={"undecided_step": undecided} if undecided else {}
        ),
    )
    export = {"hard_threshold": hard_threshold, "validation": shares.validation, "test": shares.test}
    return replace(facts, stages=(*facts.stages, *stages), settings={**facts.settings, "export": export})
