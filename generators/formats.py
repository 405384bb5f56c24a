"""The shapes of rows that trainers read; a config that has one of them loads in a stock trainer unchanged."""

from enum import StrEnum


class Format(StrEnum):
    """The columns that a trainer takes from a config.

    MESSAGES: `messages`, a chat whose every assistant turn is learnt. COMPLETION: `prompt` and `completion`; only the
    completion is learnt. PREFERENCE: `prompt`, `chosen` and `rejected`. UNPAIRED: `prompt`, `completion` and `label`.
    STEPWISE: `prompt`, `completions` and `labels`, one per step. TOKENS: `input_ids`, `attention_mask` and `labels`.
    PROBLEMS: `prompt` as a chat, `data_source` and `reward_model`, for trainers that sample by themselves.
    """

    MESSAGES = "messages"
    COMPLETION = "completion"
    PREFERENCE = "preference"
    UNPAIRED = "unpaired"
    STEPWISE = "stepwise"
    TOKENS = "tokens"
    PROBLEMS = "problems"
