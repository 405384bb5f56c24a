"""Conversations as columns hold them: lists of messages with `role` and `content`, or with `from` and `value`.

The last turn of a user is the question. What a system turn says stays apart from it: the policy is asked with the
instruction of this project, and a text that is no part of a problem is never joined to it.
"""

import json
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
    """Whether a value is a list of messages, also as columns of them or as JSON text."""
    return bool(_turns(value))


def question(conversation: Any) -> str:
    """What the last user turn says; raises Unread if no user says anything."""
    text = _last(conversation, "user")
    if text is None:
        roles = ", ".join(str(_role(turn)) for turn in _turns(conversation))
        raise Unread(MISSING_PROMPT, f"a conversation without a user turn ({roles})", _READABLE)
    return text


def reply(conversation: Any) -> str | None:
    """What the last turn of the assistant says, if there is one."""
    return _last(conversation, "assistant")


def system(conversation: Any) -> str | None:
    """What the system turn says, if there is one."""
    return _last(conversation, "system")


def _turns(value: Any) -> list[Mapping[str, Any]]:
    """The turns of a conversation; none of another value."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if isinstance(value, Mapping):
        columns = [value.get(name) for name in next((keys for keys in _KEYS if set(keys) <= set(value)), ())]
        if not columns or not all(isinstance(column, list) for column in columns):
            return []
        value = [dict(zip(value, turn, strict=False)) for turn in zip(*value.values(), strict=False)]
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return []
    is_of_turns = all(isinstance(turn, Mapping) and any(role in turn for role, _ in _KEYS) for turn in value)
    return list(value) if is_of_turns else []


def _last(conversation: Any, role: str) -> str | None:
    found = [_content(turn) for turn in _turns(conversation) if str(_role(turn)).lower() in _ROLES[role]]
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
