"""The second opinion on the labelled solutions of one slice, and what the UI shows of it.

Knows judge, workbench and recipe; nothing of labels being made or of tables on disk.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.partitions import Cell
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.workbench import Workbench, workbench
from generators.process_labels import judge as recipe
from generators.process_labels.consensus import agreement
from generators.records import LabelledSolution
from generators.sampling.runner import run_recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was said of each solution, in their order; None where the request was refused."""

    judgements: tuple[recipe.Judgement | None, ...]
    law: recipe.JudgeConfig
    bench: Workbench

    @property
    def judge(self) -> str:
        """The judge's name, as ledger and rows have it."""
        return self.bench.sampler.policy

    def plain(self) -> dict[str, Any]:
        """Who judged, and how it was sampled."""
        return {"judge": self.judge, **asdict(self.law)}

    def metadata(self, labels: pl.DataFrame) -> dict[str, Any]:
        """What the UI shows: outcomes, how far judge and `labels` agree, and what the judgements cost."""
        cost = {name: value for name, value in self.bench.metadata().items() if name != "policy"}
        return {
            "judge": self.judge,
            "judge_outcomes": report.counts(Counter(labels["judge_outcome"].to_list())),
            "judge_agreement": report.counts(agreement(labels)),
            **{f"judge_{name}": value for name, value in cost.items()},
        }


def second_opinion(
    context: dg.AssetExecutionContext,
    judge: JudgeResource,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    solutions: Sequence[LabelledSolution],
) -> Judged | None:
    """What the judge says of every solution; None where the settings have no judge. Raises EngineError."""
    if judge.settings is None:
        return None
    law = judge.settings.law(cell.seed)
    return asyncio.run(_judge(context, judge.server(policy), store, cell, solutions=solutions, law=law))


async def _judge(
    context: dg.AssetExecutionContext,
    server: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    solutions: Sequence[LabelledSolution],
    law: recipe.JudgeConfig,
) -> Judged:
    """Every solution through a workbench of the judge's own, whose ledger is named for it."""
    async with workbench(context, server, store, cell, unit="judgements", total=len(solutions)) as bench:

        async def one(place: int) -> tuple[int, recipe.Judgement]:
            solution = solutions[place]
            return place, await recipe.judge(solution.problem, solution.steps, sampler=bench.sampler, config=law)

        places = range(len(solutions))
        made = await run_recipe(one, places, window=server.settings.in_flight, on_done=bench.progress.update)
    if made.failures:
        context.log.warning(f"{len(made.failures)} judgements were refused, the first: {made.failures[0].message}")
    said = dict(made.rows)
    return Judged(judgements=tuple(said.get(place) for place in places), law=law, bench=bench)
