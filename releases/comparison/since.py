"""What a draft changes in the version before it, counted as `releases.comparison.versions` compares versions.

Knows a folder of the version before; both sides are held in memory row by row.
"""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from upath import UPath

from releases.comparison.changes import Changes, RowChanges, setting_changes
from releases.comparison.configs import Config, ConfigDiff, compared
from releases.comparison.versions import read_configs
from releases.draft import Draft
from releases.facts import ReleaseFacts
from releases.manifest import Manifest
from releases.verification.verifiers import VERIFIERS


def changes_since(draft: Draft, folder: UPath, manifest: Manifest) -> Changes:
    """What is different in `draft` from the version in `folder`; raises DamagedRelease where that cannot be read.

    Rows of a dataset without a verifier have no key, and are compared whole.
    """
    verifier = VERIFIERS.get(draft.dataset)
    keys = verifier.keys if verifier else {}
    before = read_configs(folder, manifest)
    after = {
        name: Config(table.schema.to_arrow(), pl.concat(table.splits.values())) for name, table in draft.tables.items()
    }
    found = [
        compared(
            name,
            keys.get(name, ()),
            before.get(name) or after[name].without_rows(),
            after.get(name) or before[name].without_rows(),
        )
        for name in dict.fromkeys([*after, *before])
    ]
    return Changes(
        since=manifest.version,
        rows={one.config: _counted(one) for one in found},
        columns=tuple(f"{one.config}: {change}" for one in found for change in one.columns),
        settings=setting_changes(_settings(manifest.facts), _settings(draft.facts)),
    )


def _counted(config: ConfigDiff) -> RowChanges:
    return RowChanges(
        added=len(config.added), removed=len(config.removed), changed=len(config.changed), same=config.n_same
    )


def _settings(facts: ReleaseFacts) -> Mapping[str, Any]:
    """Policy, round and settings, as JSON holds them."""
    plain = json.loads(json.dumps(facts.settings))
    return {"policy": facts.policy, "round": facts.round, **plain}
