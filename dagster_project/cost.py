"""What one table cost so far, over all runs that made it: rollouts, tokens, seconds; kept beside the table.

Knows nothing of what a table holds. A run that died is missing here; its rollouts stand in the ledger.
"""

import json
from dataclasses import asdict, dataclass

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.workbench import Workbench
from generators.sampling.storage import write_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """`problems` of the slice, the most that was asked `per_problem` (such as attempts), and what was drawn for it."""

    problems: int
    per_problem: int
    policy: str = ""
    rollouts: int = 0
    tokens: int = 0
    seconds: float = 0.0


def read_cost(store: Store, asset: str, cell: Cell) -> Cost | None:
    """What a table cost so far; None where no run has finished it."""
    path = store.cost(asset, cell)
    return Cost(**json.loads(path.read_text())) if path.exists() else None


def add_cost(store: Store, asset: str, cell: Cell, *, problems: int, per_problem: int, bench: Workbench | None) -> Cost:
    """Add what a run drew to what earlier ones did; raises StorageError."""
    before = read_cost(store, asset, cell) or Cost(problems=problems, per_problem=per_problem)
    counts = bench.sampler.counts if bench else None
    total = Cost(
        problems=problems,
        per_problem=max(per_problem, before.per_problem),
        policy=bench.sampler.policy if bench else "",
        rollouts=before.rollouts + (counts.drawn if counts else 0),
        tokens=before.tokens + (bench.pool.usage.generated if bench else 0),
        seconds=before.seconds + (bench.progress.seconds if bench else 0.0),
    )
    write_bytes(store.cost(asset, cell), json.dumps(asdict(total), sort_keys=True, indent=2).encode())
    return total
