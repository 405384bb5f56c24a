"""The stage `attempts`: n verified solutions of every problem, and the problem's difficulty."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import polars as pl

from filters.rules import reason_counts
from filters.schema import Schema
from generators.attempts.fit import FIT_COLUMNS, unfit_to_label
from generators.attempts.recipe import VERSION, AttemptsConfig, attempt
from generators.attempts.settings import Settings
from generators.attempts.table import ATTEMPTS, NO_ANSWER, rows_of
from generators.attempts.unanswered import RECOGNISED, UNANSWERED_COLUMNS, found_by, unanswered
from generators.checks import TIMEOUTS, Check, CheckBounds, CheckSpec, share_in_bounds, timeouts
from generators.columns import DETAIL, PROBLEM, REASON
from generators.engine.protocol import Sampling
from generators.preflight import Finding, Preflight
from generators.problems import prompt as solve
from generators.problems.difficulty import problem_difficulty_table
from generators.problems.table import PROBLEM_DIFFICULTY
from generators.records import Problem
from generators.sampling.ledger import sampling_json
from generators.shown import SAMPLES, Counts, Histogram, Records, SampleRows, Shown
from generators.stage import Output, Slice, Stage

DROPPED = Schema(
    name="attempts_dropped", columns={"problem_id": PROBLEM["problem_id"], "reason": REASON, "detail": DETAIL}
)

MEASURED = ("problem_id", "verdict", "extracted", "found_by", "is_right")  # nothing of these grows with the tokens
SAMPLE_COLUMNS = ("text", "verdict", "extracted", "found_by")


async def make(slice: Slice, settings: Settings) -> Output:
    """Attempt every problem of the slice."""
    sampling = Sampling(temperature=settings.temperature, top_p=settings.top_p, seed=slice.seed)
    config = AttemptsConfig(
        n=settings.n, sampling=sampling, max_tokens=settings.max_tokens, examples=slice.source.examples
    )
    problems, rule = slice.problems(), slice.source.answer_rule
    provenance = slice.origin | {"sampling": sampling_json(sampling), "max_tokens": settings.max_tokens}
    async with slice.workbench(unit="problems", total=len(problems)) as bench:
        writer = slice.writer(ATTEMPTS)

        async def solve(problem: Problem) -> list[dict[str, Any]]:
            solutions = await attempt(problem, sampler=bench.sampler, checker=bench.checker, rule=rule, config=config)
            return list(rows_of(problem, solutions, provenance, rule))

        failures = await bench.each(solve, problems, writer.add)
    table = writer.table()
    rows = table.frame(MEASURED)
    by_problem = problem_difficulty_table(rows, slice.origin)
    unfit = unfit_to_label(lambda: table.blocks(FIT_COLUMNS), slice.quality)
    lacking = unanswered(table.blocks(UNANSWERED_COLUMNS), slice.source)
    return Output(
        rows=table,
        dropped=DROPPED.frame(
            [
                {"problem_id": failure.item.problem_id, "reason": "refused", "detail": failure.message}
                for failure in failures
            ]
        ),
        beside={PROBLEM_DIFFICULTY.name: by_problem},
        config={
            "n": settings.n,
            "max_tokens": settings.max_tokens,
            "sampling": asdict(sampling),
            NO_ANSWER: slice.source.no_answer,
        },
        checks=[
            label_balance(rows, slice.bounds),
            lacking.check(slice.bounds.max_no_answer_share),
            timeouts(rows["verdict"], slice.bounds.most_timeouts),
        ],
        shown=shown(rows, by_problem, table.spread(SAMPLES, SAMPLE_COLUMNS))
        | {"no_answer_share": round(lacking.share, 3), "unfit_to_label": Counts(reason_counts(unfit))},
        figures={"pass_rate": share_right(rows)},
        n_items=len(problems),
        n_failed=len(failures),
    )


def shown(rows: pl.DataFrame, by_problem: pl.DataFrame, sample: pl.DataFrame) -> dict[str, Shown]:
    """What the UI shows: verdicts, difficulty, pass rates, and sample rows."""
    rates = by_problem["pass_rate"].drop_nulls().to_list()
    return {
        "verdicts": Counts(Counter(rows["verdict"].to_list())),
        "found_by": Records(found_by_table(rows)),
        "difficulty": Counts(Counter(by_problem["difficulty"].drop_nulls().to_list())),
        "pass_rate": round(share_right(rows), 3),
        "pass_rates": Histogram(values=rates, title="Pass rate per problem", x="share right", y="problems"),
        "sample_rows": SampleRows(sample, SAMPLE_COLUMNS),
    }


def found_by_table(rows: pl.DataFrame) -> pl.DataFrame:
    """What found the final answers, and how many of each verdict it found."""
    return pl.DataFrame([{"found_by": finder, **counts} for finder, counts in found_by(rows).items()])


def share_right(rows: pl.DataFrame) -> float:
    """The share of right attempts among the decided ones; 0 if none is decided."""
    return float(rows.select(pl.col("is_right").mean()).item() or 0.0)


def label_balance(rows: pl.DataFrame, bounds: CheckBounds) -> Check:
    """Passes while the policy is sometimes right and sometimes wrong, since later stages learn from the difference."""
    return share_in_bounds(
        "label_balance",
        int(rows["is_right"].sum()),
        int(rows["is_right"].count()),
        least=bounds.least_right,
        most=bounds.most_right,
        what="attempts that are right",
        remedy="Take easier or harder problems, or another policy; raise `max_tokens` of [attempts] if solutions are "
        "cut off; or change `least_right` and `most_right` of [checks].",
    )


def preflight(known: Preflight, settings: Settings) -> Iterator[Finding]:
    """Whether problems, their worked examples and a solution fit the policy's context."""
    chats = [solve.messages(problem.prompt, examples=known.source.examples) for problem in known.problems]
    yield from known.fits(
        [known.policy.length(chat) for chat in chats],
        known.policy,
        field=f"sources.{known.source.name}",
        what="prompts",
        limit=("attempts.max_tokens", settings.max_tokens),
        remedy="lower quality.longest_prompt",
    )


STAGE = Stage(
    name="attempts",
    title="Solutions by the policy, each with a verdict, and the pass rate of each problem.",
    group="samples",
    settings=Settings,
    needs=("problems",),
    schema=ATTEMPTS,
    dropped=DROPPED,
    beside=(PROBLEM_DIFFICULTY,),
    version=VERSION,
    make=make,
    checks=(
        CheckSpec("label_balance", "The share of right attempts is within bounds: later stages learn from both kinds."),
        RECOGNISED,
        TIMEOUTS,
    ),
    per_problem=lambda settings: settings.n,
    preflight=preflight,
    must_yield=True,
    least_yield=0.9,
)
