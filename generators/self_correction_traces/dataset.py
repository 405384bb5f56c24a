"""Self-correction traces: responses that go wrong, notice it after a trigger, and end right."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from generators.attempts.table import StoredAttempts, sampling_of
from generators.card import Card
from generators.checks import TIMEOUTS, Check, CheckSpec, timeouts
from generators.dataset import Dataset, Parameters
from generators.preflight import Finding, Preflight
from generators.problems import prompt as solve
from generators.process_labels.labels import ProcessLabels
from generators.records import Problem
from generators.sampling.runner import Outcome
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import State, transitions
from generators.self_correction_traces.recipe import VERSION, CorrectedProblem, correct
from generators.self_correction_traces.records import FlawedSolution
from generators.self_correction_traces.release import CONFIGS, ORIGINS, count_origins, more_facts
from generators.self_correction_traces.report import responses_of, shown
from generators.self_correction_traces.settings import Settings
from generators.self_correction_traces.table import (
    DEEPENED_RESPONSES,
    DROPPED,
    SELF_CORRECTION_TRACES,
    deepened_responses_table,
    flawed_by_problem,
    self_correction_traces_table,
)
from generators.self_correction_traces.view import VIEW
from generators.stage import Output, Slice, Stage

Item = tuple[Problem, list[FlawedSolution]]
Corrected = Outcome[Item, CorrectedProblem]


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
    attempts = StoredAttempts(slice.stored("attempts"))
    located = locate(ProcessLabels.of(slice))
    flawed = flawed_by_problem(located.kept)
    attempted = [problem for problem in slice.problems() if problem.problem_id in attempts]
    items: list[Item] = [(problem, flawed.get(problem.problem_id, [])) for problem in attempted]
    async with slice.workbench(unit="problems", total=len(items)) as bench:

        async def mend(item: Item) -> CorrectedProblem:
            problem, its_flawed = item
            return await correct(
                problem,
                its_flawed,
                sampler=bench.sampler,
                checker=bench.checker,
                rule=slice.source.answer_rule,
                config=config,
            )

        corrected = await bench.run(mend, items)
    corrections = (correction for problem in corrected.rows for correction in problem.corrections)
    rows = self_correction_traces_table(corrections, slice.origin, slice.policy.tokenizer)
    responses = deepened_responses_table(
        ((problem.problem, response) for problem in corrected.rows for response in problem.responses),
        slice.origin,
        slice.source.answer_rule,
    )
    return Output(
        rows=rows,
        dropped=dropped_rows(located, corrected),
        beside={DEEPENED_RESPONSES.name: responses},
        config=config.to_json(),
        checks=[
            triggers_do_no_harm(transitions(responses_of(corrected.rows)), settings.max_broken_share),
            both_origins(rows),
            timeouts(responses["verdicts"].explode(), slice.bounds.most_timeouts),
        ],
        shown=shown(
            rows,
            corrected=corrected.rows,
            attempts=attempts,
            located=located,
            config=config,
            rule=slice.source.answer_rule,
        ),
        n_items=len(items),
        n_failed=len(corrected.failures),
    )


def locate(labels: ProcessLabels) -> Filtered:
    """Keep the labelled solutions from which a correction can be composed: wrong ones whose first error is known."""
    rules = {
        "right_at_once": pl.col("verdict") != Verdict.EQUAL.value,
        "no_wrong_answer": pl.col("verdict") == Verdict.DIFFERENT.value,
        "first_error_not_sure": pl.col("first_error").is_not_null(),
        "no_first_error": pl.col("first_error") >= 0,
    }
    return apply_rules(labels.with_labels(), rules)


def dropped_rows(located: Filtered, corrected: Corrected) -> pl.DataFrame:
    """Every solution, response and problem that gave no correction, with its reason."""
    reasons: list[tuple[Any, ...]] = [
        (passed.problem_id, passed.origin, passed.attempt_index, passed.reason, "")
        for problem in corrected.rows
        for passed in problem.not_corrected
    ]
    reasons += [(failed.item[0].problem_id, None, None, "refused", failed.message) for failed in corrected.failures]
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


def both_origins(rows: pl.DataFrame) -> Check:
    """Passes while there are rows that the policy mended itself, and rows that were composed."""
    counts = count_origins(rows)
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
