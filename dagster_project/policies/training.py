"""The training of a loop's next policy on the releases of a round."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from dagster_project.partitions import round_seed
from dagster_project.policies.record import NextPolicy, RoundPolicy
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings, loop_of
from dagster_project.settings.loop import LoopSettings
from generators.models.base import base_of
from generators.models.policy import policy_name
from generators.models.policy_card import PolicyCard, TrainedOn, read_card
from generators.training.base import has_gpu
from generators.training.policy_training import VERSION, Phase, PolicyTraining, losses_of
from generators.training.rows import CONFIG, ITEMS, Items
from releases.errors import NothingToRelease
from releases.manifest import Manifest
from releases.registry.local import LocalRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A policy that a round made, and its losses by phase."""

    next: NextPolicy
    card: PolicyCard
    losses: tuple[tuple[float, ...], ...]


def versions_of(store: Store, loop: LoopSettings, round_key: str) -> dict[str, Manifest | None]:
    """The last release of a round of each dataset that trains, None where there is none; raises ReleaseError."""
    registry = LocalRegistry(store.releases)
    found: dict[str, Manifest | None] = {}
    for dataset in loop.datasets:
        versions = [version for version, of in registry.rounds(dataset).items() if of == round_key]
        found[dataset] = registry.manifest(dataset, versions[-1]) if versions else None
    return found


def made_from(settings: Settings, store: Store, current: RoundPolicy, first: RoundPolicy) -> str:
    """The digest of what the next policy of a round follows from: its releases, the settings, where training starts."""
    loop = loop_of(settings)
    contents = {name: known and known.content for name, known in versions_of(store, loop, current.round).items()}
    phases = [phase.model_dump(mode="json", exclude={"save_every"}) for phase in loop.training]
    start = first.policy if loop.start_from == "base" else current.policy
    inputs = [VERSION, contents, phases, start, loop.rank, round_seed(current.round)]
    return hashlib.blake2b(json.dumps(inputs, sort_keys=True).encode(), digest_size=8).hexdigest()


def train_next(
    settings: Settings, store: Store, current: RoundPolicy, first: RoundPolicy, say: Callable[[str], None]
) -> Trained:
    """Train the next policy on the releases of a round, unless it is there; an interrupted training resumes.

    Raises NothingToRelease without a release, TrainingError, EngineError and StorageError.
    """
    loop = loop_of(settings)
    started_from = first if loop.start_from == "base" else current
    manifests = _required(versions_of(store, loop, current.round), current.round)
    items = {dataset: _items(store, manifest) for dataset, manifest in manifests.items()}
    training = PolicyTraining(
        name=current.round,
        base=base_of(settings.policy.of_folder(store.root, started_from.folder).identity()),
        phases=tuple(Phase(settings=phase, items=items[phase.dataset]) for phase in loop.training),
        seed=round_seed(current.round),
        root=store.policies,
        rank=loop.rank,
    )
    folder = training.run("cuda" if has_gpu() else "cpu", say)
    losses = tuple(map(tuple, losses_of(folder)))
    card = read_card(folder) or PolicyCard(
        name=policy_name(str(folder)),
        parent=current.policy,
        start=started_from.policy,
        round=current.round,
        datasets=tuple(
            TrainedOn(dataset=name, version=manifest.version, content=manifest.content, rows=len(items[name]))
            for name, manifest in manifests.items()
        ),
        phases=tuple(phase.recipe() for phase in loop.training),
        losses=tuple(phase[-1] for phase in losses),
        rank=loop.rank,
        seed=training.seed,
    )
    card.write(folder)
    made = NextPolicy(policy=card.name, folder=folder.name, made_from=made_from(settings, store, current, first))
    made.write(store.root, current.round)
    return Trained(next=made, card=card, losses=losses)


def _required(versions: Mapping[str, Manifest | None], round_key: str) -> dict[str, Manifest]:
    missing = [name for name, manifest in versions.items() if manifest is None]
    if missing:
        raise NothingToRelease(
            f"round {round_key} has no release of {', '.join(missing)} to train on: release the round, or name other "
            "datasets in [[loop.training]]"
        )
    return {name: manifest for name, manifest in versions.items() if manifest is not None}


def _items(store: Store, manifest: Manifest) -> Items:
    """What the train split of a release teaches; nothing if there is no such split."""
    folder = store.releases / manifest.dataset / manifest.version
    shards = sorted(file.path for file in manifest.files if file.path.startswith(f"data/{CONFIG}/train-"))
    return ITEMS[manifest.dataset](pl.concat([store.read(folder / path) for path in shards])) if shards else ()
