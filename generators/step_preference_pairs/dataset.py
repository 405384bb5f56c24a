"""Step preference pairs (Step-DPO): a right next step and the wrong one after the same good prefix."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import polars as pl

from filters.rules import REASON, Filtered, concatenated
from filters.schema import SchemaError
from generators.attempts.table import sampling_of
from generators.card import Card
from generators.checks import Check, CheckSpec
from generators.dataset import Dataset, Parameters
from generators.process_labels.labels import LocatedSolutions, ProcessLabels
from generators.records import Problem
from generators.search.margins import UNVERIFIED
from generators.shown import SAMPLES, Counts, Facts, Histogram, SampleRows, Shown
from generators.stage import Output, Slice, Stage
from generators.step_preference_pairs.located_errors import PLACED_BY, located_errors
from generators.step_preference_pairs.recipe import VERSION, PairedProblem, StepPairsConfig, pair_steps
from generators.step_preference_pairs.records import LocatedError
from generators.step_preference_pairs.release import CONFIGS, PICTURE
from generators.step_preference_pairs.settings import Settings
from generators.step_preference_pairs.table import DROPPED, MARGIN, STEP_PREFERENCE_PAIRS, errors_of, pair_rows
from generators.step_preference_pairs.view import VIEW

Dropped = tuple[str, int, int, int | None, str, str]  # a row of the table of dropped errors
PLACE = ("problem_id", "attempt_index", "step_index")
SHOWN = ("problem_id", "step_index", "value_margin", "test_margin", "n_rollouts", "is_stable")
SAMPLE_COLUMNS = ("prompt", "initial_reason_steps", "chosen", "rejected", *MARGIN)


async def make(slice: Slice, settings: Settings) -> Output:
    """Pair the first errors of the slice's labelled solutions."""
    sampling, max_tokens = sampling_of(slice)
    config = StepPairsConfig(settings=settings, sampling=sampling, max_tokens=max_tokens)
    labels = ProcessLabels.of(slice)
    located = locate(labels, settings)
    errors = LocatedSolutions(labels.table, located.kept)
    problems = [problem for problem in slice.problems() if problem.problem_id in errors]
    without_pair: list[Dropped] = []
    async with slice.workbench(unit="problems", total=len(problems)) as bench:
        writer = slice.writer(STEP_PREFERENCE_PAIRS)

        async def pair(problem: Problem) -> PairedProblem:
            return await pair_steps(
                problem,
                errors_of(errors.of(problem.problem_id))[problem.problem_id],
                sampler=bench.sampler,
                checker=bench.checker,
                rule=slice.source.answer_rule,
                config=config,
            )

        def take(paired: PairedProblem) -> None:
            writer.add(pair_rows(paired.pairs, settings.localiser, slice.origin))
            without_pair.extend(
                (*_place(passed.error), passed.chosen_index, passed.reason, "") for passed in paired.passed_over
            )

        failures = await bench.each(pair, problems, take)
    for failure in failures:
        places = errors.located(failure.item.problem_id).select(PLACE).iter_rows()
        without_pair += [(*place, None, "refused", failure.message) for place in places]
    table = writer.table()
    rows = table.frame(SHOWN)
    dropped = dropped_rows(located, without_pair)
    return Output(
        rows=table,
        dropped=dropped,
        config={"sampling": asdict(sampling), "max_tokens": max_tokens},
        checks=[sides_verified(rows, dropped)],
        shown=shown(rows, table.spread(SAMPLES, SAMPLE_COLUMNS)),
        n_items=len(problems),
        n_failed=len(failures),
    )


def locate(labels: ProcessLabels, settings: Settings) -> Filtered:
    """The wrong solutions whose first error is known; raises SchemaError if a judge is needed and gave no label."""
    if settings.localiser == "labels":
        return _located(labels, "first_error", settings)
    if not _is_judged(labels.table.frame(["judge_first_error"])):
        raise SchemaError(
            "process_labels has no judgement in judge_first_error: have a judge label the solutions, or set "
            "step_preference_pairs.localiser to 'labels'"
        )
    return _located(labels, "judge_first_error", settings)


def _located(labels: ProcessLabels, first_error: str, settings: Settings) -> Filtered:
    """Place, pass rate and reason of what is located in each block of the labels."""
    parts = (
        located_errors(block, first_error=first_error, settings=settings, steps=labels.lengths)
        for block in labels.blocks(*PLACED_BY)
    )
    return concatenated(
        Filtered(part.kept.select(*PLACE, "pass_rate"), part.dropped.select(*PLACE, REASON)) for part in parts
    )


def _is_judged(labels: pl.DataFrame) -> bool:
    """Whether a judge named an error in any solution; true where there is no solution."""
    return labels.is_empty() or labels["judge_first_error"].is_not_null().any()


def _place(error: LocatedError) -> tuple[str, int, int]:
    return error.problem_id, error.attempt_index, error.step_index


def dropped_rows(located: Filtered, without_pair: Sequence[Dropped]) -> pl.DataFrame:
    """Every solution, error and continuation that gave no pair, with its reason."""
    columns = list(DROPPED.columns)
    unlocated = located.dropped.with_columns(chosen_index=pl.lit(None, pl.Int64), detail=pl.lit("")).select(columns)
    later = pl.DataFrame(without_pair, schema=DROPPED.empty().schema, orient="row")
    return DROPPED.validate(pl.concat([unlocated, later]))


def shown(rows: pl.DataFrame, sample: pl.DataFrame) -> dict[str, Shown]:
    """Margins by held-out rollouts and in the test, positions of the first errors, and rows to read."""
    steps = Counter(f"step {index + 1}" for index in rows["step_index"].to_list())
    return {
        "problems": rows["problem_id"].n_unique(),
        "margins": Histogram(
            values=rows["value_margin"].to_list(), title="Margin per pair", x="margin", y="pairs", bounds=(-1, 1)
        ),
        "mean_margin": Facts(
            rows.select(published=pl.mean("value_margin"), in_the_test=pl.mean("test_margin")).row(0, named=True)
        ),
        "first_wrong_steps": Counts(steps),
        "rollouts_per_pair": float(rows["n_rollouts"].sum()) / max(1, rows.height),
        "stable_boundaries": int(rows["is_stable"].sum()),
        "sample_rows": SampleRows(sample, SAMPLE_COLUMNS),
    }


def sides_verified(rows: pl.DataFrame, dropped: pl.DataFrame) -> Check:
    """Passes while at least half of the measured pairs hold; if not, the errors were probably placed wrongly."""
    unverified = dropped.filter(pl.col("reason").is_in(UNVERIFIED)).height
    return Check(
        name="sides_verified",
        passed=rows.height > 0 and rows.height >= unverified,
        why=f"{rows.height} measured pairs hold, {unverified} do not",
        remedy="Raise `cap` of [step_preference_pairs] and of [process_labels], so that errors are placed more surely.",
        blocks=False,
        figures={"verified": rows.height, "unverified": unverified},
    )


DATASET: Dataset[Parameters] = Dataset(
    stage=Stage(
        name="step_preference_pairs",
        title="A right prefix, the right next step and the wrong one, each step valued by rollouts.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts", "process_labels"),
        schema=STEP_PREFERENCE_PAIRS,
        dropped=DROPPED,
        version=VERSION,
        make=make,
        checks=(
            CheckSpec(
                "sides_verified",
                "At least half of the measured pairs hold: errors stand where they are said to.",
                blocks=False,
            ),
        ),
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    source="dataset",
    picture=PICTURE,
    lengths=("prefix_token_ids", "chosen_token_ids", "rejected_token_ids"),
    sample_columns=("prompt", "initial_reason_steps", "chosen", "rejected", "value_margin"),
    view=VIEW,
)
