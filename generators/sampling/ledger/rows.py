"""Rows of parts without their tokens, as arrays: 26 bytes a row."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from generators.records import FinishReason

REASONS: tuple[FinishReason, ...] = get_args(FinishReason)
_HEX = 32
_U4, _U8 = np.dtype(np.uint32), np.dtype(np.uint64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of equal length; `high` and `low` are the two halves of a key's digest."""

    high: np.ndarray
    low: np.ndarray
    index: np.ndarray
    length: np.ndarray
    extends: np.ndarray
    finish: np.ndarray

    @classmethod
    def concatenated(cls, several: Sequence["Rows"]) -> "Rows":
        """The rows of several, one after another."""
        if not several:
            return cls(*(np.empty(0, dtype) for dtype in (_U8, _U8, _U4, _U4, _U4, np.dtype(np.uint8))))
        columns = ([getattr(rows, name) for rows in several] for name in cls.__slots__)
        return cls(*(np.concatenate(column) for column in columns))

    def __len__(self) -> int:
        return len(self.high)


def code_of(digest: str) -> tuple[int, int]:
    """The two halves of a key's digest as numbers."""
    content = bytes.fromhex(digest) if len(digest) == _HEX else _hashed(digest)
    return int.from_bytes(content[:8]), int.from_bytes(content[8:])


def codes_of(keys: Any) -> tuple[np.ndarray, np.ndarray]:
    """The halves of the digests in a column of strings."""
    column = keys.combine_chunks().cast(pa.large_string())
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int64, count=column.offset + len(column) + 1)[column.offset :]
    if len(column) and (np.diff(offsets) == _HEX).all():
        text = column.buffers()[2][int(offsets[0]) : int(offsets[-1])].to_pybytes()
        content = bytes.fromhex(text.decode("ascii"))
    else:
        content = b"".join(bytes.fromhex(key) if len(key) == _HEX else _hashed(key) for key in column.to_pylist())
    halves = np.frombuffer(content, dtype=">u8").astype(np.uint64).reshape(-1, 2)
    return np.ascontiguousarray(halves[:, 0]), np.ascontiguousarray(halves[:, 1])


def _hashed(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=_HEX // 2).digest()
