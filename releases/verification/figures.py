"""The manifest's own figures, counted again: rows of every split, labels, and the digest of the content.

Knows counts; what a label is, the dataset's verifier says.
"""

from collections.abc import Iterator

from releases.draft import digest_of
from releases.manifest import FILE_NAME
from releases.splits import SPLITS
from releases.verification.finding import Checked, Finding
from releases.verification.opened import OpenedRelease


def check_figures(release: OpenedRelease) -> Checked:
    """The manifest counts what is there."""
    parts = list(release.each_part())
    listed = {f"{config}/{split}" for config, rows in release.manifest.rows.items() for split in rows}
    findings = [*_rows(release), *_label_counts(release), *_content(release)]
    return Checked.of(len(listed | {f"{part.config}/{part.split}" for part in parts}), "splits", findings)


def _rows(release: OpenedRelease) -> Iterator[Finding]:
    there = {(part.config, part.split): part.rows.height for part in release.each_part()}
    told = {(config, split): n for config, rows in release.manifest.rows.items() for split, n in rows.items()}
    for config, split in sorted(there.keys() | told.keys()):
        found, listed = there.get((config, split), 0), told.get((config, split), 0)
        if found != listed:
            complaint = f"{config}/{split} is said to have {listed} rows, {found} could be read"
            yield Finding(file=FILE_NAME, complaint=complaint)


def _label_counts(release: OpenedRelease) -> Iterator[Finding]:
    parts = release.parts.get(release.main, {})
    counted = {split: dict(release.verifier.label_counts(part.rows)) for split, part in parts.items()}
    told = {split: dict(counts) for split, counts in release.manifest.label_counts.items()}
    for split in sorted(counted.keys() | told.keys()):
        found, listed = counted.get(split, {}), told.get(split, {})
        if found != listed:
            yield Finding(file=FILE_NAME, complaint=f"labels of {split} are said to be {listed}, counted are {found}")


def _content(release: OpenedRelease) -> Iterator[Finding]:
    if release.complaints:
        return  # without all rows there is no digest of them
    tables = [
        (config, split, schema, release.parts[config][split].rows)
        for config, schema in release.verifier.schemas.items()
        for split in SPLITS
        if split in release.parts.get(config, {})
    ]
    found = digest_of(tables)
    if found != release.manifest.content:
        complaint = f"the digest of the rows is {found}, content says {release.manifest.content}"
        yield Finding(file=FILE_NAME, complaint=complaint)
