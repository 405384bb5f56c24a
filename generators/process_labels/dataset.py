"""Process labels (Math-Shepherd, OmegaPRM, a sequential test): for each step of a solution, its value by rollouts."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import polars as pl

from generators.attempts.fit import FIT_COLUMNS, ROW, unfit_to_label
from generators.attempts.table import StoredAttempts, sampling_of
from generators.blocks import BlockWriter, StoredTable
from generators.card import Card
from generators.checks import Check, CheckBounds, CheckSpec, share_in_bounds
from generators.columns import ATTEMPT_KEY
from generators.dataset import Dataset
from generators.preflight import Finding, Preflight
from generators.problems.settings import QualitySettings
from generators.process_labels import judge, judge_prompt, recipe
from generators.process_labels.audit import planted
from generators.process_labels.choosing import Choice, choose_solutions
from generators.process_labels.evidence import held_behind
from generators.process_labels.held_out import COLUMNS as HELD_OUT_COLUMNS
from generators.process_labels.held_out import HELD_OUT_STEPS, HeldOut, held_out_figures, labels_are_true
from generators.process_labels.labelling import Audited, LabelledSlice, Labeller
from generators.process_labels.labels import count_labels, with_labels
from generators.process_labels.recipe import LabelledProblem, ProcessLabelsConfig
from generators.process_labels.release import (
    CONFIGS,
    PICTURE,
    LabelParameters,
    count_equations,
    more_facts,
    parameters_of,
)
from generators.process_labels.report import audit_of, shown
from generators.process_labels.second_opinion import SecondOpinion, second_opinion
from generators.process_labels.settings import Settings
from generators.process_labels.table import (
    DROPPED,
    PLANTED_ERRORS,
    PROCESS_LABELS,
    label_rows,
    process_labels_table,
    with_judgements,
)
from generators.process_labels.view import VIEW
from generators.records import Provenance
from generators.search.tree import Tree
from generators.search.tree_table import SEARCH_TREES, tree_rows
from generators.shown import SAMPLES, Facts
from generators.stage import Output, Slice, Stage

LABEL_COLUMNS = (  # what labels follow from, and what is shown of them: nothing that grows with the tokens
    *("problem_id", "attempt_index", "n_correct", "n_rollouts", "n_further", "values", "sound", "stop_reasons"),
    *("false_equations", "judge_first_error", "judge_outcome"),
)


async def make(slice: Slice, settings: Settings) -> Output:
    """Label the chosen solutions, search planted errors, hold labels against held-out rollouts, and ask the judge.

    Where the slice has labels already, they are made with all evidence (`evidence`).
    """
    table, rule = slice.stored("attempts"), slice.source.answer_rule
    sampling, max_tokens = sampling_of(slice)
    config = ProcessLabelsConfig(sampling=sampling, max_tokens=max_tokens, settings=settings)
    unfit = unfit_attempts(table, slice.quality)
    attempts = StoredAttempts(table)
    problems = slice.problems()
    choice = choose_solutions(
        problems, attempts, by_problem(unfit), tokenizer=slice.policy.tokenizer, rule=rule, config=config
    )
    async with slice.workbench(unit="problems", total=len(choice.items)) as bench:
        written = Written(slice.writer(PROCESS_LABELS), slice.writer(SEARCH_TREES), slice.origin)
        takes_evidence = slice.has_table(PROCESS_LABELS.name) and settings.strategy == "sequential_test"
        chosen = choice.items if takes_evidence else ()
        held = held_behind(chosen, attempts, sampler=bench.sampler, config=config)
        labeller = Labeller(bench=bench, attempts=attempts, rule=rule, config=config, held=held)
        labelled = await labeller.label_slice(choice.items, written.add)
        rows = written.rows.table()
        held_out = await HeldOut(bench=bench, attempts=attempts, rule=rule, config=config).drawn(
            derived_labels(rows.frame(HELD_OUT_COLUMNS), settings), problems, labelled.strategy
        )
    opinion = await second_opinion(slice, rows)
    if opinion:
        rows = judged_table(rows, slice.writer(PROCESS_LABELS), opinion)
    labels = derived_labels(rows.frame(LABEL_COLUMNS), settings)
    planted_errors = planted_errors_table(labelled.audited, slice.origin, settings)
    sample = derived_labels(rows.spread(SAMPLES, list(PROCESS_LABELS.columns)), settings)
    return Output(
        rows=rows,
        dropped=dropped_rows(unfit, choice, labelled),
        beside={
            SEARCH_TREES.name: written.trees.table(),
            PLANTED_ERRORS.name: planted_errors,
            HELD_OUT_STEPS.name: held_out,
        },
        config={
            "sampling": asdict(sampling),
            "max_tokens": max_tokens,
            "strategy": labelled.strategy.to_json(),
            "quality": slice.quality.model_dump(),
            "judge": opinion.to_json() if opinion else None,
            "further_rollouts": int(labels["n_further"].list.sum().sum()),
        },
        checks=[
            label_balance(labels, slice.bounds),
            planted_errors_found(planted_errors, slice.bounds),
            labels_are_true(held_out),
        ],
        shown=shown(labels, sample, planted_errors, labelled.strategy.name, written.largest)
        | {"held_out": Facts(held_out_figures(held_out).get("all", {}))}
        | (opinion.shown(labels) if opinion else {}),
        n_items=sum(bool(item.chosen) for item in choice.items),
        n_failed=len(labelled.failures),
    )


@dataclass
class Written:
    """Writes labelled problems as they come: solutions and trees; the tree with the most nodes is shown."""

    rows: BlockWriter
    trees: BlockWriter
    origin: Provenance
    largest: Tree | None = None

    def add(self, problem: LabelledProblem) -> None:
        """Write the solutions and the tree of one problem; raises StorageError."""
        self.rows.add(label_rows(problem.solutions, self.origin))
        self.trees.add(tree_rows(problem.tree, self.origin))
        if self.largest is None or len(problem.tree) > len(self.largest):
            self.largest = problem.tree


def unfit_attempts(attempts: StoredTable, quality: QualitySettings) -> pl.DataFrame:
    """The attempts that are not worth labelling, each with its reason."""
    unfit = unfit_to_label(lambda: attempts.blocks(FIT_COLUMNS), quality)
    return attempts.frame(ATTEMPT_KEY)[unfit[ROW]].with_columns(unfit["reason"])


def by_problem(unfit: pl.DataFrame) -> dict[str, set[int]]:
    """The indexes of attempts by problem."""
    grouped = unfit.group_by("problem_id").agg("attempt_index")
    return {problem: set(indexes) for problem, indexes in grouped.iter_rows()}


def judged_table(labels: StoredTable, writer: BlockWriter, opinion: SecondOpinion) -> StoredTable:
    """The labels with the judgement of each solution."""
    start = 0
    for block in labels.blocks():
        judgements = opinion.judgements[start : start + block.height]
        writer.add_block(with_judgements(block, judgements, opinion.judge))
        start += block.height
    return writer.table()


def dropped_rows(unfit: pl.DataFrame, choice: Choice, labelled: LabelledSlice) -> pl.DataFrame:
    """Every attempt that was not labelled, with its reason."""
    reasons = [(*passed_over, "") for passed_over in choice.passed_over]
    reasons += [
        (failure.item.problem.problem_id, index, "refused", failure.message)
        for failure in labelled.failures
        for index in failure.item.chosen
    ]
    later = pl.DataFrame(reasons, schema=DROPPED.empty().schema, orient="row")
    first = unfit.with_columns(detail=pl.lit("")).select(list(DROPPED.columns))
    return DROPPED.validate(pl.concat([first, later]))


def derived_labels(rows: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The rows with their labels, as a release derives them."""
    return with_labels(
        rows,
        hard_threshold=settings.hard_threshold,
        confidence=settings.confidence,
        refuted_steps=settings.refuted_steps,
    )


def planted_errors_table(audited: Sequence[Audited], origin: Provenance, settings: Settings) -> pl.DataFrame:
    """One row for each planted error: where it is, where the labels find one, and what the search cost."""
    labels = derived_labels(process_labels_table([audit.labelled for audit in audited], origin), settings)
    return PLANTED_ERRORS.frame(
        [
            {
                "problem_id": audit.planted.problem.problem_id,
                "attempt_index": audit.planted.attempt.attempt_index,
                "kind": audit.planted.kind,
                "planted": audit.planted.first_error,
                "found": first_error,
                "is_refuted": audit.labelled.false_equations[audit.planted.first_error] is not None,
                "n_rollouts": sum(counts.n_rollouts for counts in audit.labelled.counts[:-1]),
                "original_step": audit.planted.original_step,
                "planted_step": audit.planted.planted_step,
            }
            for audit, first_error in zip(audited, labels["first_error"], strict=True)
        ]
    )


def label_balance(labels: pl.DataFrame, bounds: CheckBounds) -> Check:
    """Passes while enough steps have the rarer label, since a reward model learns nothing from one label.

    A slice without a labelled step only warns.
    """
    counts = count_labels(labels)
    total = counts["right"] + counts["wrong"]
    check = share_in_bounds(
        "label_balance",
        min(counts["right"], counts["wrong"]),
        total,
        least=bounds.least_label,
        what="labelled steps that have the rarer label",
        remedy="Take easier or harder problems, or another policy; or lower `least_label` of [checks].",
    )
    return replace(check, blocks=total > 0)


def planted_errors_found(planted_errors: pl.DataFrame, bounds: CheckBounds) -> Check:
    """Passes while enough of the steps that the labels name are the planted ones; a few named steps only warn."""
    audit = audit_of(planted_errors)
    return Check(
        name="planted_errors_found",
        passed=audit.precision is not None and audit.precision >= bounds.least_planted,
        why=f"{audit.exact} of {audit.n_named} named steps are the planted ones, at least {bounds.least_planted:g} "
        "must be",
        remedy="Raise `cap` of [process_labels], so that steps are searched longer, or lower `least_planted` of "
        "[checks].",
        blocks=audit.n_named >= bounds.few_planted,
        figures={name: value for name, value in audit.facts().items() if value is not None},
    )


def preflight(known: Preflight, _: Settings) -> Iterator[Finding]:
    """Whether the judge has room for a problem, a solution of it and a judgement."""
    chats = [judge_prompt.messages(problem.prompt, [""]) for problem in known.problems]
    yield from known.judged(chats, written=known.settings("attempts").max_tokens, what="questions about solutions")


DATASET: Dataset[LabelParameters] = Dataset(
    stage=Stage(
        name="process_labels",
        title="Solutions in steps, each step with its counts of right continuations and what follows from them.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts"),
        schema=PROCESS_LABELS,
        dropped=DROPPED,
        beside=(SEARCH_TREES, PLANTED_ERRORS, HELD_OUT_STEPS),
        version=f"{recipe.VERSION}.{planted.VERSION}.{judge.VERSION}",
        make=make,
        checks=(
            CheckSpec("label_balance", "The rarer label, right or wrong, is frequent enough among the labelled steps."),
            CheckSpec("planted_errors_found", "Labels point at enough of the errors that were planted for the audit."),
            CheckSpec(
                "labels_are_true",
                "Held-out rollouts lie in the intervals that labels predict as often as they should.",
                blocks=False,
            ),
        ),
        per_problem=lambda settings: settings.solutions_per_problem,
        preflight=preflight,
        least_yield=0.1,
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    parameters=LabelParameters,
    parameters_of=parameters_of,
    label_counts=count_labels,
    counts=count_equations,
    more_facts=more_facts,
    picture=PICTURE,
    lengths=("steps", "token_ids"),
    sample_columns=("prompt", "steps", "n_correct", "n_rollouts", "verdict"),
    view=VIEW,
)
