"""The mix of a slice: the problems chosen for long chains of thought, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from filters.texts.contamination import Match
from filters.texts.passages import REPEATS_EXAMPLE
from generators.engine.protocol import Sampling
from generators.long_cot_traces.copied_examples import without_examples
from generators.long_cot_traces.judging import JudgeRun, judge_sampling
from generators.long_cot_traces.mix import Shares, mix_by_difficulty, mix_by_ratings
from generators.long_cot_traces.query_rating import QueryMixConfig, rate
from generators.long_cot_traces.records import QueryRating
from generators.long_cot_traces.schema import QUERY_MIX
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.table import ratings_table
from generators.problems.table import problems_of
from generators.records import Problem
from generators.stage import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMix:
    """The `QUERY_MIX` table of a slice, and the judge that rated the problems, where there was one."""

    table: pl.DataFrame
    judge: JudgeRun | None = None

    def kept(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems of the mix, in their order."""
        kept = set(self.table.filter("is_kept")["problem_id"])
        return [problem for problem in problems if problem.problem_id in kept]


async def query_mix(slice: Slice, settings: Settings, match: Match) -> QueryMix:
    """Mix the slice's problems; those that repeat a worked example are left out. Raises EngineError."""
    problems = slice.table("problems")
    new = without_examples(problems, row=["problem_id"], columns=["prompt"], match=match)
    repeating = [{"problem_id": name, "is_kept": False, "why": REPEATS_EXAMPLE} for name in new.dropped["problem_id"]]
    if slice.source.query_mix == "pass_rate":
        mix = QueryMix(table=_by_pass_rate(new.kept, slice, settings))
    else:
        mix = await _by_ratings(problems_of(new.kept), slice, settings)
    table = pl.concat([mix.table, QUERY_MIX.frame(repeating)]).sort("problem_id")
    return QueryMix(table=QUERY_MIX.validate(table), judge=mix.judge)


def _by_pass_rate(problems: pl.DataFrame, slice: Slice, settings: Settings) -> pl.DataFrame:
    rates = problems.select("problem_id").join(
        slice.table("problem_difficulty"), on="problem_id", how="left", maintain_order="left"
    )
    return mix_by_difficulty(
        rates,
        least=settings.least_pass_rate,
        most=settings.most_pass_rate,
        shares=_shares(settings.difficulty_shares, slice.seed),
    )


async def _by_ratings(problems: Sequence[Problem], slice: Slice, settings: Settings) -> QueryMix:
    """Have the judge rate every problem; one that it refuses is dropped for that reason."""
    judge = judge_sampling(slice, 'query_mix = "criteria" of a source')
    sampling = Sampling(temperature=judge.temperature, seed=slice.seed)
    config = QueryMixConfig(sampling=sampling, max_tokens=judge.max_tokens, settings=settings)
    async with slice.workbench(unit="ratings", total=len(problems), by="judge") as bench:

        async def rating_of(problem: Problem) -> QueryRating:
            return await rate(problem, sampler=bench.sampler, config=config)

        ratings = await bench.run(rating_of, problems)
    refused = [
        QueryRating(problem_id=failure.item.problem_id, criteria=None, topic=None, fault="refused")
        for failure in ratings.failures
    ]
    table = mix_by_ratings(
        ratings_table([*ratings.rows, *refused]),
        least_criteria=settings.least_criteria,
        shares=_shares(settings.topic_shares, slice.seed),
    )
    return QueryMix(table=table, judge=JudgeRun.of(bench, sampling=sampling, max_tokens=judge.max_tokens))


def _shares(of: Mapping[Any, float] | None, seed: int) -> Shares | None:
    return Shares(of=of, seed=seed) if of else None
