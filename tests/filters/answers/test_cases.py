import asyncio
from pathlib import Path

import pytest

from benchmarks.answer_cases import counted, kind_of, our_verdicts, read_cases
from filters.answers.checker import AnswerChecker, Verdict, WorkerLimits

CASES = Path(__file__).with_name("cases.jsonl")


@pytest.fixture(scope="module")
def judged():
    with AnswerChecker(WorkerLimits(seconds=20)) as checker:
        return asyncio.run(our_verdicts(checker, read_cases(CASES)))


def shown(judged, kind):
    return [(one.case.text, one.case.gold, one.verdict) for one in judged if one.kind == kind]


@pytest.mark.parametrize("kind", ["raised", "wrong_equal"])
def test_no_public_case_raises_or_is_wrongly_equal(judged, kind):
    assert shown(judged, kind) == []


def test_at_most_one_public_case_in_a_hundred_is_wrongly_different(judged):
    wrong = shown(judged, "wrong_different")
    assert len(wrong) <= 0.01 * len(judged), wrong


def test_at_most_12_of_100_equal_public_cases_are_undecided(judged):
    undecided = shown(judged, "undecided")
    equal = [one for one in judged if one.case.expected is Verdict.EQUAL]
    assert len(undecided) <= 0.12 * len(equal), undecided


def test_every_public_case_is_counted_once(judged):
    assert len(judged) == sum(counted(judged).values()) == 359


@pytest.mark.parametrize(
    ("is_equal", "verdict", "kind"),
    [
        (True, Verdict.EQUAL, "right"),
        (False, Verdict.EQUAL, "wrong_equal"),
        (True, Verdict.DIFFERENT, "wrong_different"),
        (False, Verdict.DIFFERENT, "right"),
        (True, Verdict.UNPARSED, "undecided"),
        (True, Verdict.NO_ANSWER, "undecided"),
        (False, Verdict.TIMEOUT, "harmless"),
        (False, Verdict.ERROR, "raised"),
        (True, "raised", "raised"),
    ],
)
def test_a_verdict_is_counted_by_what_it_costs(is_equal, verdict, kind):
    assert kind_of(is_equal, verdict) == kind
