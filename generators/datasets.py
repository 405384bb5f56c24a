"""The one list of datasets, and of the stages that make their tables. A new dataset adds one line here."""

from collections.abc import Collection, Sequence
from importlib import import_module
from typing import Any

import polars as pl

from filters.schema import Schema
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
    "contrast_pairs",
    "coverage",
    "short_right",
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
        unnamed = {name for stage in ordered if stage.name in ready.needs for name in stage.needs} - set(ready.needs)
        if unnamed:
            raise ValueError(f"{ready.name} must name the needs of its needs too: add {', '.join(sorted(unnamed))}")
        ordered.append(ready)
        waiting.remove(ready)
    return tuple(ordered)


STAGES = in_order((CONTRASTIVE_MODELS, *(dataset.stage for dataset in DATASETS)))


def in_turns(stages: Sequence[Stage[Any]]) -> tuple[str, ...]:
    """The order in which the stages of a slice take their turns, as far as their needs allow it.

    First comes what most others wait for. A stage that loads a model comes before its like: while it loads, nothing is
    drawn beside it.
    """
    waiting = {stage.name: sum(stage.name in other.needs for other in stages) for stage in stages}
    return tuple(
        stage.name for stage in sorted(stages, key=lambda stage: (-waiting[stage.name], not stage.loads_a_model))
    )


TURNS = in_turns(STAGES)

_BY_NAME = {stage.name: stage for stage in STAGES}
_TABLES = {schema.name: schema for stage in STAGES for schema in (stage.schema, *stage.beside)}


def schema_of(table: str) -> Schema:
    """The schema of a table of a stage."""
    return _TABLES[table]


def completed(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table with the columns that an older stepmill did not write."""
    return _TABLES[table].completed(rows)


def parents(needs: Collection[str]) -> tuple[str, ...]:
    """The needed stages that no other one of them needs: the edges of an asset in the graph."""
    implied = {name for need in needs for name in _BY_NAME[need].needs}
    return tuple(need for need in needs if need not in implied)


def skipped_between(stage: Stage[Any], selected: Collection[str]) -> tuple[str, ...]:
    """The unselected stages between a stage and a selected need of it; without them, nothing orders the two."""
    joined: set[str] = set()
    waiting = list(parents(stage.needs))
    while waiting:
        name = waiting.pop()
        if name in selected and name not in joined:
            joined.add(name)
            waiting += parents(_BY_NAME[name].needs)
    cut_off = set(stage.needs) & set(selected) - joined
    return tuple(name for name in stage.needs if name not in selected and cut_off & set(_BY_NAME[name].needs))


def dataset_of(name: str) -> Dataset[Any] | None:
    """The dataset of this name, None if there is none."""
    return next((dataset for dataset in DATASETS if dataset.name == name), None)
