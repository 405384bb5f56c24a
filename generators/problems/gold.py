"""A source's gold answers, verified before a token is spent on them.

Knows nothing of where the problems come from. A gold answer that does not equal itself, or equals a perturbed copy of
itself, would call right attempts wrong or wrong ones right.
"""

import asyncio
import re

import polars as pl

from filters.answers import AnswerChecker, Verdict
from filters.rules import Filtered

_TO_PERTURB = re.compile(r"\\[a-zA-Z]+|[A-Za-z]")


async def verify_gold(problems: pl.DataFrame, checker: AnswerChecker) -> Filtered:
    """Keep the problems whose gold answer equals itself and differs from its perturbed copy."""
    answers = problems["answer"].unique(maintain_order=True).to_list()
    verified = await asyncio.gather(*(_verifies(answer, checker) for answer in answers))
    sound = pl.Series([answer for answer, sound in zip(answers, verified, strict=True) if sound], dtype=pl.String)
    is_sound = problems["answer"].is_in(sound.implode())
    reason = pl.lit("gold_not_verified").alias("reason")
    return Filtered(problems.filter(is_sound), problems.filter(~is_sound).with_columns(reason))


def perturbed(answer: str) -> str:
    """Return a near copy with another value: its first digit changed, or else its letters shifted by one."""
    digit = re.search(r"[0-9]", answer)
    if digit:
        changed = "8" if digit[0] == "9" else str(int(digit[0]) + 1)
        return answer[: digit.start()] + changed + answer[digit.end() :]
    shifted = _TO_PERTURB.sub(lambda m: m[0] if m[0].startswith("\\") else _next_letter(m[0]), answer)
    return shifted if shifted != answer else f"{answer} + 1"


async def _verifies(answer: str, checker: AnswerChecker) -> bool:
    itself = await checker.check(rf"The answer is \boxed{{{answer}}}.", answer)
    other = await checker.compare(perturbed(answer), answer)
    return itself.verdict is Verdict.EQUAL and other.verdict is Verdict.DIFFERENT


def _next_letter(letter: str) -> str:
    return {"z": "a", "Z": "A"}.get(letter) or chr(ord(letter) + 1)
