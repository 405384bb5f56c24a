"""Conversations as columns hold them: lists of messages with `role` and `content`, or with `from` and `value`.

The last turn of a user is the question. What a system turn says stays apart from it: the policy is asked with the
instruction of this project, and a text that is no part of a problem is never joined to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from generators.problems.unread import MISSING_PROMPT, NOT_TEXT, Unread, described

_KEYS = (("role", "content"), ("from", "value"))
_ROLES = {
    "user": ("user", "human", "prompter"),
    "assistant": ("assistant", "gpt", "model", "bot", "chatgpt"),
    "system": ("system", "developer"),
}
_READABLE = "of a conversation, the text of its last user turn is read"


def is_conversation(value: Any) -> bool:
    """Whether a value is a list of messages."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or not value:
        return False
    return all(isinstance(turn, Mapping) and any(role in turn for role, _ in _KEYS) for turn in value)


def question(turns: Sequence[Mapping[str, Any]]) -> str:
    """What the last user turn says; raises Unread if no user says anything."""
    text = _last(turns, "user")
    if text is None:
        roles = ", ".join(str(_role(turn)) for turn in turns)
        raise Unread(MISSING_PROMPT, f"a conversation without a user turn ({roles})", _READABLE)
    return text


def reply(turns: Sequence[Mapping[str, Any]]) -> str | None:
    """What the last turn of the assistant says, if there is one."""
    return _last(turns, "assistant")


def system(turns: Sequence[Mapping[str, Any]]) -> str | None:
    """What the system turn says, if there is one."""
    return _last(turns, "system")


def _last(turns: Sequence[Mapping[str, Any]], role: str) -> str | None:
    found = [_content(turn) for turn in turns if str(_role(turn)).lower() in _ROLES[role]]
    return found[-1] if found else None


def _role(turn: Mapping[str, Any]) -> Any:
    return next((turn[role] for role, _ in _KEYS if role in turn), None)


def _content(turn: Mapping[str, Any]) -> str | None:
    content = next((turn[key] for role, key in _KEYS if role in turn and turn.get(key) is not None), None)
    if content is None or isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else [content]
    texts = [part.get("text") for part in parts if isinstance(part, Mapping) and part.get("type", "text") == "text"]
    if len(texts) < len(parts) or not all(isinstance(text, str) for text in texts):
        raise Unread(NOT_TEXT, f"a turn with {described(content)}", "turns of text alone are read")
    return "\n".join(map(str, texts))
