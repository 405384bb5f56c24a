"""Everything that follows from what was measured, derived anew and compared: labels, and the configs and files of them.

Knows no dataset: what follows from what, its verifier says.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from releases.recomputation import close
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part
from releases.verification.tables import sound_rows
from releases.verification.verifier import DerivesFiles, MeasuredConfig, Verifier


def check_labels(release: OpenedRelease) -> Checked:
    """The derived columns of what was measured, and the other configs, are what their recomputation gives.

    Rows that break the schema are passed over; the other configs are compared only where every row of the first one
    could be read and is sound, since they are made of all of them.
    """
    anew, findings = _recomputed(release, release.main, release.verifier)
    n = sum(frame.height for frame in anew)
    if n and release.is_whole(release.main) and n == release.rows(release.main).height:
        findings += _unlike_derived(release, pl.concat(anew))
        findings += _unlike_files(release, pl.concat(anew))
    for config, measured in release.verifier.further.items():
        further, wrong = _recomputed(release, config, measured)
        n += sum(frame.height for frame in further)
        findings += wrong
    return Checked.of(n, "rows", findings)


def _recomputed(
    release: OpenedRelease, config: str, checks: Verifier | MeasuredConfig
) -> tuple[list[pl.DataFrame], list[Finding]]:
    """The sound rows of a measured config with all that follows in them derived anew, and where they differ."""
    anew: list[pl.DataFrame] = []
    findings: list[Finding] = []
    for part in release.parts.get(config, {}).values():
        rows, places = sound_rows(part, release.verifier.schemas[config])
        expected = checks.recomputed(rows, release.manifest.facts)
        findings += _unlike(part, rows, expected, places)
        anew.append(rows.with_columns(expected.get_columns()))
    return anew, findings


def _unlike(part: Part, rows: pl.DataFrame, expected: pl.DataFrame, places: list[int]) -> Iterator[Finding]:
    for name in expected.columns:
        for place, found, anew in zip(places, rows[name].to_list(), expected[name].to_list(), strict=True):
            if not close(found, anew):
                yield part.finding(place, name, f"{_difference(found, anew)} by recomputation")


def _unlike_derived(release: OpenedRelease, rows: pl.DataFrame) -> Iterator[Finding]:
    derived = release.verifier.derived(rows, release.manifest.facts)
    for config in release.verifier.schemas:
        if config == release.main or config in release.verifier.further:
            continue
        found, expected = release.parts.get(config, {}), derived.get(config, {})
        for split, frame in expected.items():
            part = found.get(split)
            if part is not None:
                yield from _unlike_rows(part, frame, release.main)
            else:
                complaint = f"split {split} has no rows, {frame.height} follow from {release.main}"
                yield Finding(file=f"data/{config}", complaint=complaint)
        for split in found.keys() - expected.keys():
            yield found[split].finding(0, None, f"no row of {config}/{split} follows from {release.main}")


def _unlike_files(release: OpenedRelease, rows: pl.DataFrame) -> Iterator[Finding]:
    if not isinstance(release.verifier, DerivesFiles):
        return
    for name, content in release.verifier.attachments(rows, release.manifest.facts).items():
        path = release.folder / name
        if not path.is_file():
            yield Finding(file=name, complaint=f"it is missing, and follows from {release.main}")
        elif path.read_bytes() != content:
            yield Finding(file=name, complaint=f"it is not what follows from {release.main}")


def _unlike_rows(part: Part, expected: pl.DataFrame, main: str) -> Iterator[Finding]:
    """Rows that are not expected, each beside an expected one that is not there as long as there are such."""
    found_rows, expected_rows = part.rows.rows(), expected.rows()
    owed = Counter(map(repr, expected_rows))
    strange = []
    for place, row in enumerate(found_rows):
        if owed[repr(row)]:
            owed[repr(row)] -= 1
        else:
            strange.append(place)
    missing = []
    for row in reversed(expected_rows):
        if owed[repr(row)]:
            owed[repr(row)] -= 1
            missing.append(row)
    for place in strange:
        if missing:
            yield from _unlike_cells(part, place, missing.pop())
        else:
            yield part.finding(place, None, f"the row follows from no row of {main}")
    for row in reversed(missing):
        yield Finding(file=part.paths[0], complaint=f"the row {brief(row)} is missing, it follows from a row of {main}")


def _unlike_cells(part: Part, place: int, expected: tuple[Any, ...]) -> Iterator[Finding]:
    for name, found, anew in zip(part.rows.columns, part.rows.row(place), expected, strict=True):
        if found != anew:
            yield part.finding(place, name, f"{_difference(found, anew)} by recomputation")


def _difference(found: Any, expected: Any) -> str:
    """The first item in which two lists of one length differ, or both values."""
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = zip(found, expected, strict=True)
        item = next(number for number, (one, other) in enumerate(pairs) if not close(one, other))
        return f"item {item} is {brief(found[item])}, it must be {brief(expected[item])}"
    return f"it is {brief(found)}, it must be {brief(expected)}"
