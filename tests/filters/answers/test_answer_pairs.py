import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.answer_pairs import answer_pairs, hostile_answers
from filters.answers.checker import AnswerChecker, Verdict, WorkerLimits
from filters.answers.claims.claimed_values import tidy_end
from filters.answers.exact import compare_exactly
from filters.answers.extraction import extract_answer

PAIRS = answer_pairs()
NUMBERS = st.integers(-(10**6), 10**6)
ANSWERS = st.one_of(
    NUMBERS.map(str),
    NUMBERS.map("{:,}".format),
    st.tuples(NUMBERS, st.integers(1, 10**4)).map(lambda both: rf"\frac{{{both[0]}}}{{{both[1]}}}"),
    st.lists(NUMBERS, min_size=2, max_size=4).map(lambda items: f"({', '.join(map(str, items))})"),
    st.sampled_from([answer for answer, _, _ in PAIRS if answer.count("{") == answer.count("}")]),
)
MARKS = st.sampled_from([r"So \boxed{%s}.", "#### %s", r"The answer is $\boxed{%s}$"])
ANYTHING = st.one_of(st.text(max_size=60), st.text("0123456789+-*/^(){}[]\\,.= xsqrtfac$%", max_size=60))
thorough = settings(max_examples=200, deadline=None)


@pytest.fixture(scope="module")
def checker():
    with AnswerChecker(WorkerLimits(seconds=20)) as checker:
        yield checker


def test_the_table_is_met_in_99_of_100_pairs_and_never_by_a_wrong_equal(checker):
    async def verdicts():
        return [(await checker.compare(answer, gold)).verdict for answer, gold, _ in PAIRS]

    found = asyncio.run(verdicts())
    wrong = [pair for pair, verdict in zip(PAIRS, found, strict=True) if verdict is Verdict.EQUAL is not pair[2]]
    agreed = sum(verdict is truth for verdict, (_, _, truth) in zip(found, PAIRS, strict=True))
    assert len(PAIRS) >= 400
    assert wrong == []
    assert agreed >= 0.99 * len(PAIRS)


def test_every_answer_of_the_table_is_itself():
    assert [a for a, b, _ in PAIRS if compare_exactly(a, a).verdict is not Verdict.EQUAL] == []


@thorough
@given(answer=ANSWERS.filter(lambda answer: "boxed" not in answer), mark=MARKS)
def test_a_rendered_answer_is_extracted_as_it_was_written(answer, mark):
    written = tidy_end(answer) if mark.startswith("#") else answer.strip()
    assert extract_answer("First, 2 + 2 = 4.\n" + mark % answer) == written


def test_a_box_that_stands_behind_another_mark_is_opened():
    assert extract_answer(r"#### \boxed{18}") == "18"


@thorough
@given(answer=ANSWERS)
def test_an_answer_is_equal_to_itself(answer):
    assert compare_exactly(answer, answer).verdict is Verdict.EQUAL
    assert compare_exactly(f" {answer} ", answer).verdict is Verdict.EQUAL


@thorough
@given(one=st.one_of(ANSWERS, ANYTHING), other=st.one_of(ANSWERS, ANYTHING))
def test_nothing_raises_and_who_is_called_the_gold_makes_no_difference(one, other):
    extract_answer(one)
    assert compare_exactly(one, other) == compare_exactly(other, one)


@pytest.mark.parametrize("answer", hostile_answers(), ids=lambda answer: ascii(answer[:20]))
def test_a_hostile_answer_is_never_equal_and_never_raises(answer):
    extract_answer(answer)
    assert compare_exactly(answer, "7777").verdict is not Verdict.EQUAL
