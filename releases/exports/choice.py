"""Picks the config of a dataset that a trainer reads best, or says why there is none.

A trainer that reads token ids gets those, since only their labels mask exactly what is not to be learnt. Else the first
config counts that the trainer reads.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from generators.dataset import Config, Dataset
from releases.errors import CannotExport, UnknownConfig
from releases.exports.shapes import Shape, shape_of
from releases.exports.trainer import Layout, Trainer
from releases.exports.trainers import TRAINERS
from releases.names import instead


class Choice(NamedTuple):
    """A config, its shape, and how the trainer reads it."""

    config: Config[Any]
    shape: Shape
    layout: Layout


def choose(dataset: Dataset[Any], trainer: Trainer, *, available: Collection[str], wanted: str | None = None) -> Choice:
    """The config to export out of the `available` ones: the `wanted` one, or the one that the trainer reads best.

    Raises UnknownConfig, or CannotExport with the reason.
    """
    if wanted is None:
        read = readable(dataset.configs, trainer)
        present = [choice for choice in read if choice.config.name in available]
        if read and not present:
            names = ", ".join(choice.config.name for choice in read)
            raise CannotExport(f"{trainer.title} reads {names} of {dataset.name}, and this version has no such rows")
        if not present:
            raise CannotExport(refusal(dataset, trainer))
        return present[0]
    config = dataset.config(wanted)
    if config is None or wanted not in available:
        raise UnknownConfig(
            f"{dataset.name} has no config {wanted} here; {instead(wanted, available, plural='configs')}"
        )
    found = _choice(config, trainer)
    if isinstance(found, str):
        raise CannotExport(f"{trainer.title} cannot train on {wanted} of {dataset.name}: {found}{_remedy([config])}")
    return found


def refusal(dataset: Dataset[Any], trainer: Trainer) -> str:
    """Why a trainer reads no config of a dataset, and which trainers do."""
    reasons = (_choice(config, trainer) for config in dataset.configs if shape_of(config) is not None)
    reason = next((reason for reason in reasons if isinstance(reason, str)), "no trainer reads its configs")
    return f"{trainer.title} cannot train on {dataset.name}: {reason}{_remedy(dataset.configs)}"


def readable(configs: Iterable[Config[Any]], trainer: Trainer) -> list[Choice]:
    """What a trainer reads of some configs, best first."""
    choices = (_choice(config, trainer) for config in configs)
    read = [choice for choice in choices if isinstance(choice, Choice)]
    return sorted(read, key=lambda choice: choice.shape != Shape.TOKENS)


def _choice(config: Config[Any], trainer: Trainer) -> Choice | str:
    """How the trainer reads a config, or why it cannot."""
    shape = shape_of(config)
    if shape is None:
        return "it is for reading, and has more columns than a trainer takes"
    if config.mislearnt:
        return f"it would learn {config.mislearnt}"
    if shape in trainer.refusals:
        return trainer.refusals[shape]
    return Choice(config, shape, trainer.layouts[shape])


def _remedy(configs: Collection[Config[Any]]) -> str:
    names = [name for name, trainer in TRAINERS.items() if readable(configs, trainer)]
    if not names:
        return ""
    *others, last = names
    return f"; export it to {', '.join(others)} or {last}" if others else f"; export it to {last}"
