"""Verify a source's gold answers before any token is spent on them.

A gold answer that does not equal itself would make right attempts wrong. One that equals a perturbed copy of itself
would make wrong attempts right. One that is undecided against its copies would leave wrong attempts without a verdict,
unless it is different from most other gold answers of its source: then only the nearest attempts are left open.
Whatever else a problem accepts is held to the same.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import repeat

import polars as pl

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from filters.answers.verdicts import DEFAULT_RULE
from filters.rules import REASON, Filtered
from generators.problems.perturbed import near_copies
from generators.problems.source import FOUND

NOT_EQUAL_ITSELF = "gold_not_equal_itself"
EQUALS_PERTURBED = "gold_equals_perturbed"
UNDECIDED_PERTURBED = "gold_undecided_against_perturbed"

SAMPLE = 8  # other gold answers that stand for wrong attempts
MIN_SAMPLE = 4

Failure = tuple[str, str]  # the reason, and what was found


async def verify_gold(problems: pl.DataFrame, checker: AnswerChecker, rule: AnswerRule = DEFAULT_RULE) -> Filtered:
    """Keep the problems whose gold answers each equal themselves and differ from their perturbed copy."""
    has_more = "also_accepted" in problems.columns
    more: Iterable[Iterable[str]] = problems["also_accepted"].to_list() if has_more else repeat((), problems.height)
    accepted = [(answer, *also) for answer, also in zip(problems["answer"], more, strict=True)]
    golds = list(dict.fromkeys(gold for golds in accepted for gold in golds))
    failures = await asyncio.gather(*(_failure(gold, golds, checker, rule) for gold in golds))
    failed = {gold: failure for gold, failure in zip(golds, failures, strict=True) if failure}
    first = [next((failed[gold] for gold in golds if gold in failed), None) for golds in accepted]
    judged = problems.with_columns(
        pl.Series(REASON, [failure and failure[0] for failure in first], dtype=pl.String),
        pl.Series(FOUND, [failure and failure[1] for failure in first], dtype=pl.String),
    )
    sound = pl.col(REASON).is_null()
    return Filtered(judged.filter(sound).drop(REASON, FOUND), judged.filter(~sound))


async def _failure(gold: str, others: Sequence[str], checker: AnswerChecker, rule: AnswerRule) -> Failure | None:
    itself = await checker.check(rf"The answer is \boxed{{{gold}}}.", gold, rule=rule)
    if itself.verdict is not Verdict.EQUAL:
        return NOT_EQUAL_ITSELF, f"the gold answer {gold!r} is {itself.verdict} when compared with itself"
    undecided = None
    for copy in near_copies(gold):
        verdict = (await checker.compare(copy, gold, rule=rule)).verdict
        if verdict is Verdict.DIFFERENT:
            return None
        found = f"the gold answer {gold!r} is {verdict} when compared with its perturbed copy {copy!r}"
        if verdict is Verdict.EQUAL:
            return EQUALS_PERTURBED, found
        undecided = undecided or (UNDECIDED_PERTURBED, found)
    return None if await _differs_from_most(gold, others, checker, rule) else undecided


async def _differs_from_most(gold: str, others: Sequence[str], checker: AnswerChecker, rule: AnswerRule) -> bool:
    """Whether the checker tells a gold answer from most of a sample of the source's other gold answers."""
    step = max(1, len(others) // SAMPLE)
    sample = [other for other in others[::step] if other != gold][:SAMPLE]
    decisions = await asyncio.gather(*(checker.compare(other, gold, rule=rule) for other in sample))
    different = sum(decision.verdict is Verdict.DIFFERENT for decision in decisions)
    return len(sample) >= MIN_SAMPLE and different > len(sample) / 2
