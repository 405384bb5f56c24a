"""The open resources of one slice: sampler, answer checker, pool and progress."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from filters.answers.checker import AnswerChecker
from generators.engine.pool import Pool
from generators.sampling.progress import Progress
from generators.sampling.runner import Failure, Outcome, each_in_order, run_recipe
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

    async def each(
        self,
        recipe: Callable[[Item], Awaitable[Row]],
        items: Sequence[Item],
        take: Callable[[Row], None],
    ) -> tuple[Failure[Item], ...]:
        """Run `recipe` over `items` as `run` does, but hand each row to `take`, in the order of the items."""
        failures: list[Failure[Item]] = []

        def sort(result: Row | Failure[Item]) -> None:
            if isinstance(result, Failure):
                failures.append(result)
            else:
                take(result)

        await each_in_order(recipe, items, take=sort, window=self.window, watch=self.progress)
        return tuple(failures)

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
