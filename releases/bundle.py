"""The files of one version, yielded one at a time, the manifest last."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from releases import parquet
from releases.card import HubAddress, write_card, write_licence
from releases.draft import Draft
from releases.licences import LICENCE_FILE
from releases.manifest import FILE_NAME, Manifest, file_facts


class ReleaseFile(NamedTuple):
    """A path inside the version's folder, and the file's bytes."""

    path: str
    content: bytes


def bundle(draft: Draft, manifest: Manifest, address: HubAddress | None = None) -> Iterator[ReleaseFile]:
    """Yield every file of the version that `manifest` describes, with only one shard in memory at a time, compressed.

    The card explains how to load the version from `address`, or from a folder if `address` is None.
    """
    listed = []
    for file in _contents(draft, manifest, address):
        listed.append(file_facts(*file))
        yield file
    yield ReleaseFile(FILE_NAME, replace(manifest, files=tuple(listed)).to_json())


def _contents(draft: Draft, manifest: Manifest, address: HubAddress | None) -> Iterator[ReleaseFile]:
    for config, table in draft.tables.items():
        for split in table.splits:
            for name, content in parquet.shards(table.stored(split), table.schema, split=split):
                yield ReleaseFile(f"data/{config}/{name}", content)
    for picture in draft.pictures:
        yield ReleaseFile(f"pictures/{picture.name}", picture.png)
    for path, content in draft.attachments.items():
        yield ReleaseFile(path, content)
    licence = write_licence(draft)
    if licence is not None:
        yield ReleaseFile(LICENCE_FILE, licence.encode())
    yield ReleaseFile("README.md", write_card(draft, manifest, address).encode())
