"""Rows of released datasets as what a training learns from, by the token ids that the policy drew."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from generators.training.examples import Example
from generators.training.pairs import Pair

CONFIG = "full"  # the config whose rows hold token ids


def right_attempts(rows: pl.DataFrame) -> list[Example]:
    """The right attempts that ended by themselves, each solution of a problem once."""
    right = rows.filter(pl.col("is_right").fill_null(False) & (pl.col("finish_reason") == "eos"))
    unique = right.unique(["problem_id", "token_ids"], keep="first", maintain_order=True)
    return [_example(prompt, ids) for prompt, ids in unique.select("prompt_token_ids", "token_ids").iter_rows()]


def corrections(rows: pl.DataFrame) -> list[Example]:
    """The self-corrections; what a trigger follows is read and not learnt."""
    columns = ("prompt_token_ids", "token_ids", "loss_mask")
    return [
        Example((*prompt, *ids), len(prompt), tuple(map(bool, mask)))
        for prompt, ids, mask in rows.select(columns).iter_rows()
    ]


def step_pairs(rows: pl.DataFrame) -> list[Pair]:
    """The right next step against the wrong one, after the steps before."""
    columns = ("prefix_token_ids", "chosen_token_ids", "rejected_token_ids")
    return [
        Pair(chosen=_example(prefix, chosen), rejected=_example(prefix, rejected))
        for prefix, chosen, rejected in rows.select(columns).iter_rows()
    ]


def weighted_pairs(rows: pl.DataFrame) -> list[Pair]:
    """Whole solutions with a weight on every token."""
    return [_weighted_pair(row) for row in rows.iter_rows(named=True)]


def _weighted_pair(row: Mapping[str, Any]) -> Pair:
    start = row["response_start"]
    return Pair(
        chosen=Example(tuple(row["chosen_token_ids"]), start),
        rejected=Example(tuple(row["rejected_token_ids"]), start),
        chosen_weights=tuple(row["chosen_weights"][start:]),
        rejected_weights=tuple(row["rejected_weights"][start:]),
    )


def _example(prefix: Iterable[int], continuation: Iterable[int]) -> Example:
    head = tuple(prefix)
    return Example((*head, *continuation), len(head))


Items = Sequence[Example] | Sequence[Pair]
ITEMS: Mapping[str, Callable[[pl.DataFrame], Items]] = {
    "attempts": right_attempts,
    "self_correction_traces": corrections,
    "step_preference_pairs": step_pairs,
    "critical_token_pairs": weighted_pairs,
}
