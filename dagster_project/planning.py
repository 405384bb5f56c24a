"""What the next round would cost, by what the newest one of the data root cost: a forecast, slice by slice.

Knows settings, costs and ledgers; draws nothing. Rollouts and tokens grow with the problems of a slice and with what
the settings ask of each; all else (lengths, the policy, caps) counts as it was. A judge's tokens are not planned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster_project.cost import Cost, read_cost
from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.scorecard import read_scorecard
from dagster_project.settings.file import Settings
from dagster_project.settings.sources import Source
from generators.sampling.ledger import totals

SAMPLED = (
    "attempts",
    "process_labels",
    "step_preference_pairs",
    "critical_token_pairs",
    "self_correction_traces",
    "long_cot_traces",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAsset:
    """What one asset of one slice would cost, and the slice of a past round that says so."""

    slice: str
    asset: str
    rollouts: float
    tokens: float
    basis: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The assets with a forecast, the slices without one, and the tokens a second that past rounds were drawn at."""

    assets: tuple[PlannedAsset, ...]
    unknown: tuple[str, ...]
    tokens_per_second: float

    @property
    def tokens(self) -> float:
        """The tokens of all assets."""
        return sum(one.tokens for one in self.assets)

    @property
    def rollouts(self) -> float:
        """The rollouts of all assets."""
        return sum(one.rollouts for one in self.assets)


def gpu_hours(tokens: float, tokens_per_second: float) -> float:
    """The hours that one GPU of this pace is busy; 0 where no pace is known."""
    return tokens / tokens_per_second / 3600 if tokens_per_second else 0.0


def plan(settings: Settings, store: Store) -> Plan:
    """The forecast of a new round under `settings`; raises StorageError."""
    planned, unknown, costs = [], [], []
    for slice_key, (source, _) in settings.slices().items():
        basis = basis_of(slice_key, source, store)
        if basis is None:
            unknown.append(slice_key)
            continue
        growth = problems_now(basis, source, store)
        unfinished = died(basis, store)
        for asset in SAMPLED:
            cost = read_cost(store, asset, basis)
            if cost is None:
                continue
            costs.append(cost)
            factor = growth * unfinished * asked_of(settings)[asset] / cost.per_problem
            planned.append(
                PlannedAsset(
                    slice=slice_key,
                    asset=asset,
                    rollouts=cost.rollouts * factor,
                    tokens=cost.tokens * factor,
                    basis=basis,
                )
            )
    seconds = sum(cost.seconds for cost in costs if cost.tokens)
    pace = sum(cost.tokens for cost in costs) / seconds if seconds else 0.0
    return Plan(assets=tuple(planned), unknown=tuple(unknown), tokens_per_second=pace)


def asked_of(settings: Settings) -> Mapping[str, int]:
    """How much the settings ask of each problem, by asset."""
    return dict.fromkeys(SAMPLED, 1) | {
        "attempts": settings.attempts.n,
        "process_labels": settings.process_labels.solutions_per_problem,
        "self_correction_traces": settings.self_correction_traces.samples,
        "long_cot_traces": settings.long_cot_traces.n,
    }


def basis_of(slice_key: str, source: Source, store: Store) -> Cell | None:
    """The slice of the newest round that was attempted: this one, or else another one of its source."""
    shards = [f"{source.name}-{shard}" for shard in range(source.shards)]
    # A round that is named for no day, such as the demo's, is older than any that is.
    rounds = sorted(store.rounds("attempts"), key=lambda key: (key[:1].isdigit(), key), reverse=True)
    for candidate in (slice_key, *shards):
        for round_key in rounds:
            cell = Cell(round=round_key, slice=candidate)
            if read_cost(store, "attempts", cell) is not None:
                return cell
    return None


def problems_now(basis: Cell, source: Source, store: Store) -> float:
    """How many times as many problems a slice of the source has now: by the source's size, where it has one."""
    then: Mapping[str, Any] = store.read_recipe("problems", basis)
    size, size_then = getattr(source.problems, "size", None), then.get("problems", {}).get("size")
    grown = size / size_then if size and size_then else 1.0
    made, attempted = read_scorecard(store, "problems", basis), read_cost(store, "attempts", basis)
    added = made.rows / attempted.problems if made and attempted and attempted.problems else 1.0
    return float(grown * added * then.get("shards", source.shards) / source.shards)


def died(basis: Cell, store: Store) -> float:
    """How many times as much the ledger holds as finished runs drew: the rest was drawn by runs that died."""
    costs: list[Cost] = [cost for asset in SAMPLED if (cost := read_cost(store, asset, basis)) is not None]
    told = sum(cost.tokens for cost in costs)
    policies = sorted({cost.policy for cost in costs if cost.policy})  # of what was set aside nobody drew
    kept = totals([store.ledger_folder(policy, basis) for policy in policies])["generated"]
    return max(1.0, kept / told) if told else 1.0
