"""Where releases go: always into the local registry, then to the Hub where the settings name a namespace.

Knows which datasets there are; nothing of what they hold.
"""

from dataclasses import dataclass, replace

import dagster as dg
from huggingface_hub.utils import disable_progress_bars
from upath import UPath

from dagster_project.settings.file import HubSettings
from releases.draft import Draft
from releases.registry.hub import HubRegistry
from releases.registry.local import LocalRegistry
from releases.registry.registry import Release

DATASETS = (
    "process_labels",
    "step_preference_pairs",
    "critical_token_pairs",
    "self_correction_traces",
    "long_cot_traces",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A version in the local registry and, where there is a namespace for it, the same version on the Hub."""

    local: Release
    hub: Release | None = None
    collection: str | None = None

    def metadata(self) -> dict[str, dg.MetadataValue]:
        """Where a person looks at it on the Hub; empty when it is not there."""
        urls = {"hub": self.hub.url if self.hub else None, "collection": self.collection}
        return {name: dg.MetadataValue.url(url) for name, url in urls.items() if url}


def publish(draft: Draft, root: UPath, hub: HubSettings | None) -> Publication:
    """Publish `draft` below `root`, then on the Hub with the same version, rows and facts.

    Raises ReleaseError. What is published by then stays so, and doing it again goes on from there.
    """
    registry = LocalRegistry(root)
    local = registry.publish(draft)
    if hub is None:
        return Publication(local=local)
    disable_progress_bars()  # a run's log shows lines
    # The version may be an earlier run's, which other facts (tokens generated) stand in than this run's.
    manifest = registry.manifest(draft.dataset, local.version)
    same = replace(draft, facts=manifest.facts)
    there = HubRegistry(hub.namespace, private=hub.private, related=DATASETS)
    released = there.publish(same, version=local.version, changes=manifest.changes)
    collection = there.collect(draft.dataset, hub.collection) if hub.collection else None
    return Publication(local=local, hub=released, collection=collection)
