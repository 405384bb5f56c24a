"""Prepares whole solutions of `critical_token_pairs` for TRL's DPO trainer from the stored token ids.

Tokenizing the text again may give other tokens than the policy drew, and then weights would be on the wrong tokens.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from datasets import Dataset
from trl import DPOConfig, DPOTrainer

SIDES = ("chosen", "rejected")


class StoredIdsTrainer(DPOTrainer):
    """DPOTrainer on rows with stored token ids, each side holding prompt and solution."""

    def _prepare_dataset(self, dataset: Dataset, processing_class: Any, args: DPOConfig, dataset_name: str) -> Dataset:
        check_texts(dataset, processing_class)
        prepared = dataset.map(split_sides, remove_columns=dataset.column_names)
        return prepared.filter(has_room, fn_kwargs={"max_length": args.max_length})


def split_sides(row: Mapping[str, Any]) -> dict[str, Any]:
    """Split a row's ids into prompt and solutions, with a weight for each id of a solution."""
    start = row["response_start"]
    prepared = {"prompt_ids": row["chosen_token_ids"][:start]}
    for side in SIDES:
        prepared[f"{side}_ids"] = row[f"{side}_token_ids"][start:]
        prepared[f"{side}_weights"] = row[f"{side}_weights"][start:]
    return prepared


def has_room(row: Mapping[str, Any], max_length: int) -> bool:
    """Whether the prompt leaves room for a solution within `max_length` tokens."""
    return len(row["prompt_ids"]) < max_length


def check_texts(rows: Iterable[Mapping[str, Any]], tokenizer: Any) -> None:
    """Raise ValueError unless the ids of every row decode to the row's texts, with the same prompt on both sides."""
    for number, row in enumerate(rows):
        start = row["response_start"]
        if row["chosen_token_ids"][:start] != row["rejected_token_ids"][:start]:
            raise ValueError(f"row {number}: the two sides have different prompts in their first {start} token ids")
        for side in SIDES:
            text = tokenizer.decode(row[f"{side}_token_ids"][start:], skip_special_tokens=True)
            if text != row[side]:
                raise ValueError(
                    f"row {number}: {side}_token_ids read {text[:60]!r}, and {side} is {row[side][:60]!r}: model must "
                    "be the policy that wrote the release, or one with its tokenizer"
                )
