"""The one list of datasets, and of the stages that make their tables. A new dataset adds one line here."""

from importlib import import_module
from typing import Any

from generators.critical_token_pairs.models_stage import STAGE as CONTRASTIVE_MODELS
from generators.dataset import Dataset
from generators.stage import Stage

_ROOMS = (
    "process_labels",
    "step_preference_pairs",
    "critical_token_pairs",
    "self_correction_traces",
    "long_cot_traces",
    "problems",
    "attempts",
)

DATASETS: tuple[Dataset[Any], ...] = tuple(import_module(f"generators.{room}.dataset").DATASET for room in _ROOMS)


def in_order(stages: tuple[Stage[Any], ...]) -> tuple[Stage[Any], ...]:
    """The stages, each after those that it needs; raises ValueError if a stage needs one that cannot come first."""
    ordered: list[Stage[Any]] = []
    waiting = list(stages)
    while waiting:
        names = {stage.name for stage in ordered}
        ready = next((stage for stage in waiting if set(stage.needs) <= names), None)
        if ready is None:
            stuck = "; ".join(f"{stage.name} needs {', '.join(stage.needs)}" for stage in waiting)
            raise ValueError(f"no order of the stages satisfies: {stuck}")
        ordered.append(ready)
        waiting.remove(ready)
    return tuple(ordered)


STAGES = in_order((CONTRASTIVE_MODELS, *(dataset.stage for dataset in DATASETS)))


def dataset_of(name: str) -> Dataset[Any] | None:
    """The dataset of this name, None if there is none."""
    return next((dataset for dataset in DATASETS if dataset.name == name), None)
