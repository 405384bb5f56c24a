"""Recomputes everything that is derived from measurements, and compares it: columns, configs and files."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from filters.schema import SchemaError
from generators.dataset import Config, IncompleteParameters, Parameters
from releases.drafting import derived, ordered, parameters_in, shares_in, split_of
from releases.errors import IncompleteManifest
from releases.recomputation import close, corrected
from releases.splits import split_by_problem
from releases.verification.finding import Checked, Finding, brief
from releases.verification.opened import OpenedRelease, Part
from releases.verification.tables import sound_rows


def check_labels(release: OpenedRelease) -> Checked:
    """The derived columns of measured configs, and the derived configs, equal their recomputation.

    Rows that break the schema are skipped. Derived configs depend on all rows of a measured one, so they are compared
    only if every one of its rows could be read and is valid.
    """
    parameters = parameters_in(release.dataset, release.manifest.facts)
    findings: list[Finding] = []
    n = 0
    for config in release.dataset.measured:
        recomputed, wrong = _recomputed(release, config, parameters)
        checked = sum(frame.height for frame in recomputed)
        n += checked
        findings += wrong
        if release.is_whole(config.name) and checked == release.rows(config.name).height:
            rows = pl.concat(recomputed) if recomputed else config.schema.empty()
            findings += _compare_derived(release, config, rows, parameters)
    return Checked.of(n, "rows", findings)


def _recomputed(
    release: OpenedRelease, config: Config[Any], parameters: Parameters
) -> tuple[list[pl.DataFrame], list[Finding]]:
    """The valid rows of a measured config with recomputed derived columns, and where they differ."""
    frames: list[pl.DataFrame] = []
    findings: list[Finding] = []
    for part in release.parts.get(config.name, {}).values():
        rows, row_numbers = sound_rows(part, config.schema)
        try:
            expected = config.recompute(rows, parameters)
        except IncompleteParameters as missing:
            raise IncompleteManifest(str(missing)) from missing
        findings += _compare_columns(part, rows, expected, row_numbers)
        frames.append(corrected(rows, expected))
    return frames, findings


def _compare_columns(
    part: Part, rows: pl.DataFrame, expected: pl.DataFrame, row_numbers: list[int]
) -> Iterator[Finding]:
    for name in expected.columns:
        values = zip(row_numbers, rows[name].to_list(), expected[name].to_list(), strict=True)
        for row_number, stored, recomputed in values:
            if not close(stored, recomputed):
                yield part.finding(row_number, name, f"{_difference(stored, recomputed)} by recomputation")


def _compare_derived(
    release: OpenedRelease, base: Config[Any], rows: pl.DataFrame, parameters: Parameters
) -> Iterator[Finding]:
    """Where the configs and files that follow from the rows of `base` differ; duplicate rows count once."""
    dataset, shares = release.dataset, shares_in(release.manifest.facts)
    key = base.schema.key
    unique_rows = ordered(rows.unique(key, keep="first", maintain_order=True), key)
    parts = derived(dataset, base, unique_rows, parameters)
    for config in dataset.derived_from(base):
        part = parts.get(config.name)
        try:
            expected = split_of(part.kept, config.schema, shares) if part is not None else {}
        except SchemaError as broken:
            complaint = f"it cannot be compared, since what follows from {base.name} breaks its schema: {broken}"
            yield Finding(file=f"data/{config.name}", complaint=complaint)
            continue
        yield from _compare_splits(release, config.name, expected, base=base.name)
    if base is dataset.main:
        # Recomputed values may break a rule that the stored ones keep, so these rows are not validated.
        splits = split_by_problem(unique_rows.select(list(base.schema.columns)), shares)
        yield from _compare_files(release, dataset.attachments(splits, parameters))


def _compare_splits(
    release: OpenedRelease, config: str, expected: Mapping[str, pl.DataFrame], *, base: str
) -> Iterator[Finding]:
    stored_parts = release.parts.get(config, {})
    for split, frame in expected.items():
        part = stored_parts.get(split)
        if part is not None:
            yield from _compare_rows(part, frame, base)
        else:
            complaint = f"split {split} has no rows, {frame.height} follow from {base}"
            yield Finding(file=f"data/{config}", complaint=complaint)
    for split in stored_parts.keys() - expected.keys():
        yield stored_parts[split].finding(0, None, f"no row of {config}/{split} follows from {base}")


def _compare_files(release: OpenedRelease, files: Mapping[str, bytes]) -> Iterator[Finding]:
    for name, content in files.items():
        path = release.folder / name
        if not path.is_file():
            yield Finding(file=name, complaint=f"it is missing, and follows from {release.main}")
        elif path.read_bytes() != content:
            yield Finding(file=name, complaint=f"it is not what follows from {release.main}")


def _compare_rows(part: Part, expected: pl.DataFrame, base: str) -> Iterator[Finding]:
    """Unexpected rows, each compared with a missing expected row as long as there are any."""
    found_rows, expected_rows = part.rows.rows(), expected.rows()
    n_expected = Counter(map(repr, expected_rows))
    unexpected = []
    for row_number, row in enumerate(found_rows):
        if n_expected[repr(row)]:
            n_expected[repr(row)] -= 1
        else:
            unexpected.append(row_number)
    missing = []
    for row in reversed(expected_rows):
        if n_expected[repr(row)]:
            n_expected[repr(row)] -= 1
            missing.append(row)
    for row_number in unexpected:
        if missing:
            yield from _compare_cells(part, row_number, missing.pop())
        else:
            yield part.finding(row_number, None, f"the row follows from no row of {base}")
    for row in reversed(missing):
        yield Finding(file=part.paths[0], complaint=f"the row {brief(row)} is missing, it follows from a row of {base}")


def _compare_cells(part: Part, row_number: int, expected: tuple[Any, ...]) -> Iterator[Finding]:
    for name, stored, recomputed in zip(part.rows.columns, part.rows.row(row_number), expected, strict=True):
        if not close(stored, recomputed):
            yield part.finding(row_number, name, f"{_difference(stored, recomputed)} by recomputation")


def _difference(stored: Any, expected: Any) -> str:
    """Describe the first differing item of two lists of equal length, or else both values."""
    if isinstance(stored, list) and isinstance(expected, list) and len(stored) == len(expected):
        pairs = zip(stored, expected, strict=True)
        item = next(number for number, (left, right) in enumerate(pairs) if not close(left, right))
        return f"item {item} is {brief(stored[item])}, it must be {brief(expected[item])}"
    return f"it is {brief(stored)}, it must be {brief(expected)}"
