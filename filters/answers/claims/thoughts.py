"""Separates a response's thoughts (`<think>...</think>`) from what it says in the end."""

import re

_MARK = re.compile(
    r"<(?P<close>/)?(?:think|thinking|thought|thoughts|reasoning)>|◁(?P<close2>/)?think▷|\[(?P<close3>/)?THINK\]"
    r"|<\|(?:begin|(?P<close4>end))_of_thought\|>",
    re.IGNORECASE,
)


def spoken(response: str, *, read_unfinished: bool = False) -> str:
    """What a response says outside its thoughts.

    Only what follows the last end of thoughts counts; if nothing does, the finished thoughts are read, since they are
    all that was said. Thoughts that never end are no part of it, unless `read_unfinished`.
    """
    lowered = response if "hink" not in response and "hought" not in response else response.lower()
    if "think" not in lowered and "thought" not in lowered and "easoning>" not in response and "THINK]" not in response:
        return response
    opened = closed = None
    for mark in _MARK.finditer(response):
        if any(mark.groups()):
            closed, opened = mark, None
        elif opened is None:
            opened = mark
    if opened is not None and not read_unfinished:
        response = response[: opened.start()]
    if closed is None:
        return response
    said = response[closed.end() :]
    return said if said.strip() else response[: closed.start()]
