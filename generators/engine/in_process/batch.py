"""A batch of sequences on one model: rows join when their prefixes are read, and each step adds a token to all."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache

from generators.engine.in_process.cache import buffers_of, joined
from generators.engine.in_process.draw import draw
from generators.engine.in_process.row import Row
from generators.engine.tokenizer import Tokenizer

PREFILL_TOKENS = 16_384  # read at once, padding included
LEFT_SHARE = 0.25  # of the rows may be over before the batch is made smaller


class Batch:
    """The rows in the making, and the model's key-value cache of them; all calls come from one thread at a time."""

    def __init__(self, model: Any, tokenizer: Tokenizer, ends: frozenset[int]) -> None:
        self.rows: list[Row] = []
        self._model = model
        self._tokenizer = tokenizer
        self._ends = ends
        self._cache: Cache | None = None
        self._finished: list[Row] = []

    def advance(self, joining: Sequence[Row]) -> list[Row]:
        """Take in `joining` or draw one token for every row; returns the rows that ended."""
        self._finished = []
        with torch.inference_mode():
            if joining:
                self._join(joining)
            elif self.rows:
                self._step()
            if sum(row.is_over for row in self.rows) > LEFT_SHARE * len(self.rows):
                self._keep([])
        return self._finished

    def _step(self) -> None:
        if self._cache is None:
            raise RuntimeError("rows are without a cache")
        lengths = [_length(row) for row in self.rows]
        n_columns = int(self._cache.get_seq_length()) + 1
        columns = torch.arange(n_columns, device=self._model.device)
        starts = self._tensor([n_columns - length for length in lengths])
        output = self._model(
            input_ids=self._tensor([[row.token_ids[-1]] for row in self.rows]),
            attention_mask=(columns >= starts[:, None])[:, None, None],
            position_ids=self._tensor([[length - 1] for length in lengths]),
            past_key_values=self._cache,
        )
        self._add(self.rows, output.logits[:, -1])

    def _join(self, joining: Sequence[Row]) -> None:
        """Read each prefix once, whatever the number of rows that begin with it, and draw their first tokens."""
        parts: list[tuple[Cache, list[int], list[Row]]] = []
        for prefixes in _cut(list(dict.fromkeys(row.prefix for row in joining))):
            logits, cache = self._read(prefixes)
            places = {prefix: place for place, prefix in enumerate(prefixes)}
            rows = [row for row in joining if row.prefix in places]
            taken = [places[row.prefix] for row in rows]
            self._add(rows, logits[taken])
            parts.append((cache, taken, rows))
        self._keep(parts)

    def _read(self, prefixes: Sequence[tuple[int, ...]]) -> tuple[Any, Cache]:
        """The logits after each prefix, and the cache of them, padded on the left."""
        longest = max(map(len, prefixes))
        ids = self._tensor([[0] * (longest - len(prefix)) + list(prefix) for prefix in prefixes])
        starts = self._tensor([longest - len(prefix) for prefix in prefixes])
        columns = torch.arange(longest, device=self._model.device)
        causal = columns[None] <= columns[:, None]
        # A column of padding sees itself, since attention over nothing is not a number.
        seen = (causal & (columns[None, None] >= starts[:, None, None])) | torch.eye(
            longest, dtype=torch.bool, device=self._model.device
        )
        output = self._model(
            input_ids=ids,
            attention_mask=seen[:, None],
            position_ids=(columns - starts[:, None]).clamp(min=0),
            past_key_values=DynamicCache(),
            logits_to_keep=1,
        )
        return output.logits[:, -1], buffers_of(output.past_key_values)

    def _keep(self, joining: Sequence[tuple[Cache, list[int], list[Row]]]) -> None:
        """Drop the rows that are over, and add those of `joining`: a cache, places in it, and the row of each."""
        parts = list(joining)
        if self._cache is not None:
            parts.insert(0, (self._cache, list(range(len(self.rows))), self.rows))
        self.rows, sources = [], list[tuple[Cache, list[int], int]]()
        for cache, places, rows in parts:
            going = [(place, row) for place, row in zip(places, rows, strict=True) if not row.is_over]
            if going:
                longest = max(_length(row) - 1 for _, row in going)
                sources.append((cache, [place for place, _ in going], longest))
                self.rows += [row for _, row in going]
        self._cache = joined(sources) if sources else None

    def _add(self, rows: Sequence[Row], logits: Any) -> None:
        ids, logprobs = draw(logits, rows)
        for row, token_id, logprob in zip(rows, ids, logprobs, strict=True):
            if not row.is_over:
                piece = self._tokenizer.piece(token_id) if row.limits.stop else ""
                row.add(token_id, logprob, piece=piece, is_end=token_id in self._ends)
                if row.is_over:
                    self._finished.append(row)

    def _tensor(self, content: Any) -> Any:
        return torch.tensor(content, device=self._model.device)


def _length(row: Row) -> int:
    """The tokens of a row; all but the last are in the cache."""
    return len(row.prefix) + len(row.token_ids)


def _cut(prefixes: list[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    """The prefixes in lots of similar length, none of more than `PREFILL_TOKENS`."""
    lot: list[tuple[int, ...]] = []
    for prefix in sorted(prefixes, key=len):
        if lot and len(prefix) * (len(lot) + 1) > PREFILL_TOKENS:
            yield lot
            lot = []
        lot.append(prefix)
    if lot:
        yield lot
