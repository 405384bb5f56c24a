r"""Extracts the final answer of a response: the last claim that it makes and does not take back.

Claims are boxes, `#### 18`, `<answer>12</answer>`, statements such as "the answer is 12" in many languages, and
headings with the value below. Where a response makes none, a bold value in its last line is one. Each search reads
the response once, however long it is.
"""

import re
from dataclasses import dataclass

from filters.answers.claims.boxes import is_negated, last_boxed, last_conclusion
from filters.answers.claims.claims import Claim, claims_of, corrections_of, marked_value, without_announcement
from filters.answers.claims.joined_boxes import value_key
from filters.answers.claims.retractions import after_last_retraction, takes_back
from filters.answers.claims.thoughts import spoken
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule

__all__ = ["Found", "after_hashes", "extract_answer", "find_answer", "gold_value", "last_boxed"]

_MARKS = frozenset({"box", "hashes", "tag"})
_PLAIN_BOX = re.compile(r"\\boxed\{([-0-9(][^{}\\]*|[A-Za-z])\}[\s$.*!)\\\]]*$")
_BEFORE_PLAIN_BOX = re.compile(r"(?:[a-zA-Z:.,]\s|[=:]\s?|[a-zA-Z=:.,]\s?(?:\$\$?|\\[(\[])\s?|\n)$")
_NOTHING = re.compile(r"[\s$.*!)\\\]]*$")
_PLAIN_HASHES = re.compile(r"(?<!#)####[ \t]*(\$?-?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)\s*$")
_PLAIN_STATEMENT = re.compile(
    r"(?:^|[.\n]\s*)(?:(?:So|Thus|Therefore"
    r"|Hence),? )?[Tt]he (?:final )?answer is[ \t]+(\$?-?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)\.?\s*$"
)
_AFTER_HASHES = re.compile(r"####[ \t]*(\S[^\n]*)")
_NUMBER = re.compile(r"-?(?:[0-9]+(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:/[0-9]+)?")
_CHOICE = re.compile(r"\W*(?:text\w*\{)?\W*[A-Z]\W*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The final answer as the response writes it, and the rule that found it.

    The rules are `box`, `hashes`, `tag`, `phrase`, `heading` (the value stands on a line below), `bold` and, where the
    source allows it, `last_number`.
    """

    text: str
    found_by: str


def extract_answer(response: str, rule: AnswerRule = DEFAULT_RULE) -> str | None:
    """Return the final answer as the response writes it, or None if it claims none."""
    found = find_answer(response, rule)
    return found.text if found else None


def find_answer(response: str, rule: AnswerRule = DEFAULT_RULE) -> Found | None:
    """Return the final answer with the rule that found it, or None if the response claims none."""
    text = spoken(response, read_unfinished=rule.unfinished_thoughts == "read")
    if found := _at_the_end(text):
        return found
    claims = claims_of(text)
    if last := max((claim for claim in claims if not claim.is_weak), key=lambda claim: claim.start, default=None):
        settled = after_last_retraction(text, last.end, last.text)
        if settled > last.end:  # what was claimed before is taken back
            text = text[settled:]
            claims = claims_of(text) or list(corrections_of(text))
    if claims:
        chosen = _chosen(text, claims)
        return Found(text=chosen.text, found_by=chosen.found_by)
    if marked := marked_value(text):
        return Found(text=marked.text, found_by=marked.found_by)
    numbers = _NUMBER.findall(text) if rule.bare_last_number else []
    return Found(text=numbers[-1], found_by="last_number") if numbers else None


def gold_value(text: str) -> str:
    """The value of a gold answer: what its boxes conclude, or the text as it stands."""
    return last_boxed(text) or text


def after_hashes(text: str) -> str | None:
    """Return the rest of the line after the last `####` that something follows."""
    at = text.rfind("####")
    while at >= 0:
        if line := _AFTER_HASHES.match(text, at):
            return line[1].strip()
        at = text.rfind("####", 0, at)
    return None


def _at_the_end(text: str) -> Found | None:
    """The claim that ends the text, if it is of a usual kind: nothing can follow it, so nothing else is read."""
    if "box" in text:
        answer = _plain_box(text) or _ending_box(text)
        return Found(text=answer, found_by="box") if answer else None
    hashes = text.rfind("####")
    if hashes >= 0:
        plain = _PLAIN_HASHES.match(text, hashes)
        return Found(text=plain[1], found_by="hashes") if plain else None
    if "nswer>" not in text and (plain := _PLAIN_STATEMENT.search(text, max(0, len(text) - 60))):
        return Found(text=plain[1], found_by="phrase")
    return None


def _plain_box(text: str) -> str | None:
    """The content of the only box, if nothing special is in it or around it."""
    at = text.rfind("\\boxed{")
    if at < 0 or text.find("box", 0, at) >= 0 or is_negated(text, at):
        return None
    box = _PLAIN_BOX.match(text, at)
    return box[1].strip() if box and _BEFORE_PLAIN_BOX.search(text, max(0, at - 5), at) else None


def _ending_box(text: str) -> str | None:
    box = last_conclusion(text)
    if box is None or box.is_weak or not _NOTHING.match(text, box.end):
        return None
    return without_announcement(box.text)


def _chosen(text: str, claims: list[Claim]) -> Claim:
    """The last claim that is not weak; a statement that only restates or qualifies a mark before it yields to it."""
    strong = [claim for claim in claims if not claim.is_weak] or claims
    last = max(strong, key=lambda claim: claim.start)
    marks = [claim for claim in strong if claim.found_by in _MARKS]
    if last in marks or not marks:
        return last
    mark = max(marks, key=lambda claim: claim.start)
    overrules = takes_back(text, mark.end, last.start) or not (last.restates or _says_the_same(mark.text, last.text))
    return last if overrules else mark


def _says_the_same(marked: str, stated: str) -> bool:
    """Whether a statement repeats a marked value, or is a choice where that is a value or the other way round."""
    if bool(_CHOICE.fullmatch(marked)) != bool(_CHOICE.fullmatch(stated)):
        return True
    plain = stated.strip("$ ")
    within = re.search(rf"(?<![\w.]){re.escape(marked)}(?![\w.]*\w)", stated)
    return bool(within) or value_key(plain) == value_key(marked)
