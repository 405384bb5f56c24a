"""A judge's count of behaviours in the traces of one slice, and what the UI shows of it beside that of the rules.

Knows judge, workbench and recipe; nothing of traces being made or of tables on disk.
"""

import asyncio
from collections.abc import Mapping
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
from generators.engine.protocol import Sampling
from generators.long_cot_traces import behaviour_judge as recipe
from generators.long_cot_traces.behaviours import KINDS, Kind
from generators.long_cot_traces.table import with_judged_behaviours
from generators.sampling.runner import run_recipe

Counts = Mapping[Kind, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A `LONG_COT_TRACES` table with the judge's counts in it; who counted and what it cost, where one did."""

    traces: pl.DataFrame
    law: recipe.BehaviourJudgeConfig | None = None
    bench: Workbench | None = None

    def plain(self) -> dict[str, Any] | None:
        """Who counted, and how it was sampled; None where nobody did."""
        return {"judge": self.bench.sampler.policy, **asdict(self.law)} if self.bench and self.law else None

    def metadata(self) -> dict[str, Any]:
        """What the UI shows: both counts, how many traces the judge gave no number for, and what it cost."""
        if self.bench is None:
            return {}
        rows = [
            {
                "behaviour": kind,
                "by_rules": int(self.traces[f"n_{kind}"].sum()),
                "by_judge": int(self.traces[f"judge_n_{kind}"].sum()),
                "without_a_number": self.traces[f"judge_n_{kind}"].null_count(),
            }
            for kind in KINDS
        ]
        cost = {f"behaviour_judge_{name}": value for name, value in self.bench.metadata().items() if name != "policy"}
        return {
            "behaviour_judge": self.bench.sampler.policy,
            "judged_behaviours": report.records(pl.DataFrame(rows)),
            **cost,
        }


def count_by_judge(
    context: dg.AssetExecutionContext,
    judge: JudgeResource,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    traces: pl.DataFrame,
) -> Counted:
    """The traces with what the judge counts in their thoughts; a refused request leaves its row without. Raises
    EngineError.
    """
    settings = judge.settings
    if settings is None:
        raise dg.Failure("judge_behaviours of [long_cot_traces] needs a section [judge] in the settings")
    law = recipe.BehaviourJudgeConfig(
        sampling=Sampling(temperature=settings.temperature, seed=cell.seed), max_tokens=settings.max_tokens
    )
    return asyncio.run(_counted(context, judge.server(policy), store, cell, traces=traces, law=law))


async def _counted(
    context: dg.AssetExecutionContext,
    server: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    traces: pl.DataFrame,
    law: recipe.BehaviourJudgeConfig,
) -> Counted:
    """Every trace through a workbench of the judge's own, whose ledger is named for it."""
    rows = traces.select("problem_id", "prompt", "internal_thoughts").rows()
    async with workbench(context, server, store, cell, unit="counts", total=len(rows)) as bench:

        async def one(row: tuple[str, str, str]) -> tuple[str, Counts]:
            name, problem, thoughts = row
            return name, await recipe.judge_behaviours(problem, thoughts, sampler=bench.sampler, config=law)

        made = await run_recipe(one, rows, window=server.settings.in_flight, on_done=bench.progress.update)
    if made.failures:
        context.log.warning(
            f"{len(made.failures)} traces were refused by the judge, the first: {made.failures[0].message}"
        )
    told = with_judged_behaviours(traces, dict(made.rows), bench.sampler.policy)
    return Counted(traces=told, law=law, bench=bench)
