"""Checks a version's card: the YAML that the Hub and `datasets` read must list every file and state the licence."""

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import yaml
from huggingface_hub import DatasetCardData

from releases.door.bounds import CARD_BYTES, PATH_CHARACTERS
from releases.door.front_matter import CARD, read_front_matter
from releases.door.plain_files import read_plain
from releases.licences import hub_licence
from releases.parquet import shards_of
from releases.verification.finding import Checked, Finding
from releases.verification.streamed import StreamedRelease

_PATTERNS = 500


def check_card(release: StreamedRelease) -> Checked:
    """The card exists, its configs and splits list exactly the manifest's files, and its licence is the manifest's."""
    return Checked.of(1, "card", [Finding(file=CARD, complaint=complaint) for complaint in _complaints(release)])


def _complaints(release: StreamedRelease) -> Iterator[str]:
    from datasets.utils.metadata import MetadataConfigs

    content = read_plain(release.folder, CARD, most=CARD_BYTES)
    if content is None:
        yield "it is missing"
        return
    try:
        data = DatasetCardData(**read_front_matter(content, where=f"{release.folder}/{CARD}"))
        configs = MetadataConfigs.from_dataset_card_data(data)
        configs.get_default_config_name()  # raises if there are several
        patterns = dict(_patterns(configs))
    except (ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError) as bad:
        yield f"datasets cannot read its YAML: {bad}"
        return
    licence = hub_licence(release.manifest.facts.licence).id
    if data.get("license") != licence:
        yield f"its YAML says that the licence is {data.get('license')}; by the manifest it is {licence}"
    listed: dict[tuple[str, str], set[str]] = {}
    for shard in shards_of(release.manifest):
        listed.setdefault((shard.config, shard.split), set()).add(shard.path)
    for config, split in sorted(patterns.keys() | listed.keys()):
        wanted = patterns.get((config, split), [])
        files = {file for names in listed.values() for file in names if _matches(file, wanted)}
        expected = listed.get((config, split), set())
        if files != expected:
            named = ", ".join(sorted(files)) or "no file"
            yield f"for {config}/{split} its YAML names {named}; listed are {', '.join(sorted(expected)) or 'none'}"


def _patterns(configs: dict[str, dict[str, Any]]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    n_patterns = 0
    for config, metadata in configs.items():
        for entry in metadata.get("data_files", []):
            paths = entry["path"]
            patterns = [paths] if isinstance(paths, str) else paths
            n_patterns += len(patterns)
            if n_patterns > _PATTERNS or any(len(str(pattern)) > PATH_CHARACTERS for pattern in patterns):
                raise ValueError(
                    f"it has more than {_PATTERNS} patterns of files, or one of {PATH_CHARACTERS} characters"
                )
            yield (str(config), str(entry["split"])), [str(pattern) for pattern in patterns]


def _matches(file: str, patterns: list[str]) -> bool:
    return any(fnmatch(file, pattern) for pattern in patterns)
