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
    """Keep the problems whose gold answers each equal themselves and differ from what is wrong.

    Wrong are the other choices of a problem, if it has choices, else a perturbed copy of the gold answer.
    """
    accepted = [
        (answer, *also) for answer, also in zip(problems["answer"], _lists(problems, "also_accepted"), strict=True)
    ]
    others = [tuple(wrong) for wrong in _lists(problems, "others")]
    counts = Counter(gold for golds in accepted for gold in golds)
    words = [gold for gold, _ in counts.most_common() if is_in_words(gold)][:_WORDS]
    claims = list(dict.fromkeys((gold, wrong) for golds, wrong in zip(accepted, others, strict=True) for gold in golds))
    failures = await asyncio.gather(*(_failure(gold, wrong, words, checker) for gold, wrong in claims))
    failed = {claim: failure for claim, failure in zip(claims, failures, strict=True) if failure}
    first = [
        next((failed[gold, wrong] for gold in golds if (gold, wrong) in failed), None)
        for golds, wrong in zip(accepted, others, strict=True)
    ]
    judged = problems.with_columns(
        pl.Series(REASON, [failure and failure[0] for failure in first], dtype=pl.String),
        pl.Series(FOUND, [failure and failure[1] for failure in first], dtype=pl.String),
    )
    sound = pl.col(REASON).is_null()
    return Filtered(judged.filter(sound).drop(REASON, FOUND), judged.filter(~sound))


def _lists(problems: pl.DataFrame, column: str) -> Iterable[Iterable[str]]:
    """A column of lists of texts; empty lists where the table has no such column."""
    return problems[column].to_list() if column in problems.columns else repeat((), problems.height)


async def _failure(gold: str, others: Sequence[str], words: Sequence[str], checker: AnswerChecker) -> Failure | None:
    itself = await checker.check(rf"The answer is \boxed{{{gold}}}.", gold)
    if itself.verdict is not Verdict.EQUAL:
        return NOT_EQUAL_ITSELF, f"the gold answer {gold!r} is {itself.verdict} when compared with itself"
    copies = others or near_copies(gold, words)
    for copy in copies:
        other = await checker.compare(copy, gold)
        if other.verdict is Verdict.EQUAL:
            return EQUALS_PERTURBED, f"the gold answer {gold!r} counts as equal to {copy!r}"
        if other.verdict is Verdict.DIFFERENT and not others:
            return None
        if other.verdict is not Verdict.DIFFERENT and others:
            return UNDECIDED_PERTURBED, f"the gold answer {gold!r} is undecided against the wrong choice {copy!r}"
    if others:
        return None
    return UNDECIDED_PERTURBED, f"the gold answer {gold!r} is undecided against {', '.join(map(repr, copies))}"
