"""Which tables of a slice are finished and still what the settings would make; `stepmill run` does not make them again.

A scorecard keeps the digest of what its table was made from: the stage's version, the policy, the source, the sections
that every stage reads, and the recipes that it was made by, up to the problems. The stage's own settings stand in its
recipe. Of the problems themselves only a file's size and time are looked at. It imports no Dagster itself.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dagster_project.partitions import Cell
from dagster_project.resources.store import SET_ASIDE, Store
from dagster_project.scorecard import read_scorecard
from dagster_project.settings.file import Settings
from generators.stage import Stage


def fresh(stages: Sequence[Stage[Any]], settings: Settings, store: Store, cell: Cell, *, policy: str) -> list[str]:
    """The stages whose tables need not be made again, where `stages` come in the order in which they are made."""
    found: list[str] = []
    for stage in stages:
        card = read_scorecard(store, stage.name, cell)
        if card is None or any(check.blocks and not check.passed for check in card.checks):
            continue
        recipe = store.read_recipe(stage.name, cell)
        own = settings.section(stage.name).recipe()
        has_same_settings = SET_ASIDE in recipe or recipe.get("settings") == own
        if not has_same_settings or not set(stage.needs) <= set(found):
            continue
        if card.made_from == made_from(stage, settings, store, cell, policy=policy):
            found.append(stage.name)
    return found


def made_from(stage: Stage[Any], settings: Settings, store: Store, cell: Cell, *, policy: str) -> str:
    """The digest of everything but its own settings that a table follows from; `policy` is the policy's name."""
    source = settings.slices()[cell.slice][0]
    inputs = {
        "version": stage.version,
        "policy": [policy, settings.policy.max_model_len] if stage.needs_gpu else None,
        "sections": [
            None if section is None else section.model_dump(mode="json")
            for section in (settings.judge, settings.reward, settings.quality, settings.checks, source)
        ],
        "evaluation_sets": [one.model_dump(mode="json") for one in settings.evaluation_sets],
        "files": [file_of(one.problems) for one in (source, *settings.evaluation_sets)],
        "needs": {need: _upstream(need, store, cell) for need in stage.needs},
    }
    return hashlib.blake2b(json.dumps(inputs, sort_keys=True).encode(), digest_size=8).hexdigest()


def _upstream(stage: str, store: Store, cell: Cell) -> list[Any]:
    """What another table was made from, its settings included."""
    card = read_scorecard(store, stage, cell)
    return [store.read_recipe(stage, cell).get("settings"), card and card.made_from]


def file_of(problems: object) -> list[int] | None:
    """Size and time of a local file of problems, None for problems that come from elsewhere."""
    path = Path(str(getattr(problems, "path", "")))
    if not path.is_file():
        return None
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
