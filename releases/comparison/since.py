"""Counts what a draft changes against the previous version, by the rules of `releases.comparison.versions`."""

import json
from collections.abc import Mapping
from typing import Any

from upath import UPath

from releases.comparison.changes import Changes, RowChanges, setting_changes
from releases.comparison.configs import Config, ConfigDiff, compared
from releases.comparison.versions import read_configs
from releases.draft import Draft
from releases.facts import ReleaseFacts
from releases.manifest import Manifest
from releases.parquet import arrow_schema


def changes_since(draft: Draft, folder: UPath, manifest: Manifest) -> Changes:
    """Compare `draft` with the version in `folder`; raises DamagedRelease if that version cannot be read."""
    keys = {name: table.schema.key for name, table in draft.tables.items()}
    before = read_configs(folder, manifest)
    after = {name: Config(arrow_schema(table.schema), table.stored_rows()) for name, table in draft.tables.items()}
    differences = [
        compared(
            name,
            keys.get(name, ()),
            before.get(name) or after[name].without_rows(),
            after.get(name) or before[name].without_rows(),
            shown=0,
        )
        for name in dict.fromkeys([*after, *before])
    ]
    return Changes(
        since=manifest.version,
        rows={difference.config: _row_changes(difference) for difference in differences},
        columns=(
            *(f"config {name} was added" for name in after if name not in before),
            *(f"config {name} was removed" for name in before if name not in after),
            *(f"{difference.config}: {change}" for difference in differences for change in difference.columns),
        ),
        settings=setting_changes(_settings(manifest.facts), _settings(draft.facts)),
    )


def _row_changes(difference: ConfigDiff) -> RowChanges:
    return RowChanges(
        added=difference.n_added,
        removed=difference.n_removed,
        changed=difference.n_changed,
        same=difference.n_same,
    )


def _settings(facts: ReleaseFacts) -> Mapping[str, Any]:
    """Policy, round and settings as JSON data."""
    settings = json.loads(json.dumps(facts.settings))
    return {"policy": facts.policy, "round": facts.round, **settings}
