"""Recomputes everything that is derived from measurements, and compares it: columns, configs and files."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from filters.schema import SchemaError
from generators.dataset import Config, IncompleteParameters, Parameters, no_files
from generators.rows import Rows, between_problems, blocks_of
from releases.config_rows import ConfigRows
from releases.door.plain_files import read_plain
from releases.drafting import parameters_in, shares_in
from releases.errors import IncompleteManifest
from releases.recomputation import close, corrected, differences
from releases.row_hashes import NUMBER, hashed, without
from releases.splits import split_by_problem
from releases.spool import Scratch, Spool
from releases.verification.finding import Checked, Finding, brief
from releases.verification.streamed import StreamedRelease
from releases.verification.tables import repeated_rows, sound_rows

Right = dict[str, Spool]  # the rows of a measured config by split, with every derived column right


def check_labels(release: StreamedRelease) -> Checked:
    """The derived columns of measured configs, and the derived configs, equal their recomputation.

    Rows that break the schema are skipped. Derived configs depend on all rows of a measured one, so they are compared
    only if every one of its rows could be read and is valid.
    """
    parameters = parameters_in(release.dataset, release.manifest.facts)
    findings: list[Finding] = []
    n = 0
    for config in release.dataset.measured:
        right, checked, wrong = _recomputed(release, config, parameters)
        n += checked
        findings += wrong
        if release.is_whole(config.name) and checked == release.rows(config.name).height:
            findings += _compare_derived(release, config, right, parameters)
    return Checked.of(n, "rows", findings)


def _recomputed(
    release: StreamedRelease, config: Config[Any], parameters: Parameters
) -> tuple[Right, int, list[Finding]]:
    """The valid rows of a measured config with recomputed derived columns, their number, and where they differ.

    Rows that repeat the key of another count once.
    """
    shares, scratch = shares_in(release.manifest.facts), Scratch()
    repeats = pl.Series(repeated_rows(release, config.name)[NUMBER], dtype=pl.Int64)
    right: Right = {}
    findings: list[Finding] = []
    n = start = 0
    for block in release.blocks(config.name):
        rows, row_numbers = sound_rows(block, config.schema)
        try:
            expected = config.recompute(rows, parameters)
        except IncompleteParameters as missing:
            raise IncompleteManifest(str(missing)) from missing
        wrong = list(differences(rows, expected))
        findings += [
            block.finding(row_numbers[row], name, f"{_difference(stored, recomputed)} by recomputation")
            for row, name, stored, recomputed in wrong
        ]
        n += rows.height
        numbers = pl.Series(row_numbers, dtype=pl.Int64) + start
        once = corrected(rows, wrong).filter(~numbers.is_in(repeats.implode()))
        for split, part in split_by_problem(once, shares).items():
            right.setdefault(split, Spool(scratch)).add(part)
        start += block.rows.height
    return right, n, findings


def _compare_derived(
    release: StreamedRelease, base: Config[Any], right: Right, parameters: Parameters
) -> Iterator[Finding]:
    """Where the configs and files that follow from the rows of `base` differ."""
    dataset = release.dataset
    for config in dataset.derived_from(base):
        expected = ConfigRows(config, parameters, shares_in(release.manifest.facts), Scratch())
        try:
            for spool in right.values():
                for block in _by_problem(spool.rows()):
                    expected.follow(block, config.derive(block, parameters))
            expected.finish()
        except SchemaError as broken:
            complaint = f"it cannot be compared, since what follows from {base.name} breaks its schema: {broken}"
            yield Finding(file=f"data/{config.name}", complaint=complaint)
            continue
        splits = {split: spool.rows() for split, spool in expected.splits.items()} if expected.is_allowed else {}
        yield from _compare_splits(release, config.name, splits, base=base.name)
    if base is dataset.main and dataset.attachments is not no_files:
        # Recomputed values may break a rule that the stored ones keep, so these rows are not validated.
        splits = {split: spool.rows() for split, spool in right.items()}
        yield from _compare_files(release, dataset.attachments(splits, parameters))


def _by_problem(rows: Rows) -> Iterator[pl.DataFrame]:
    """The rows in blocks that end between problems; rows in an order that no release has are put in order at once."""
    ids = rows.only("problem_id")["problem_id"]
    if ids.rle().len() == ids.n_unique():
        yield from between_problems(rows.blocks())
    else:
        yield from blocks_of(rows.only().sort("problem_id", maintain_order=True))


def _compare_splits(
    release: StreamedRelease, config: str, expected: Mapping[str, Rows], *, base: str
) -> Iterator[Finding]:
    stored = release.splits(config)
    for split, rows in expected.items():
        if split in stored:
            yield from _compare_rows(release, config, split, rows, base)
        else:
            complaint = f"split {split} has no rows, {rows.height} follow from {base}"
            yield Finding(file=f"data/{config}", complaint=complaint)
    for split in stored:
        if split not in expected:
            place = release.place(config, 0, split)
            yield Finding(file=place.path, row=0, complaint=f"no row of {config}/{split} follows from {base}")


def _compare_files(release: StreamedRelease, files: Mapping[str, bytes]) -> Iterator[Finding]:
    for name, content in files.items():
        stored = read_plain(release.folder, name)
        if stored is None:
            yield Finding(file=name, complaint=f"it is missing, and follows from {release.main}")
        elif stored != content:
            yield Finding(file=name, complaint=f"it is not what follows from {release.main}")


def _compare_rows(release: StreamedRelease, config: str, split: str, expected: Rows, base: str) -> Iterator[Finding]:
    """Unexpected rows, each compared with a missing expected row as long as there are any."""
    found = release.narrow_rows(config, split)
    ours, theirs = hashed(found.blocks()), hashed(expected.blocks())
    missing = _picked(expected, without(theirs, ours)[NUMBER])
    for number, row in _picked(found, without(ours, theirs)[NUMBER]):
        place = release.place(config, number, split)
        _, wanted = next(missing, (None, None))
        if wanted is None:
            yield Finding(file=place.path, row=place.row, complaint=f"the row follows from no row of {base}")
            continue
        for name, stored in row.items():
            if not close(stored, wanted[name]):
                complaint = f"{_difference(stored, wanted[name])} by recomputation"
                yield Finding(file=place.path, row=place.row, column=name, complaint=complaint)
    first = release.place(config, 0, split).path
    for _, wanted in missing:
        values = tuple(wanted.values())
        yield Finding(file=first, complaint=f"the row {brief(values)} is missing, it follows from a row of {base}")


def _picked(rows: Rows, numbers: pl.Series) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the rows of these numbers, which ascend, with their numbers."""
    if not len(numbers):
        return
    start = 0
    for block in rows.blocks():
        within = numbers.filter((numbers >= start) & (numbers < start + block.height))
        yield from zip(within, block[(within.cast(pl.Int64) - start).to_list()].to_dicts(), strict=True)
        start += block.height


def _difference(stored: Any, expected: Any) -> str:
    """Describe the first differing item of two lists of equal length, or else both values."""
    if isinstance(stored, list) and isinstance(expected, list) and len(stored) == len(expected):
        pairs = zip(stored, expected, strict=True)
        item = next(number for number, (left, right) in enumerate(pairs) if not close(left, right))
        return f"item {item} is {brief(stored[item])}, it must be {brief(expected[item])}"
    return f"it is {brief(stored)}, it must be {brief(expected)}"
