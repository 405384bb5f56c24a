"""What a manifest claims, held to bounds before it is believed: names, paths, digests, counts and lines of text.

Fields that are missing or of another type are left to the reading of the manifest itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from releases.door.bounds import COUNT, FILE_BYTES, FILES, RELEASE_BYTES
from releases.door.names import (
    require_apart,
    require_digest,
    require_language,
    require_line,
    require_name,
    require_path,
)
from releases.door.refusal import refused

_LINES = ("round", "policy", "licence", "policy_licence")


def require_claims(data: Any, *, where: object, itself: str) -> None:
    """Raise RefusedRelease if the JSON data of a manifest, the file `itself`, has what no manifest may have."""
    manifest = _mapping(data)
    for name in ("dataset", "version"):
        _text(manifest, name, name, require_name, where)
    _require_counts(manifest, where)
    for package, version in _mapping(manifest.get("packages")).items():
        require_line(where, "the name of a package", package)
        _text({"version": version}, "version", f"packages.{package}", require_line, where)
    _require_files(manifest.get("files"), where, itself)
    _require_facts(_mapping(manifest.get("facts")), where)
    changes = _mapping(manifest.get("changes"))
    _text(changes, "since", "changes.since", require_name, where)
    for config in _mapping(changes.get("rows")):
        require_name(where, "a config in changes.rows", config)


def require_count(where: object, field: str, value: object, most: int = COUNT) -> None:
    """Raise RefusedRelease if an integer is negative or larger than a count may be."""
    if isinstance(value, int) and not 0 <= value <= most:
        raise refused(where, field, f"it is from 0 to {most}", value)


def _require_counts(manifest: Mapping[str, Any], where: object) -> None:
    for config, splits in _mapping(manifest.get("rows")).items():
        require_name(where, "a config in rows", config)
        for split, count in _mapping(splits).items():
            require_name(where, f"a split in rows.{config}", split)
            require_count(where, f"rows.{config}.{split}", count)
    for split, labels in _mapping(manifest.get("label_counts")).items():
        require_name(where, "a split in label_counts", split)
        for label, count in _mapping(labels).items():
            require_line(where, f"a label in label_counts.{split}", label)
            require_count(where, f"label_counts.{split}.{label}", count)


def _require_files(files: Any, where: object, itself: str) -> None:
    listed = files if isinstance(files, list) else []
    if len(listed) > FILES:
        raise refused(where, "the number of files", f"a version has at most {FILES}", len(listed))
    paths, total = [itself], 0
    for number, file in enumerate(map(_mapping, listed)):
        _text(file, "path", f"files[{number}].path", require_path, where)
        _text(file, "sha256", f"files[{number}].sha256", require_digest, where)
        require_count(where, f"files[{number}].size", file.get("size"), FILE_BYTES)
        paths.append(str(file.get("path")))
        total += file["size"] if isinstance(file.get("size"), int) else 0
    if total > RELEASE_BYTES:
        raise refused(where, "the size of all files in bytes", f"it is at most {RELEASE_BYTES}", total)
    require_apart(where, "the path of a file", paths)


def _require_facts(facts: Mapping[str, Any], where: object) -> None:
    for name in _LINES:
        _text(facts, name, f"facts.{name}", require_line, where)
    for number, source in enumerate(_each(facts.get("sources"))):
        for name in ("name", "licence", "hub_dataset"):
            _text(source, name, f"facts.sources[{number}].{name}", require_line, where)
        _text(source, "language", f"facts.sources[{number}].language", require_language, where)
        require_count(where, f"facts.sources[{number}].problems", source.get("problems"))
    for number, stage in enumerate(_each(facts.get("stages"))):
        _text(stage, "name", f"facts.stages[{number}].name", require_line, where)
        for reason, count in {**_mapping(stage.get("dropped")), "kept": stage.get("kept")}.items():
            require_line(where, f"a reason in facts.stages[{number}]", reason)
            require_count(where, f"facts.stages[{number}].{reason}", count)


def _text(data: Mapping[str, Any], name: str, field: str, require: Any, where: object) -> None:
    if isinstance(data.get(name), str):
        require(where, field, data[name])


def _each(items: Any) -> Iterator[Mapping[str, Any]]:
    yield from map(_mapping, items if isinstance(items, list) else [])


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}
