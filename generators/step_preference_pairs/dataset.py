"""Step preference pairs (Step-DPO): a right next step and the wrong one after the same good prefix."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from filters.rules import Filtered
from filters.schema import SchemaError
from generators.attempts.table import sampling_of
from generators.card import Card
from generators.checks import Check, CheckSpec
from generators.dataset import Dataset, Parameters
from generators.process_labels.labels import ProcessLabels
from generators.records import Problem
from generators.sampling.runner import Outcome
from generators.search.margins import UNVERIFIED
from generators.shown import Counts, Facts, Histogram, SampleRows, Shown
from generators.stage import Output, Slice, Stage
from generators.step_preference_pairs.located_errors import located_errors
from generators.step_preference_pairs.recipe import VERSION, PairedProblem, StepPairsConfig, pair_steps
from generators.step_preference_pairs.records import LocatedError
from generators.step_preference_pairs.release import CONFIGS, PICTURE
from generators.step_preference_pairs.settings import Settings
from generators.step_preference_pairs.table import DROPPED, MARGIN, STEP_PREFERENCE_PAIRS, errors_of, step_pairs_table
from generators.step_preference_pairs.view import VIEW

Item = tuple[Problem, Sequence[LocatedError]]
Pairs = Outcome[Item, PairedProblem]


async def make(slice: Slice, settings: Settings) -> Output:
    """Pair the first errors of the slice's labelled solutions."""
    sampling, max_tokens = sampling_of(slice)
    config = StepPairsConfig(settings=settings, sampling=sampling, max_tokens=max_tokens)
    located = locate(ProcessLabels.of(slice), settings)
    errors = errors_of(located.kept)
    with_errors = [problem for problem in slice.problems() if problem.problem_id in errors]
    items: list[Item] = [(problem, errors[problem.problem_id]) for problem in with_errors]
    async with slice.workbench(unit="problems", total=len(items)) as bench:

        async def pair(item: Item) -> PairedProblem:
            problem, its_errors = item
            return await pair_steps(
                problem,
                its_errors,
                sampler=bench.sampler,
                checker=bench.checker,
                rule=slice.source.answer_rule,
                config=config,
            )

        pairs = await bench.run(pair, items)
    step_pairs = [pair for problem in pairs.rows for pair in problem.pairs]
    rows = step_pairs_table(step_pairs, settings.localiser, slice.origin)
    dropped = dropped_rows(located, pairs)
    return Output(
        rows=rows,
        dropped=dropped,
        config={"sampling": asdict(sampling), "max_tokens": max_tokens},
        checks=[sides_verified(rows, dropped)],
        shown=shown(rows),
        n_items=len(items),
        n_failed=len(pairs.failures),
    )


def locate(labels: ProcessLabels, settings: Settings) -> Filtered:
    """The wrong solutions whose first error is known; raises SchemaError if a judge is needed and gave no label."""
    if settings.localiser == "labels":
        return located_errors(labels.with_labels(), first_error="first_error", settings=settings, steps=labels.lengths)
    if not _is_judged(labels.rows):
        raise SchemaError(
            "process_labels has no judgement in judge_first_error: have a judge label the solutions, or set "
            "step_preference_pairs.localiser to 'labels'"
        )
    return located_errors(labels.rows, first_error="judge_first_error", settings=settings, steps=labels.lengths)


def _is_judged(labels: pl.DataFrame) -> bool:
    """Whether a judge named an error in any solution; true where there is no solution."""
    return labels.is_empty() or labels["judge_first_error"].is_not_null().any()


def dropped_rows(located: Filtered, pairs: Pairs) -> pl.DataFrame:
    """Every solution, error and continuation that gave no pair, with its reason."""
    reasons: list[tuple[Any, ...]] = [
        (passed.error, passed.chosen_index, passed.reason, "")
        for problem in pairs.rows
        for passed in problem.passed_over
    ]
    reasons += [(error, None, "refused", failed.message) for failed in pairs.failures for error in failed.item[1]]
    rows = [(error.problem_id, error.attempt_index, error.step_index, *why) for error, *why in reasons]
    columns = list(DROPPED.columns)
    unlocated = located.dropped.with_columns(chosen_index=pl.lit(None, pl.Int64), detail=pl.lit("")).select(columns)
    later = pl.DataFrame(rows, schema=DROPPED.empty().schema, orient="row")
    return DROPPED.validate(pl.concat([unlocated, later]))


def shown(rows: pl.DataFrame) -> dict[str, Shown]:
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
        "sample_rows": SampleRows(
            rows,
            ("prompt", "initial_reason_steps", "chosen", "rejected", *MARGIN),
        ),
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
