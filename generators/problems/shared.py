"""Screens a source once for all of its slices: the first one keeps every shard under the data root, the others read.

`<folder>/<source>/<key>/<shard>.<table>.parquet`, and `done.json` when all are there. The key changes with the contents
of the source and of the evaluation sets, with the settings and with the code, so a shard that is there is right. A
lease of that folder makes slices that begin together wait for the one that screens.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from upath import UPath

from generators.problems.screening import Screened, Screening
from generators.sampling.ledger.lease import Terms, take
from generators.sampling.storage import StorageError, read_parquet, write_bytes, write_parquet

_TABLES = ("kept", "dropped", "repeats")
_DONE = "done.json"
# A slice whose process ended holds no lease; one that works is waited for.
_TERMS = Terms(wait_s=24 * 3600)


async def screened_shard(screening: Screening, index: int, *, folder: UPath, say: Callable[[str], None]) -> Screened:
    """One shard of a screened source; raises SourceError and StorageError.

    A source of one slice is not kept, nor is one whose contents cannot be identified.
    """
    source = screening.source
    key = screening.key() if source.shards > 1 else None
    if key is None:
        return (await screening.screened()).shard(index, source.shards)
    place = folder / source.name / key
    found = _read(place, index, say)
    if found is not None:
        return found
    with _alone(place, say):
        found = _read(place, index, say)
        if found is not None:
            return found
        whole = await screening.screened()
        _write(place, whole, source.shards)
    say(f"source {source.name} was screened once for its {source.shards} slices, which find their problems in {place}")
    return whole.shard(index, source.shards)


@contextmanager
def _alone(place: UPath, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lease of a folder, which another slice may have for as long as it screens the source."""
    lease = take(place, _TERMS, say=say)
    lease.keep()
    try:
        yield
    finally:
        lease.release()


def _read(place: UPath, index: int, say: Callable[[str], None]) -> Screened | None:
    """The shard that is there, or None; one that is damaged is said."""
    if not (place / _DONE).exists():
        return None
    try:
        return Screened(**{table: read_parquet(_file(place, index, table)) for table in _TABLES})
    except StorageError as error:
        say(f"the source is screened again: {error}")
        return None


def _write(place: UPath, whole: Screened, of: int) -> None:
    for index in range(of):
        own = whole.shard(index, of)
        for table in _TABLES:
            write_parquet(_file(place, index, table), getattr(own, table))
    write_bytes(place / _DONE, json.dumps({"shards": of, "problems": whole.kept.height}).encode())


def _file(place: UPath, index: int, table: str) -> UPath:
    return place / f"{index:05d}.{table}.parquet"
