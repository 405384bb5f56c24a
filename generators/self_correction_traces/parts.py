"""The columns of a self-correction that follow from its parts: its text, its chat and its masks.

No tokenizer is available here. Where a masked stretch begins inside a written part, characters cannot be compared with
tokens; where it begins or ends with a part, they can.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import polars as pl

from generators.problems import prompt as solve

DERIVED = ("text", "messages", "masked_starts", "masked_ends", "masked_token_starts", "masked_token_ends", "loss_mask")


def derived(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns `DERIVED` as they follow from attempts, triggers and token ids, one row for each of `rows`.

    A masked stretch ends where a written part ends, in characters as in tokens. It begins with a part in both, or
    inside of that part in both. A boundary elsewhere is moved to the next such position.
    """
    schema = {name: rows.schema[name] for name in DERIVED}
    return pl.DataFrame([_derived(row) for row in rows.iter_rows(named=True)], schema=schema)


def texts_up_to(attempts: Sequence[str], triggers: Sequence[str]) -> list[str]:
    """The response's text up to the end of each of `attempts`."""
    return list(accumulate(trigger + attempt for trigger, attempt in zip(["", *triggers], attempts, strict=True)))


def _derived(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = texts_up_to(row["attempts"], row["triggers"])
    ends = [len(text) for text in texts]
    starts = [end - len(attempt) for end, attempt in zip(ends, row["attempts"], strict=True)]
    token_starts, token_ends = row["attempt_starts"], row["attempt_ends"]
    spans = []
    for start, token_start, token_end in zip(
        row["masked_starts"], row["masked_token_starts"], row["masked_token_ends"], strict=True
    ):
        last = _first_reaching(token_ends, token_end)
        first = _first_reaching(token_ends, token_start + 1)
        if token_start <= token_starts[first]:
            begins = (starts[first], token_starts[first])
        else:
            begins = (min(max(start, starts[first] + 1), ends[first] - 1), token_start)
        spans.append((*begins, ends[last], token_ends[last]))
    mask = [1] * len(row["token_ids"])
    for _, token_start, _, token_end in spans:
        mask[token_start:token_end] = [0] * (token_end - token_start)
    return {
        "text": texts[-1],
        "messages": [*solve.messages(row["prompt"]), {"role": "assistant", "content": texts[-1]}],
        "masked_starts": [span[0] for span in spans],
        "masked_ends": [span[2] for span in spans],
        "masked_token_starts": [span[1] for span in spans],
        "masked_token_ends": [span[3] for span in spans],
        "loss_mask": mask,
    }


def _first_reaching(ends: Sequence[int], position: int) -> int:
    """The index of the first of `ends` that is at or after `position`; the last one if all are before it."""
    return next((number for number, end in enumerate(ends) if end >= position), len(ends) - 1)
