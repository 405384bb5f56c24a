"""The open resources of one slice: sampler, answer checker, pool and progress."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from filters.answers.checker import AnswerChecker
from generators.engine.pool import Pool
from generators.sampling.progress import Progress
from generators.sampling.runner import Outcome, run_recipe
from generators.sampling.sampler import Sampler

Item = TypeVar("Item")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What recipes use to sample and verify; `window` items are open at a time."""

    sampler: Sampler
    checker: AnswerChecker
    pool: Pool
    progress: Progress
    window: int
    say: Callable[[str], None]

    async def run(self, recipe: Callable[[Item], Awaitable[Row]], items: Sequence[Item]) -> Outcome[Item, Row]:
        """Run `recipe` over `items` and report progress; a refused request fails only its item."""
        return await run_recipe(recipe, items, window=self.window, watch=self.progress)

    def usage(self) -> dict[str, str | float | int]:
        """What this run drew from ledger and engine."""
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
