"""Verify a source's gold answers before any token is spent on them.

A gold answer that does not equal itself would make right attempts wrong. One that equals a perturbed copy of itself
would make wrong attempts right. One that is undecided against the copy would leave wrong attempts without a verdict.
"""

import asyncio
import re

import polars as pl

from filters.answers.checker import AnswerChecker, Verdict
from filters.rules import REASON, Filtered
from generators.columns import GOLDS

NOT_EQUAL_ITSELF = "gold_not_equal_itself"
EQUALS_PERTURBED = "gold_equals_perturbed"
UNDECIDED_PERTURBED = "gold_undecided_against_perturbed"
_TO_PERTURB = re.compile(r"\\[a-zA-Z]+|[A-Za-z]")


async def verify_gold(problems: pl.DataFrame, checker: AnswerChecker) -> Filtered:
    """Keep the problems each of whose gold answers equals itself and differs from its perturbed copy."""
    golds = problems.select(GOLDS).to_series()
    answers = golds.explode(empty_as_null=False).unique(maintain_order=True).to_list()
    reasons = await asyncio.gather(*(_failure(answer, checker) for answer in answers))
    failures = {answer: reason for answer, reason in zip(answers, reasons, strict=True) if reason}
    first = [next((failures[gold] for gold in accepted if gold in failures), None) for accepted in golds.to_list()]
    judged = problems.with_columns(pl.Series(REASON, first, dtype=pl.String))
    sound = pl.col(REASON).is_null()
    return Filtered(judged.filter(sound).drop(REASON), judged.filter(~sound))


def perturbed(answer: str) -> str:
    """Return a near copy with another value: the first digit changed, or else the letters shifted by one."""
    digit = re.search(r"[0-9]", answer)
    if digit:
        changed = "8" if digit[0] == "9" else str(int(digit[0]) + 1)
        return answer[: digit.start()] + changed + answer[digit.end() :]
    shifted = _TO_PERTURB.sub(lambda m: m[0] if m[0].startswith("\\") else _next_letter(m[0]), answer)
    return shifted if shifted != answer else f"{answer} + 1"


async def _failure(answer: str, checker: AnswerChecker) -> str | None:
    itself = await checker.check(rf"The answer is \boxed{{{answer}}}.", answer)
    if itself.verdict is not Verdict.EQUAL:
        return NOT_EQUAL_ITSELF
    other = await checker.compare(perturbed(answer), answer)
    if other.verdict is Verdict.DIFFERENT:
        return None
    return EQUALS_PERTURBED if other.verdict is Verdict.EQUAL else UNDECIDED_PERTURBED


def _next_letter(letter: str) -> str:
    return {"z": "a", "Z": "A"}.get(letter) or chr(ord(letter) + 1)
