"""What of a round to make: slices, datasets, and the stages that these need."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.settings.file import Settings
from generators.dataset import Dataset
from generators.datasets import DATASETS, STAGES
from releases.names import instead

_ROUND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class WrongSelection(Exception):
    """A dataset or slice does not exist, or a name cannot be that of a round; the message says what can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Datasets to make and, if `releases`, to release; the `stages` that they need, in order; and the slices.

    Tables that are finished and fresh are made `again` only if that is asked for. With `policy`, the releases train the
    next policy of a loop, which is evaluated.
    """

    datasets: tuple[Dataset[Any], ...]
    stages: tuple[str, ...]
    slices: tuple[str, ...]
    releases: bool
    again: bool
    policy: bool = False


def select(
    settings: Settings,
    *,
    only: Sequence[str] = (),
    slices: Sequence[str] = (),
    releases: bool = True,
    again: bool = False,
    policy: bool = False,
) -> Selection:
    """Choose datasets and slices, by default all of them; raises WrongSelection for a name that does not exist."""
    datasets = _chosen("dataset", only, [dataset.name for dataset in DATASETS])
    chosen = tuple(dataset for dataset in DATASETS if dataset.name in datasets)
    return Selection(
        datasets=chosen,
        stages=needed(chosen) if only else tuple(stage.name for stage in STAGES),
        slices=_chosen("slice", slices, list(settings.slices())),
        releases=releases,
        again=again,
        policy=policy,
    )


def require_name(round_key: str) -> str:
    """The name of a round, which becomes a folder; raises WrongSelection if it cannot be one."""
    if not _ROUND.fullmatch(round_key):
        raise WrongSelection(f"a round cannot be called {round_key!r}: use letters, digits, '.', '_' and '-'")
    return round_key


def needed(datasets: Iterable[Dataset[Any]]) -> tuple[str, ...]:
    """The stages that make some datasets, each after those that it reads."""
    wanted = {stage for dataset in datasets for stage in dataset.stages}
    for stage in reversed(STAGES):
        if stage.name in wanted:
            wanted.update(stage.needs)
    return tuple(stage.name for stage in STAGES if stage.name in wanted)


def _chosen(kind: str, names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The known names that are asked for, in their own order; all of them if none is."""
    for name in names:
        if name not in known:
            raise WrongSelection(f"there is no {kind} {name}; {instead(name, known, plural=f'{kind}s')}")
    return tuple(name for name in known if not names or name in names)
