"""The shapes of rows that trainers read; a config that has one of them loads in a stock trainer unchanged."""

from enum import StrEnum


class Format(StrEnum):
    """The columns that a trainer takes from a config.

    MESSAGES: `messages`, a chat whose every assistant turn is learnt. COMPLETION: `prompt` and `completion`; only the
    completion is learnt. PREFERENCE: `prompt`, `chosen` and `rejected`. UNPAIRED: `prompt`, `completion` and `label`.
    STEPWISE: `prompt`, `completions` and `labels`, one per step, where -100 masks a step. TOKENS: `input_ids`,
    `attention_mask` and `labels`. PROBLEMS: `prompt` as a chat, `data_source` and `reward_model`, for trainers that
    sample by themselves.

    In COMPLETION, PREFERENCE and UNPAIRED the texts are chats, or strings that no chat template may be put around.
    """

    MESSAGES = "messages"
    COMPLETION = "completion"
    PREFERENCE = "preference"
    UNPAIRED = "unpaired"
    STEPWISE = "stepwise"
    TOKENS = "tokens"
    PROBLEMS = "problems"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that every config of this format has; PROBLEMS may have others beside them."""
        return _COLUMNS[self]


_COLUMNS = {
    Format.MESSAGES: ("messages",),
    Format.COMPLETION: ("prompt", "completion"),
    Format.PREFERENCE: ("prompt", "chosen", "rejected"),
    Format.UNPAIRED: ("prompt", "completion", "label"),
    Format.STEPWISE: ("prompt", "completions", "labels"),
    Format.TOKENS: ("input_ids", "attention_mask", "labels"),
    Format.PROBLEMS: ("prompt", "data_source", "reward_model"),
}
