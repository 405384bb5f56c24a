"""The key-value cache of a batch: one buffer per layer, with room ahead, in which all rows end at the same column.

Shorter rows are padded on the left. A step writes one column, and nothing is copied until rows join or leave.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

ROOM = 64  # columns that are added when a buffer is full


class BufferLayer(CacheLayerMixin):  # type: ignore[misc]  # the library has no types
    """Keys and values of one layer, each rows by heads by columns by head size; `length` columns are written."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.keys, self.values = keys, values
        self.length: int = keys.shape[2]
        self.is_initialized = True

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Nothing: the layer starts with the columns of its rows' prefixes."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new columns, and return all that are written."""
        start, self.length = self.length, self.length + key_states.shape[2]
        if self.length > self.keys.shape[2]:
            self.keys, self.values = (_padded(part, 0, ROOM + key_states.shape[2]) for part in (self.keys, self.values))
        self.keys[:, :, start : self.length] = key_states
        self.values[:, :, start : self.length] = value_states
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.length + query_length, 0

    def get_seq_length(self) -> int:
        return self.length

    def get_max_length(self) -> int:
        return -1

    def written(self, rows: Sequence[int], columns: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The last `columns` columns of some rows."""
        span = slice(self.length - columns, self.length)
        return self.keys[rows, :, span], self.values[rows, :, span]


def joined(parts: Sequence[tuple[Cache, Sequence[int], int]]) -> Cache:
    """A cache of rows out of several caches: each part is a cache, the rows to take, and their longest length."""
    longest = max(columns for _, _, columns in parts)
    layers = []
    for index in range(len(parts[0][0].layers)):
        taken = [cache.layers[index].written(rows, columns) for cache, rows, columns in parts]
        keys, values = (
            torch.cat([_padded(part, longest - part.shape[2], ROOM) for part in side])
            for side in zip(*taken, strict=True)
        )
        layer = BufferLayer(keys, values)
        layer.length = longest
        layers.append(layer)
    return Cache(layers=layers)


def buffers_of(cache: Cache) -> Cache:
    """The cache of a prefill, as one that rows can be taken from."""
    return Cache(layers=[BufferLayer(layer.keys, layer.values) for layer in cache.layers])


def _padded(part: torch.Tensor, left: int, right: int) -> torch.Tensor:
    return torch.nn.functional.pad(part, (0, 0, left, right))
