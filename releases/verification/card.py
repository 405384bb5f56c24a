"""Checks a version's card: the YAML that the Hub and `datasets` read must list every file and state the licence."""

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import yaml
from huggingface_hub import DatasetCard

from releases.licences import hub_licence
from releases.parquet import shards_of
from releases.verification.finding import Checked, Finding
from releases.verification.streamed import StreamedRelease

CARD = "README.md"


def check_card(release: StreamedRelease) -> Checked:
    """The card exists, its configs and splits list exactly the manifest's files, and its licence is the manifest's."""
    return Checked.of(1, "card", [Finding(file=CARD, complaint=complaint) for complaint in _complaints(release)])


def _complaints(release: StreamedRelease) -> Iterator[str]:
    from datasets.utils.metadata import MetadataConfigs

    path = release.folder / CARD
    if not path.is_file():
        yield "it is missing"
        return
    try:
        data = DatasetCard(path.read_text(encoding="utf-8")).data
        configs = MetadataConfigs.from_dataset_card_data(data)
        configs.get_default_config_name()  # raises if there are several
    except (ValueError, TypeError, yaml.YAMLError) as bad:
        yield f"datasets cannot read its YAML: {bad}"
        return
    licence = hub_licence(release.manifest.facts.licence).id
    if data.get("license") != licence:
        yield f"its YAML says that the licence is {data.get('license')}; by the manifest it is {licence}"
    listed: dict[tuple[str, str], set[str]] = {}
    for shard in shards_of(release.manifest):
        listed.setdefault((shard.config, shard.split), set()).add(shard.path)
    patterns = dict(_patterns(configs))
    for config, split in sorted(patterns.keys() | listed.keys()):
        wanted = patterns.get((config, split), [])
        files = {file for names in listed.values() for file in names if _matches(file, wanted)}
        expected = listed.get((config, split), set())
        if files != expected:
            named = ", ".join(sorted(files)) or "no file"
            yield f"for {config}/{split} its YAML names {named}; listed are {', '.join(sorted(expected)) or 'none'}"


def _patterns(configs: dict[str, dict[str, Any]]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    for config, metadata in configs.items():
        for entry in metadata.get("data_files", []):
            paths = entry["path"]
            yield (config, entry["split"]), [paths] if isinstance(paths, str) else paths


def _matches(file: str, patterns: list[str]) -> bool:
    return any(fnmatch(file, pattern) for pattern in patterns)
