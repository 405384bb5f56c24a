"""Rows as hashes of 16 bytes each, so that versions of any size are compared in memory.

A row's hash is that of its JSON, as in the content digest, so that rows are equal where their hashes are.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

HASH = ("hash_1", "hash_2")
KEY = ("key_1", "key_2")
NUMBER = "number"
_SCHEMA = {NUMBER: pl.UInt32, **dict.fromkeys((*HASH, *KEY), pl.UInt64)}


def hashed(blocks: Iterator[pl.DataFrame], key: Sequence[str] = ()) -> pl.DataFrame:
    """For each row its number, its hash and the hash of its key, which is the row's own where there is no key."""
    parts, start = [pl.DataFrame(schema=_SCHEMA)], 0
    for block in blocks:
        whole = hashes(block)
        of_key = hashes(block.select(key)) if key else whole
        columns = {**_columns(HASH, whole), **_columns(KEY, of_key)}
        numbers = np.arange(start, start + block.height, dtype=np.uint32)
        parts.append(pl.DataFrame({NUMBER: numbers, **columns}, schema=_SCHEMA))
        start += block.height
    return pl.concat(parts, rechunk=True)


def hashes(rows: pl.DataFrame) -> NDArray[np.uint64]:
    """A hash of 16 bytes for each row, as two integers."""
    lines = rows.write_ndjson().encode().split(b"\n")[: rows.height]
    digests = b"".join(blake2b(line, digest_size=16).digest() for line in lines)
    return np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)


def repeated(table: pl.DataFrame, by: Sequence[str] = KEY) -> pl.DataFrame:
    """The rows whose key, or hash, an earlier row has, each with the number of the first one as `first`."""
    first = pl.col(NUMBER).min().over(by).alias("first")
    return table.with_columns(first).filter(pl.col(NUMBER) > pl.col("first")).sort(NUMBER)


def without(table: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """The rows that the other table lacks; a row that stands in both more often here remains so many times."""
    occurrence = pl.int_range(pl.len()).over(HASH).alias("occurrence")
    left, right = table.with_columns(occurrence), other.with_columns(occurrence)
    return left.join(right, on=[*HASH, "occurrence"], how="anti").drop("occurrence").sort(NUMBER)


def _columns(names: Sequence[str], values: NDArray[np.uint64]) -> dict[str, NDArray[np.uint64]]:
    return {name: values[:, number] for number, name in enumerate(names)}
