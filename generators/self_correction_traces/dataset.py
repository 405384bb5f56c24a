"""Self-correction traces: responses that go wrong, notice it after a trigger, and end right."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules, concatenated
from generators.attempts.table import StoredAttempts, sampling_of
from generators.card import Card
from generators.checks import TIMEOUTS, Check, CheckSpec, timeouts
from generators.dataset import Dataset, Parameters
from generators.preflight import Finding, Preflight
from generators.problems import prompt as solve
from generators.process_labels.labels import LocatedSolutions, ProcessLabels
from generators.records import Problem
from generators.sampling.runner import Failure
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import NotCorrected, State
from generators.self_correction_traces.recipe import VERSION, CorrectedProblem, correct
from generators.self_correction_traces.records import FlawedSolution
from generators.self_correction_traces.release import CONFIGS, ORIGINS, count_origins, more_facts
from generators.self_correction_traces.report import shown
from generators.self_correction_traces.settings import Settings
from generators.self_correction_traces.table import (
    DEEPENED_RESPONSES,
    DROPPED,
    SELF_CORRECTION_TRACES,
    correction_rows,
    flawed_by_problem,
    response_rows,
)
from generators.self_correction_traces.tally import Tally
from generators.self_correction_traces.view import VIEW
from generators.shown import SAMPLES
from generators.stage import Output, Slice, Stage

LOCATED = ("problem_id", "attempt_index", "verdict")  # of the labels, what says which can be mended


async def make(slice: Slice, settings: Settings) -> Output:
    """Deepen responses to every attempted problem, and compose corrections of its wrong solutions."""
    sampling, attempt_tokens = sampling_of(slice)
    config = SelfCorrectionConfig(
        settings=settings,
        sampling=sampling,
        attempt_tokens=attempt_tokens,
        seed=slice.seed,
        examples=slice.source.examples,
    )
    labels, attempts, rule = ProcessLabels.of(slice), StoredAttempts(slice.stored("attempts")), slice.source.answer_rule
    located = locate(labels.blocks(*LOCATED))
    flawed = LocatedSolutions(labels.table, located.kept.drop("verdict"))
    problems = [problem for problem in slice.problems() if problem.problem_id in attempts]
    tally = Tally(config, rule)
    async with slice.workbench(unit="problems", total=len(problems)) as bench:
        traces, responses = slice.writer(SELF_CORRECTION_TRACES), slice.writer(DEEPENED_RESPONSES)

        async def mend(problem: Problem) -> CorrectedProblem:
            return await correct(
                problem,
                flawed_at(problem, flawed),
                sampler=bench.sampler,
                checker=bench.checker,
                rule=rule,
                config=config,
            )

        def take(corrected: CorrectedProblem) -> None:
            problem = corrected.problem
            traces.add(correction_rows(corrected.corrections, slice.origin, slice.policy.tokenizer))
            responses.add(response_rows(problem, corrected.responses, slice.origin, rule))
            tally.add(corrected, attempts.of(problem.problem_id))

        failures = await bench.each(mend, problems, take)
    rows, deepened = traces.table(), responses.table()
    return Output(
        rows=rows,
        dropped=dropped_rows(located, tally.not_corrected, failures),
        beside={DEEPENED_RESPONSES.name: deepened},
        config=config.to_json(),
        checks=[
            triggers_do_no_harm(tally.transitions, settings.max_broken_share),
            both_origins(tally.origins),
            timeouts(deepened.frame(["verdicts"])["verdicts"].explode(), slice.bounds.most_timeouts),
        ],
        shown=shown(rows.spread(SAMPLES, list(SELF_CORRECTION_TRACES.columns)), tally, located),
        n_items=len(problems),
        n_failed=len(failures),
    )


def flawed_at(problem: Problem, flawed: LocatedSolutions) -> list[FlawedSolution]:
    """The wrong solutions of one problem whose first error is known; raises StorageError."""
    problem_id = problem.problem_id
    return flawed_by_problem(flawed.of(problem_id))[problem_id] if problem_id in flawed else []


def locate(labels: Iterable[pl.DataFrame]) -> Filtered:
    """Keep the labelled solutions from which a correction can be composed: wrong ones whose first error is known."""
    rules = {
        "right_at_once": pl.col("verdict") != Verdict.EQUAL.value,
        "no_wrong_answer": pl.col("verdict") == Verdict.DIFFERENT.value,
        "first_error_not_sure": pl.col("first_error").is_not_null(),
        "no_first_error": pl.col("first_error") >= 0,
    }
    return concatenated(apply_rules(block.select(*LOCATED, "first_error"), rules) for block in labels)


def dropped_rows(
    located: Filtered, not_corrected: Sequence[NotCorrected], failures: Sequence[Failure[Problem]]
) -> pl.DataFrame:
    """Every solution, response and problem that gave no correction, with its reason."""
    reasons: list[tuple[Any, ...]] = [
        (passed.problem_id, passed.origin, passed.attempt_index, passed.reason, "") for passed in not_corrected
    ]
    reasons += [(failed.item.problem_id, None, None, "refused", failed.message) for failed in failures]
    columns = list(DROPPED.columns)
    unlocated = located.dropped.with_columns(origin=pl.lit("composed"), detail=pl.lit("")).select(columns)
    later = pl.DataFrame(reasons, schema=DROPPED.empty().schema, orient="row")
    return DROPPED.validate(pl.concat([unlocated, later]))


def triggers_do_no_harm(counts: Mapping[tuple[State, State], int], max_broken_share: float) -> Check:
    """Passes while triggers break at most `max_broken_share` of the right answers they follow."""
    after_right = {after: n for (before, after), n in counts.items() if before == "right"}
    at_risk = sum(after_right.values())
    broken = after_right.get("wrong", 0) + after_right.get("no_answer", 0)
    return Check(
        name="triggers_do_no_harm",
        passed=broken <= max_broken_share * at_risk,
        why=f"triggers broke {broken} of {at_risk} right answers, a share of {max_broken_share} is allowed",
        remedy="Use other `triggers` or fewer (`max_triggers` of [self_correction_traces]).",
        blocks=False,
        figures={"right_before": at_risk, "broken": broken, "max_broken_share": max_broken_share},
    )


def both_origins(origins: Mapping[str, int]) -> Check:
    """Passes while there are rows that the policy mended itself, and rows that were composed."""
    counts = {origin: origins.get(origin, 0) for origin in ORIGINS}
    return Check(
        name="both_origins",
        passed=all(counts.values()),
        why=f"{' and '.join(f'{counts[origin]} {origin}' for origin in ORIGINS)} rows",
        remedy="Raise `samples` and the budgets of [self_correction_traces], or take more problems.",
        blocks=False,
        figures=counts,
    )


def preflight(known: Preflight, settings: Settings) -> Iterator[Finding]:
    """Whether a whole response fits the policy's context, and has room for a trigger before its end."""
    field = "attempts.max_tokens" if settings.max_tokens is None else "self_correction_traces.max_tokens"
    most = settings.max_tokens or known.settings("attempts").max_tokens
    if settings.max_tokens is not None:  # without it, responses are as long as attempts, whose stage looks at them
        chats = [solve.messages(problem.prompt, examples=known.source.examples) for problem in known.problems]
        yield from known.fits(
            [known.policy.length(chat) for chat in chats],
            known.policy,
            field=f"sources.{known.source.name}",
            what="prompts",
            limit=(field, most),
            remedy="lower quality.longest_prompt",
        )
    if settings.max_triggers and settings.first_budget >= most:
        yield Finding(
            field="self_correction_traces.first_budget",
            why=f"unfinished responses get no trigger, since the first one comes after {settings.first_budget} tokens, "
            f"and a response has {most} at most ({field})",
            remedy=f"set it below {most}",
            blocks=False,
        )


DATASET: Dataset[Parameters] = Dataset(
    stage=Stage(
        name="self_correction_traces",
        title="Wrong answers that the policy mended after a trigger, and wrong steps mended from the last good prefix.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts", "process_labels"),
        schema=SELF_CORRECTION_TRACES,
        dropped=DROPPED,
        beside=(DEEPENED_RESPONSES,),
        version=VERSION,
        make=make,
        checks=(
            TIMEOUTS,
            CheckSpec("triggers_do_no_harm", "Triggers break few of the right answers that they follow.", blocks=False),
            CheckSpec("both_origins", "There are both sampled and composed rows.", blocks=False),
        ),
        per_problem=lambda settings: settings.samples,
        preflight=preflight,
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    label_counts=count_origins,
    more_facts=more_facts,
    lengths=("text", "token_ids", "triggers"),
    sample_columns=("prompt", "origin", "text", "answers", "verdicts"),
    view=VIEW,
)
