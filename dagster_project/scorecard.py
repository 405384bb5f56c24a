"""The scorecard of one table: rows, figures, what each check said. It is written last: without one a table is not done.

A release and the sensor that publishes go by it, since Dagster keeps the status of a check by asset, not by slice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from generators.sampling.storage import write_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What a check said; one that `blocks` and did not pass keeps the round from being released."""

    name: str
    passed: bool
    blocks: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The rows of a table, figures that rounds are compared by, and the checks."""

    rows: int
    figures: Mapping[str, float]
    checks: tuple[CheckOutcome, ...]

    def write(self, store: Store, asset: str, cell: Cell) -> None:
        """Keep it beside the table; raises StorageError."""
        write_bytes(store.scorecard(asset, cell), json.dumps(asdict(self), sort_keys=True, indent=2).encode())


def read_scorecard(store: Store, asset: str, cell: Cell) -> Scorecard | None:
    """The scorecard of a table; None where the table was never made, or begun again and not finished."""
    path = store.scorecard(asset, cell)
    if not path.exists():
        return None
    plain: dict[str, Any] = json.loads(path.read_text())
    return Scorecard(**plain | {"checks": tuple(CheckOutcome(**one) for one in plain["checks"])})


def outcome_of(check: dg.AssetCheckResult) -> CheckOutcome:
    """What is kept of a check's result."""
    blocks = check.severity == dg.AssetCheckSeverity.ERROR
    return CheckOutcome(name=check.check_name or "", passed=check.passed, blocks=blocks, why=check.description or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where some assets of a round stand: what was not made, which blocking checks failed, rows by asset."""

    unmade: tuple[str, ...]
    failed: tuple[str, ...]
    rows: Mapping[str, int]


def standing(store: Store, cells: Sequence[Cell], assets: Sequence[str]) -> Standing:
    """Where `assets` stand over the slices of a round."""
    unmade, failed = [], []
    rows = dict.fromkeys(assets, 0)
    for cell in cells:
        for asset in assets:
            card = read_scorecard(store, asset, cell)
            if card is None:
                unmade.append(f"{asset} of slice {cell.slice}")
                continue
            rows[asset] += card.rows
            failed += [
                f"{one.name} of {asset} in slice {cell.slice} ({one.why})"
                for one in card.checks
                if one.blocks and not one.passed
            ]
    return Standing(unmade=tuple(unmade), failed=tuple(failed), rows=rows)
