"""Recounts the manifest's figures: rows per split, label counts, and the digest of the rows."""

from collections import Counter
from collections.abc import Iterator

from releases.draft import digest_of
from releases.manifest import FILE_NAME
from releases.splits import SPLITS
from releases.verification.finding import Checked, Finding
from releases.verification.streamed import StreamedRelease


def check_figures(release: StreamedRelease) -> Checked:
    """The manifest's row counts, label counts and digest match the rows."""
    listed = {f"{config}/{split}" for config, rows in release.manifest.rows.items() for split in rows}
    findings = [*_rows(release), *_label_counts(release), *_content(release)]
    return Checked.of(len(listed | {f"{config}/{split}" for config, split in release.heights()}), "splits", findings)


def _rows(release: StreamedRelease) -> Iterator[Finding]:
    actual = release.heights()
    claimed = {(config, split): n for config, rows in release.manifest.rows.items() for split, n in rows.items()}
    for config, split in sorted(actual.keys() | claimed.keys()):
        read, listed = actual.get((config, split), 0), claimed.get((config, split), 0)
        if read != listed:
            complaint = f"{config}/{split} is said to have {listed} rows, {read} could be read"
            yield Finding(file=FILE_NAME, complaint=complaint)


def _label_counts(release: StreamedRelease) -> Iterator[Finding]:
    counts: dict[str, Counter[str]] = {}
    for block in release.blocks(release.main):
        counts.setdefault(block.split, Counter()).update(release.dataset.label_counts(block.rows))
    counted = {split: dict(labels) for split, labels in counts.items() if labels}
    claimed = {split: dict(counts) for split, counts in release.manifest.label_counts.items()}
    for split in sorted(counted.keys() | claimed.keys()):
        actual, listed = counted.get(split, {}), claimed.get(split, {})
        if actual != listed:
            yield Finding(file=FILE_NAME, complaint=f"labels of {split} are said to be {listed}, counted are {actual}")


def _content(release: StreamedRelease) -> Iterator[Finding]:
    if release.complaints:
        return  # the digest needs all rows
    tables = (
        (config.name, split, config.schema, (block.stored for block in release.blocks(config.name, split)))
        for config in release.dataset.configs
        for split in SPLITS
        if split in release.splits(config.name)
    )
    digest = digest_of(tables)
    if digest != release.manifest.content:
        complaint = f"the digest of the rows is {digest}, content says {release.manifest.content}"
        yield Finding(file=FILE_NAME, complaint=complaint)
