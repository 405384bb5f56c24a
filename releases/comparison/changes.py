"""What changed since the version before: rows by config, columns, and settings that differ.

Plain facts for manifest and card; knows nothing of how rows are compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MEASURED = "priors"  # fitted to a round: they differ without anybody's doing
_LIST = 8  # items of a list that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """How many rows of a config are new, gone, changed under their key, and the same."""

    added: int
    removed: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A setting by its dotted name, before and after; None where it was not there."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is different from the version `since`; `columns` are sentences."""

    since: str
    rows: Mapping[str, RowChanges]
    columns: tuple[str, ...] = ()
    settings: tuple[SettingChange, ...] = ()


def setting_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[SettingChange, ...]:
    """Every setting of plain JSON data that differs, in the order of names; what was measured is no setting."""
    first, second = dict(_flat(before)), dict(_flat(after))
    return tuple(
        SettingChange(name=name, before=_told(first.get(name)), after=_told(second.get(name)))
        for name in sorted(first.keys() | second.keys())
        if first.get(name) != second.get(name)
    )


def _flat(settings: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if name == MEASURED:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value


def _told(value: Any) -> Any:
    return f"{len(value)} items" if isinstance(value, list) and len(value) > _LIST else value
