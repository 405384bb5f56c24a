"""What the UI says of an asset before it is made: its docs page, its page on the Hub, the settings file."""

import re
from typing import Any

import dagster as dg

from dagster_project.reference import dataset_page
from dagster_project.settings.file import Settings
from generators.dataset import Dataset
from releases.registry.hub import HubRegistry

_LINK_TO_A_FILE = re.compile(r"\[([^]]*)\]\((?!https?:)[^)]*\)")


def about(dataset: Dataset[Any] | None, settings: Settings) -> dict[str, dg.MetadataValue]:
    """The definition metadata of an asset: links, and the settings file that was loaded."""
    entries: dict[str, dg.MetadataValue] = {"settings_file": dg.MetadataValue.text(settings.read_from)}
    if dataset is not None:
        page = _LINK_TO_A_FILE.sub(r"\1", "\n".join(dataset_page(dataset)))
        entries["docs"] = dg.MetadataValue.md(page)
    if dataset is not None and (url := hub_page(dataset, settings)):
        entries["hub"] = dg.MetadataValue.url(url)
    return entries


def described(dataset: Dataset[Any], settings: Settings) -> str:
    """What a release is and trains, with a link to its page on the Hub if the settings publish there."""
    url = hub_page(dataset, settings)
    sentences = f"A row is {dataset.card.row}. It trains {dataset.card.trains}. Each release is one immutable version."
    return f"{sentences} [On the Hub]({url})." if url else sentences


def hub_page(dataset: Dataset[Any], settings: Settings) -> str | None:
    """The dataset's page on the Hub; None if the settings do not publish there."""
    return f"{HubRegistry(settings.hub.namespace).where}/{dataset.name}" if settings.hub else None
