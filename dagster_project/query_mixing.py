"""Which problems of one slice are asked for long chains of thought, by pass rate or by a judge, and why.

Knows judge, workbench and filters; nothing of how thoughts are sampled.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
import polars as pl

from dagster_project.long_cot_settings import LongCotTracesSettings
from dagster_project.partitions import Cell
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings.sources import Source
from dagster_project.workbench import Workbench, workbench
from filters.texts.passages import REPEATS_EXAMPLE
from generators.engine.protocol import Sampling
from generators.long_cot_traces import query_rating as recipe
from generators.long_cot_traces.copied_examples import without_examples
from generators.long_cot_traces.mix import Shares, mix_by_difficulty, mix_by_ratings
from generators.long_cot_traces.query_topic import TOPICS
from generators.long_cot_traces.records import QueryRating
from generators.long_cot_traces.schema import QUERY_MIX
from generators.long_cot_traces.table import ratings_table
from generators.problems.table import problems_of
from generators.records import Problem
from generators.sampling.runner import run_recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """The `QUERY_MIX` table of a slice; where a judge rated the problems, who it was and what it cost."""

    table: pl.DataFrame
    law: recipe.QueryMixConfig | None = None
    bench: Workbench | None = None

    def kept(self, problems: Sequence[Problem]) -> list[Problem]:
        """The problems that are asked, in their order."""
        asked = set(self.table.filter("is_kept")["problem_id"])
        return [problem for problem in problems if problem.problem_id in asked]

    def plain(self) -> dict[str, Any]:
        """Who rated, and how it was sampled; empty where nobody did."""
        return {"judge": self.bench.sampler.policy, **asdict(self.law)} if self.bench and self.law else {}

    def metadata(self) -> dict[str, Any]:
        """What the ratings cost."""
        if self.bench is None:
            return {}
        cost = {f"judge_{name}": value for name, value in self.bench.metadata().items() if name != "policy"}
        return {"judge": self.bench.sampler.policy, **cost}


def mix(
    context: dg.AssetExecutionContext,
    judge: JudgeResource,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    source: Source,
    asked: LongCotTracesSettings,
) -> Mixed:
    """The mix of the slice's problems; those that repeat a worked example are left out. Raises EngineError."""
    problems = store.read(store.table("problems", cell))
    new = without_examples(problems, row=["problem_id"], columns=["prompt"], match=source.near_examples(asked))
    repeating = [{"problem_id": name, "is_kept": False, "why": REPEATS_EXAMPLE} for name in new.dropped["problem_id"]]
    if source.query_mix == "pass_rate":
        rates = new.kept.select("problem_id").join(
            store.read(store.table("problem_difficulty", cell)), on="problem_id", how="left", maintain_order="left"
        )
        shares = _shares(asked.difficulty_shares, cell)
        mixed = Mixed(
            table=mix_by_difficulty(rates, least=asked.least_pass_rate, most=asked.most_pass_rate, shares=shares)
        )
    else:
        mixed = asyncio.run(_rated(context, judge, policy, store, cell, problems_of(new.kept), asked))
    table = pl.concat([mixed.table, QUERY_MIX.frame(repeating)]).sort("problem_id")
    return Mixed(table=QUERY_MIX.validate(table), law=mixed.law, bench=mixed.bench)


def _shares(of: Mapping[Any, float] | None, cell: Cell) -> Shares | None:
    return Shares(of=of, seed=cell.seed) if of else None


async def _rated(
    context: dg.AssetExecutionContext,
    judge: JudgeResource,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    problems: Sequence[Problem],
    asked: LongCotTracesSettings,
) -> Mixed:
    """Every problem rated through a workbench of the judge's own."""
    settings = judge.settings
    if settings is None:
        raise dg.Failure('query_mix = "criteria" of a source needs a section [judge] in the settings')
    law = recipe.QueryMixConfig(
        least_criteria=asked.least_criteria,
        topics=tuple(asked.topic_shares) if asked.topic_shares else TOPICS,
        sampling=Sampling(temperature=settings.temperature, seed=cell.seed),
        max_tokens=settings.max_tokens,
    )
    server = judge.server(policy)
    async with workbench(context, server, store, cell, unit="ratings", total=len(problems)) as bench:

        async def one(problem: Problem) -> QueryRating:
            return await recipe.rate(problem, sampler=bench.sampler, config=law)

        made = await run_recipe(one, problems, window=server.settings.in_flight, on_done=bench.progress.update)
    refused = [
        QueryRating(problem_id=failure.item.problem_id, criteria=None, topic=None, fault="refused")
        for failure in made.failures
    ]
    ratings = ratings_table([*made.rows, *refused])
    shares = _shares(asked.topic_shares, cell)
    return Mixed(
        table=mix_by_ratings(ratings, least_criteria=asked.least_criteria, shares=shares), law=law, bench=bench
    )
