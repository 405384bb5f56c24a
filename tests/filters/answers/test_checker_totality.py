import asyncio
import logging

import polars as pl
import pytest

from filters.answers import checker as module
from filters.answers.checker import AnswerChecker, Verdict
from generators.problems.gold import NOT_EQUAL_ITSELF, verify_gold

EQUAL, DIFFERENT, UNPARSED, ERROR = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED, Verdict.ERROR
ALGEBRA = (r"\sqrt{x+1}\sqrt{x+1}", "x+1")  # a pair for the workers


class Broken(str):
    """An answer on which the exact tiers raise."""

    def strip(self, *_):
        raise RuntimeError("this gold cannot be read")


class BrokenWorkers:
    """Workers that raise instead of deciding."""

    async def decide(self, answer, gold):
        raise OSError("no more processes")

    def __exit__(self, *_):
        pass


def compare(answer, gold):
    with AnswerChecker() as checker:
        return asyncio.run(checker.compare(answer, gold))


def test_a_tier_that_raises_is_an_error_with_its_reason_in_the_log(caplog):
    with caplog.at_level(logging.WARNING):
        assert compare("18", Broken("18")).verdict is ERROR
    assert "this gold cannot be read" in caplog.text


def test_an_extractor_that_raises_is_an_error(monkeypatch):
    def find_nothing(response, rule):
        raise RecursionError("too deep")

    monkeypatch.setattr(module, "find_answer", find_nothing)
    with AnswerChecker() as checker:
        assert asyncio.run(checker.check(r"\boxed{18}", "18")).verdict is ERROR


def test_workers_that_raise_are_an_error_that_is_not_kept():
    with AnswerChecker() as checker:
        sound, checker._workers = checker._workers, BrokenWorkers()
        assert asyncio.run(checker.compare(*ALGEBRA)).verdict is ERROR
        checker._workers = sound
        assert asyncio.run(checker.compare(*ALGEBRA)).verdict is EQUAL


def test_a_cancelled_comparison_is_cancelled():
    async def cancel():
        with AnswerChecker() as checker:
            under_way = asyncio.create_task(checker.compare(*ALGEBRA))
            await asyncio.sleep(0)
            under_way.cancel()
            await under_way

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())


def test_golds_that_no_tier_can_read_are_set_aside_one_by_one(monkeypatch):
    def raise_on_pm(answer, gold, rule):
        if r"\pm" in answer:
            raise ValueError("nowhere to cut")
        return exact(answer, gold, rule)

    exact = module.compare_exactly
    monkeypatch.setattr(module, "compare_exactly", raise_on_pm)
    problems = pl.DataFrame({"answer": ["18", r"\frac{1 \pm \sqrt{5}}{2}", "7"]})
    with AnswerChecker() as checker:
        verified = asyncio.run(verify_gold(problems, checker))
    assert verified.kept["answer"].to_list() == ["18", "7"]
    assert verified.dropped["reason"].to_list() == [NOT_EQUAL_ITSELF]


@pytest.mark.parametrize(
    ("golds", "verdict"),
    [
        (["18", "20"], EQUAL),
        (("20", "18"), EQUAL),
        (["19", "20"], DIFFERENT),
        (["20", "18 thousand"], UNPARSED),
        (["18 thousand", "18"], EQUAL),
        ([Broken("18"), "18"], EQUAL),
        ([Broken("18"), "20"], ERROR),
        ([], ERROR),
    ],
)
def test_one_equal_gold_is_enough_and_one_undecided_gold_leaves_the_answer_open(golds, verdict):
    assert compare("18", golds).verdict is verdict


def test_a_checked_response_names_the_rule_that_found_its_answer():
    with AnswerChecker() as checker:
        decision = asyncio.run(checker.check(r"So \boxed{18}.", ["3", "18"]))
    assert (decision.verdict, decision.extracted, decision.found_by) == (EQUAL, "18", "box")
