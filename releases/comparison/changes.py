"""The changes since the previous version, for manifest and card: rows by config, columns and settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MEASURED = "priors"  # fitted to each round, so a difference is not a changed setting
_LIST = 8  # the longest list that is kept in full


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """The numbers of rows of a config that were added, removed, changed under their key, or are the same."""

    added: int
    removed: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A setting's dotted name with its value before and after; None if the setting did not exist."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The differences from the version `since`; `columns` are sentences."""

    since: str
    rows: Mapping[str, RowChanges]
    columns: tuple[str, ...] = ()
    settings: tuple[SettingChange, ...] = ()


def setting_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[SettingChange, ...]:
    """Every setting in JSON data that differs, ordered by name; measured values (`MEASURED`) do not count."""
    first, second = dict(_flat(before)), dict(_flat(after))
    return tuple(
        SettingChange(name=name, before=_shortened(first.get(name)), after=_shortened(second.get(name)))
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if name == MEASURED:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shortened(value: Any) -> Any:
    return f"{len(value)} items" if isinstance(value, list) and len(value) > _LIST else value
