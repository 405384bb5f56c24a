"""What an asset that samples has in its hands: ledger, pool, sampler, answer checker and progress, opened and closed.

Knows no recipe. One workbench is one slice of one round.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import dagster as dg

from dagster_project.partitions import Cell
from dagster_project.progress import Progress, reported
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from filters.answers.checker import AnswerChecker
from generators.engine.pool import Pool
from generators.sampling.sampler import Sampler


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The open tools of one slice."""

    sampler: Sampler
    checker: AnswerChecker
    pool: Pool
    progress: Progress
    say: Callable[[str], None]

    def metadata(self) -> dict[str, str | float | int]:
        """What this run asked of ledger and engine."""
        counts, usage = self.sampler.counts, self.pool.usage
        seconds = max(self.progress.seconds, 1e-9)
        return {
            "policy": self.sampler.policy,
            "rollouts_drawn": counts.drawn + counts.continued,
            "rollouts_from_ledger": counts.replayed,
            "tokens_generated": usage.generated,
            "tokens_per_second": round(usage.generated / seconds, 1),
            "prefix_cache_hit_rate": round(usage.cached / max(usage.prompt, 1), 3),
        }


@asynccontextmanager
async def workbench(
    context: dg.AssetExecutionContext,
    policy: PolicyResource,
    store: Store,
    cell: Cell,
    *,
    unit: str,
    total: int,
) -> AsyncIterator[Workbench]:
    """Open everything that sampling one slice takes; flush and close it whatever happens."""
    identity = policy.identity()
    name = context.asset_key.to_user_string()
    with store.ledger(identity.name, cell) as ledger, AnswerChecker() as checker:
        for part in ledger.set_aside:
            context.log.warning(f"the ledger part {part} could not be read; its rollouts will be drawn again")
        context.log.info(f"{name}: {len(ledger)} rollouts are in the ledger of {identity.name}")
        async with policy.served(context.log.info) as served:
            pool = served.pool
            sampler = Sampler(
                policy=identity.name,
                engine=pool,
                tokenizer=identity.tokenizer,
                ledger=ledger,
                context=served.context,
                spare=lambda: pool.spare,
            )
            progress = Progress(name, unit, total, lambda: pool.usage.generated, context.log.info)
            async with sampler, reported(progress):
                yield Workbench(sampler=sampler, checker=checker, pool=pool, progress=progress, say=context.log.info)
