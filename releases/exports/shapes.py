"""The shapes that trainers tell apart: a config's format, and whether its texts are chats or templated strings."""

from enum import StrEnum
from typing import Any

from filters.schema import MESSAGES
from generators.dataset import Config
from generators.formats import Format


class Shape(StrEnum):
    """A format as an export meets it. TEXT_COMPLETION holds strings in the policy's template, COMPLETION chats."""

    MESSAGES = "messages"
    COMPLETION = "completion"
    TEXT_COMPLETION = "text_completion"
    PREFERENCE = "preference"
    UNPAIRED = "unpaired"
    STEPWISE = "stepwise"
    TOKENS = "tokens"
    PROBLEMS = "problems"


_OF_CHATS = {
    Format.COMPLETION: Shape.COMPLETION,
    Format.PREFERENCE: Shape.PREFERENCE,
    Format.UNPAIRED: Shape.UNPAIRED,
}
_OF_TEXTS = {Format.COMPLETION: Shape.TEXT_COMPLETION}
_OF_EITHER = {
    Format.MESSAGES: Shape.MESSAGES,
    Format.STEPWISE: Shape.STEPWISE,
    Format.TOKENS: Shape.TOKENS,
    Format.PROBLEMS: Shape.PROBLEMS,
}


def shape_of(config: Config[Any]) -> Shape | None:
    """The shape of a config; None if no stock trainer reads it."""
    if config.format is None:
        return None
    if config.format in _OF_EITHER:
        return _OF_EITHER[config.format]
    is_chat = config.schema.columns["prompt"].dtype == MESSAGES
    return (_OF_CHATS if is_chat else _OF_TEXTS).get(config.format)
