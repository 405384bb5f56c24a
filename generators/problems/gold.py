"""Verify a source's gold answers before any token is spent on them.

A gold answer that does not equal itself would make right attempts wrong. One that equals a perturbed copy of itself
would make wrong attempts right. One that is undecided against every such copy would leave wrong attempts without a
verdict. Whatever else a problem accepts is held to the same.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat

import polars as pl

from filters.answers.checker import AnswerChecker, Verdict
from filters.rules import REASON, Filtered
from generators.problems.perturbed import is_in_words, near_copies
from generators.problems.source import FOUND

NOT_EQUAL_ITSELF = "gold_not_equal_itself"
EQUALS_PERTURBED = "gold_equals_perturbed"
UNDECIDED_PERTURBED = "gold_undecided_against_perturbed"
_WORDS = 8  # gold answers in words that another one is held against

Failure = tuple[str, str]  # the reason, and what was found


async def verify_gold(problems: pl.DataFrame, checker: AnswerChecker) -> Filtered:
    """Keep the problems whose gold answers each equal themselves and differ from a perturbed copy."""
    has_more = "also_accepted" in problems.columns
    more: Iterable[Iterable[str]] = problems["also_accepted"] if has_more else repeat((), problems.height)
    accepted = [[answer, *also] for answer, also in zip(problems["answer"], more, strict=True)]
    counts = Counter(gold for golds in accepted for gold in golds)
    words = [gold for gold, _ in counts.most_common() if is_in_words(gold)][:_WORDS]
    failures = await asyncio.gather(*(_failure(gold, words, checker) for gold in counts))
    failed = {gold: failure for gold, failure in zip(counts, failures, strict=True) if failure}
    first = [next((failed[gold] for gold in golds if gold in failed), None) for golds in accepted]
    judged = problems.with_columns(
        pl.Series(REASON, [failure and failure[0] for failure in first], dtype=pl.String),
        pl.Series(FOUND, [failure and failure[1] for failure in first], dtype=pl.String),
    )
    sound = pl.col(REASON).is_null()
    return Filtered(judged.filter(sound).drop(REASON, FOUND), judged.filter(~sound))


async def _failure(gold: str, words: Sequence[str], checker: AnswerChecker) -> Failure | None:
    itself = await checker.check(rf"The answer is \boxed{{{gold}}}.", gold)
    if itself.verdict is not Verdict.EQUAL:
        return NOT_EQUAL_ITSELF, f"the gold answer {gold!r} is {itself.verdict} when compared with itself"
    copies = near_copies(gold, words)
    for copy in copies:
        other = await checker.compare(copy, gold)
        if other.verdict is Verdict.DIFFERENT:
            return None
        if other.verdict is Verdict.EQUAL:
            return EQUALS_PERTURBED, f"the gold answer {gold!r} counts as equal to {copy!r}"
    return UNDECIDED_PERTURBED, f"the gold answer {gold!r} is undecided against {', '.join(map(repr, copies))}"
