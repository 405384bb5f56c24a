"""The table of datasets and trainers: the config that each trainer gets, or why it gets none."""

from collections.abc import Iterator, Sequence

from generators.datasets import DATASETS
from releases.exports.choice import Choice, readable, refusal
from releases.exports.trainers import TRAINERS

NONE = "–"


def table() -> Iterator[str]:
    """The lines of the table in Markdown: in each cell the configs and the method of each, the one picked first."""
    yield f"| dataset | {' | '.join(trainer.title for trainer in TRAINERS.values())} |"
    yield f"|---|{'---|' * len(TRAINERS)}"
    for dataset in DATASETS:
        cells = (_cell(readable(dataset.configs, trainer)) for trainer in TRAINERS.values())
        yield f"| `{dataset.name}` | {' | '.join(cells)} |"


def _cell(choices: Sequence[Choice]) -> str:
    return "<br>".join(f"`{choice.config.name}` {choice.layout.method}" for choice in choices) or NONE


def refusals() -> Iterator[str]:
    """The sentences of the cells without a config."""
    for dataset in DATASETS:
        for trainer in TRAINERS.values():
            if not readable(dataset.configs, trainer):
                yield refusal(dataset, trainer)


def losses() -> Iterator[str]:
    """What configs that trainers read have no place for."""
    for dataset in DATASETS:
        by_loss: dict[str, list[str]] = {}
        for config in dataset.configs:
            if config.lost:
                by_loss.setdefault(config.lost, []).append(f"`{config.name}`")
        for lost, names in by_loss.items():
            yield f"{dataset.name} loses {lost} in {', '.join(names)}"
