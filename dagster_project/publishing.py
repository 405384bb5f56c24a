"""Publishing: always into the local registry, and to the Hub if the settings name a namespace."""

from dataclasses import dataclass, replace

import dagster as dg
from huggingface_hub.utils import disable_progress_bars
from upath import UPath

from dagster_project.settings.file import HubSettings
from generators.datasets import DATASETS
from releases.draft import Draft
from releases.registry.hub import HubRegistry
from releases.registry.local import LocalRegistry
from releases.registry.registry import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A version in the local registry and, if the settings name a namespace, on the Hub."""

    local: Release
    hub: Release | None = None
    collection: str | None = None

    def metadata(self) -> dict[str, dg.MetadataValue]:
        """Links to the version on the Hub; empty without one."""
        urls = {"hub": self.hub.url if self.hub else None, "collection": self.collection}
        return {name: dg.MetadataValue.url(url) for name, url in urls.items() if url}


def publish(draft: Draft, root: UPath, hub: HubSettings | None) -> Publication:
    """Publish `draft` below `root`, then on the Hub with the same version, rows and facts.

    Raises ReleaseError. What was published before the error stays; publishing again continues from there.
    """
    registry = LocalRegistry(root)
    local = registry.publish(draft)
    if hub is None:
        return Publication(local=local)
    disable_progress_bars()  # the log of a run shows lines
    # An earlier run may have published this version, with other facts (tokens generated) than this run's.
    manifest = registry.manifest(draft.dataset, local.version)
    same_facts = replace(draft, facts=manifest.facts)
    remote = HubRegistry(hub.namespace, private=hub.private, related=tuple(dataset.name for dataset in DATASETS))
    released = remote.publish(same_facts, version=local.version, changes=manifest.changes)
    collection = remote.collect(draft.dataset, hub.collection) if hub.collection else None
    return Publication(local=local, hub=released, collection=collection)
