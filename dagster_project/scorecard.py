"""What is kept beside a table: its scorecard (rows, figures, checks) and what it cost.

The scorecard is written last: a table without one is not done. Releases and the sensor that publishes read it. Dagster
keeps the status of each check by slice too, for the UI, but it cannot replace the scorecard: whether a round may be
released must follow from the data root alone, also when Dagster's storage is lost or another instance made the tables;
the scorecard is deleted before its table is written again, while Dagster's status of the old table stays. The module
imports no Dagster itself; the store does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dagster_project.partitions import Cell
from dagster_project.resources.store import SET_ASIDE, Store
from generators.checks import Check
from generators.sampling.storage import StorageError, write_bytes
from generators.sampling.workbench import Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """The outcome of a check. A dataset is not released if a check that `blocks` failed in a stage that it needs.

    Scorecards that an earlier stepmill wrote have no `remedy`.
    """

    name: str
    passed: bool
    blocks: bool
    why: str
    remedy: str = ""

    @classmethod
    def of(cls, check: Check) -> "CheckOutcome":
        """The stored outcome of a check."""
        return cls(name=check.name, passed=check.passed, blocks=check.blocks, why=check.why, remedy=check.remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The rows of a table, figures that rounds are compared by, the checks, and the digest of what it was made from."""

    rows: int
    figures: Mapping[str, float]
    checks: tuple[CheckOutcome, ...]
    made_from: str = ""

    def write(self, store: Store, stage: str, cell: Cell) -> None:
        """Keep it beside the table; raises StorageError."""
        write_bytes(store.scorecard(stage, cell), json.dumps(asdict(self), sort_keys=True, indent=2).encode())


def read_scorecard(store: Store, stage: str, cell: Cell) -> Scorecard | None:
    """The scorecard of a table; None if the table does not exist or its rewrite is unfinished."""
    path = store.scorecard(stage, cell)
    if not path.exists():
        return None
    data: dict[str, Any] = json.loads(path.read_text())
    return Scorecard(**data | {"checks": tuple(CheckOutcome(**check) for check in data["checks"])})


def finished_recipe(store: Store, stage: str, cell: Cell) -> dict[str, Any]:
    """The recipe of a table that was made to the end; raises StorageError, with the remedy, where there is none."""
    recipe = store.read_recipe(stage, cell)
    remedy = f"materialise {stage} of slice {cell.slice} again"
    if read_scorecard(store, stage, cell) is None:
        raise StorageError(f"{stage} of slice {cell.slice} in round {cell.round} is not finished: {remedy}")
    if SET_ASIDE in recipe:
        raise StorageError(f"{stage} of slice {cell.slice} in round {cell.round} was set aside: {remedy}")
    if "config" not in recipe:
        raise StorageError(f"{stage} of slice {cell.slice} was made by an earlier stepmill: {remedy}")
    return recipe


@dataclass(frozen=True, slots=True)
class MissingTable:
    """A table of a slice that was not made to the end."""

    stage: str
    slice: str

    def __str__(self) -> str:
        """Name the table and its slice."""
        return f"{self.stage} of slice {self.slice}"


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that failed in a slice of a stage."""

    stage: str
    slice: str
    check: CheckOutcome

    def __str__(self) -> str:
        """Name the check, its stage and slice, and say why it failed."""
        return f"{self.check.name} of {self.stage} in slice {self.slice} ({self.check.why})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The progress of some stages of a round: missing tables, failed checks that block or warn, and rows by stage."""

    unmade: tuple[MissingTable, ...]
    failed: tuple[FailedCheck, ...]
    warned: tuple[FailedCheck, ...]
    rows: Mapping[str, int]

    @property
    def is_ready(self) -> bool:
        """Whether every table is made and no check blocks."""
        return not self.unmade and not self.failed

    def of(self, stages: Sequence[str]) -> "Standing":
        """The progress of some of the stages."""
        return Standing(
            unmade=tuple(table for table in self.unmade if table.stage in stages),
            failed=tuple(failure for failure in self.failed if failure.stage in stages),
            warned=tuple(warning for warning in self.warned if warning.stage in stages),
            rows={stage: rows for stage, rows in self.rows.items() if stage in stages},
        )


def standing(store: Store, cells: Sequence[Cell], stages: Sequence[str]) -> Standing:
    """The progress of `stages` over the slices of a round."""
    unmade: list[MissingTable] = []
    checks: list[FailedCheck] = []
    rows = dict.fromkeys(stages, 0)
    for cell in cells:
        for stage in stages:
            card = read_scorecard(store, stage, cell)
            if card is None:
                unmade.append(MissingTable(stage, cell.slice))
                continue
            rows[stage] += card.rows
            checks += [FailedCheck(stage, cell.slice, check) for check in card.checks if not check.passed]
    return Standing(
        unmade=tuple(unmade),
        failed=tuple(failure for failure in checks if failure.check.blocks),
        warned=tuple(failure for failure in checks if not failure.check.blocks),
        rows=rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The rollouts and tokens that all finished runs drew for a table of `problems` problems.

    `per_problem` is the most that was drawn for each, such as attempts. Runs that died are missing here; their rollouts
    are in the ledger.
    """

    problems: int
    per_problem: int
    policy: str = ""
    rollouts: int = 0
    tokens: int = 0
    seconds: float = 0.0


def read_cost(store: Store, stage: str, cell: Cell) -> Cost | None:
    """What a table cost so far; None if no run has finished it."""
    path = store.cost(stage, cell)
    return Cost(**json.loads(path.read_text())) if path.exists() else None


def add_cost(
    store: Store, stage: str, cell: Cell, *, problems: int, per_problem: int, benches: Sequence[Workbench]
) -> Cost:
    """Add the cost of a run to that of earlier ones; raises StorageError."""
    before = read_cost(store, stage, cell) or Cost(problems=problems, per_problem=per_problem)
    total = Cost(
        problems=problems,
        per_problem=max(per_problem, before.per_problem),
        policy=benches[-1].sampler.policy if benches else "",
        rollouts=before.rollouts + sum(bench.sampler.counts.drawn for bench in benches),
        tokens=before.tokens + sum(bench.pool.usage.generated for bench in benches),
        seconds=before.seconds + sum(bench.progress.seconds for bench in benches),
    )
    write_bytes(store.cost(stage, cell), json.dumps(asdict(total), sort_keys=True, indent=2).encode())
    return total
