"""A forecast of what the next round will cost, slice by slice, from the newest round in the data root.

Rollouts and tokens grow with the problems of a slice and with what the settings ask of each. Everything else (lengths,
the policy, caps) counts as it was. The tokens of a judge are not planned. It imports no Dagster itself; store and
settings do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.scorecard import Cost, read_cost, read_scorecard
from dagster_project.settings.file import Settings
from generators.datasets import STAGES
from generators.problems.settings import Source
from generators.sampling.ledger import totals

SAMPLED = tuple(stage for stage in STAGES if stage.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAsset:
    """The forecast for one asset of one slice, and the past slice that it is based on."""

    slice: str
    asset: str
    rollouts: float
    tokens: float
    basis: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The forecasts, the slices without one, and the tokens per second of past rounds."""

    assets: tuple[PlannedAsset, ...]
    unknown: tuple[str, ...]
    tokens_per_second: float

    @property
    def tokens(self) -> float:
        """The tokens of all assets."""
        return sum(asset.tokens for asset in self.assets)

    @property
    def rollouts(self) -> float:
        """The rollouts of all assets."""
        return sum(asset.rollouts for asset in self.assets)


def gpu_hours(tokens: float, tokens_per_second: float) -> float:
    """How many hours one GPU is busy at this pace; 0 where the pace is unknown."""
    return tokens / tokens_per_second / 3600 if tokens_per_second else 0.0


def plan(settings: Settings, store: Store) -> Plan:
    """The forecast of a new round under `settings`; raises StorageError."""
    planned, unknown, costs = [], [], []
    for slice_key, (source, _) in settings.slices().items():
        basis = basis_of(slice_key, source, store)
        if basis is None:
            unknown.append(slice_key)
            continue
        growth = growth_of(basis, source, store)
        lost = lost_factor(basis, store)
        for stage in SAMPLED:
            cost = read_cost(store, stage.name, basis)
            if cost is None:
                continue
            costs.append(cost)
            factor = growth * lost * stage.per_problem(settings.of(stage)) / cost.per_problem
            planned.append(
                PlannedAsset(
                    slice=slice_key,
                    asset=stage.name,
                    rollouts=cost.rollouts * factor,
                    tokens=cost.tokens * factor,
                    basis=basis,
                )
            )
    seconds = sum(cost.seconds for cost in costs if cost.tokens)
    pace = sum(cost.tokens for cost in costs) / seconds if seconds else 0.0
    return Plan(assets=tuple(planned), unknown=tuple(unknown), tokens_per_second=pace)


def basis_of(slice_key: str, source: Source, store: Store) -> Cell | None:
    """The newest past slice with attempts: this slice, or else another slice of its source."""
    shards = [f"{source.name}-{shard}" for shard in range(source.shards)]
    # A round whose name is no date, such as the demo's, counts as older than any other.
    rounds = sorted(store.rounds("attempts"), key=lambda key: (key[:1].isdigit(), key), reverse=True)
    for candidate in (slice_key, *shards):
        for round_key in rounds:
            cell = Cell(round=round_key, slice=candidate)
            if read_cost(store, "attempts", cell) is not None:
                return cell
    return None


def growth_of(basis: Cell, source: Source, store: Store) -> float:
    """The growth factor of a slice since the round that the plan is based on."""
    recipe = store.read_recipe("problems", basis)
    then: Mapping[str, Any] = recipe.get("config", recipe)  # an earlier stepmill wrote the config alone
    size, size_then = getattr(source.problems, "size", None), then.get("problems", {}).get("size")
    by_size = size / size_then if size and size_then else 1.0
    problems, attempts = read_scorecard(store, "problems", basis), read_cost(store, "attempts", basis)
    # Problems that joined the slice after its attempts were drawn.
    by_rows = problems.rows / attempts.problems if problems and attempts and attempts.problems else 1.0
    return float(by_size * by_rows * then.get("shards", source.shards) / source.shards)


def lost_factor(basis: Cell, store: Store) -> float:
    """The tokens in the ledger over those that finished runs drew; runs that died drew the rest."""
    read = (read_cost(store, stage.name, basis) for stage in SAMPLED)
    costs: list[Cost] = [cost for cost in read if cost is not None]
    drawn = sum(cost.tokens for cost in costs)
    policies = sorted({cost.policy for cost in costs if cost.policy})  # a skipped slice has none
    in_ledger = totals([store.ledger_folder(policy, basis) for policy in policies])["generated"]
    return max(1.0, in_ledger / drawn) if drawn else 1.0
