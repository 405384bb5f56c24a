"""Extracts the final answer of a response.

Each search reads the response once, however long it is.
"""

import re
from dataclasses import dataclass

from filters.answers.verdicts import DEFAULT_RULE, AnswerRule

_BRACES = re.compile(r"\\boxed\s*\{|\\fbox\s*\{|\\.|[{}]", re.DOTALL)
_LAST_BOX = re.compile(r"\\boxed\{([^{}\\]*)\}")
_ENCLOSING = re.compile(r"\\(?:boxed|fbox)\s*\{(?![^{}\\]*\})")
_HASHES = re.compile(r"^[ \t]*####[ \t]*(\S.*)$", re.MULTILINE)
_PHRASE = re.compile(r"\b(?:the|final)\s+answer(?:\*\*)?\s*(?:\bis\b|:)[ \t:*]*(?=\S)", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?=\s|\*|$)|\n")
_NUMBER = re.compile(r"-?(?:[0-9]+(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:/[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The final answer as the response writes it, and the rule that found it (`box`, `hashes`, `phrase`, ...)."""

    text: str
    found_by: str


def extract_answer(response: str, rule: AnswerRule = DEFAULT_RULE) -> str | None:
    """Return the final answer as the response writes it, or None if nothing marks one."""
    found = find_answer(response, rule)
    return found.text if found else None


def find_answer(response: str, rule: AnswerRule = DEFAULT_RULE) -> Found | None:
    """Return the final answer with the rule that found it, or None if nothing marks one."""
    if answer := last_boxed(response):
        return Found(text=answer, found_by="box")
    if answer := after_hashes(response):
        return Found(text=answer, found_by="hashes")
    if answer := _after_phrase(response):
        return Found(text=answer, found_by="phrase")
    numbers = _NUMBER.findall(response) if rule.bare_last_number else []
    return Found(text=numbers[-1], found_by="last_number") if numbers else None


def last_boxed(text: str) -> str | None:
    r"""Return the content of the last balanced, non-empty `\boxed{}`; of nested boxes, the outer one."""
    if "box" not in text:
        return None
    at = text.rfind("\\boxed{")
    last = _LAST_BOX.match(text, at) if at >= 0 else None
    # Nearly every response ends with one simple box; another `box` after it or around it needs a full scan.
    if last and last[1].strip() and "box" not in text[last.start(1) :] and not _ENCLOSING.search(text, 0, at):
        return last[1].strip()
    return _last_balanced(text)


def _last_balanced(text: str) -> str | None:
    content_of_last = None
    open_braces: list[int | None] = []
    for token in _BRACES.finditer(text):
        word = token.group()
        if word.endswith("{") and word != r"\{":
            open_braces.append(None if word == "{" else token.end())
        elif word == "}" and open_braces:
            start = open_braces.pop()
            if start is not None and (content := text[start : token.start()].strip()):
                content_of_last = content
    return content_of_last


def after_hashes(text: str) -> str | None:
    """Return the rest of the last line that starts with `####`."""
    lines = _HASHES.findall(text)
    return lines[-1].strip() if lines else None


def _after_phrase(text: str) -> str | None:
    last = None
    for last in _PHRASE.finditer(text):  # noqa: B007  (only the last one counts)
        pass
    if last is None:
        return None
    end = _SENTENCE_END.search(text, last.end())
    answer = text[last.end() : end.start() if end else len(text)]
    return answer.strip().strip("*").strip() or None
