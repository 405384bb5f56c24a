import asyncio

import polars as pl
import pytest

from filters.answers.checker import AnswerChecker, Decision, Verdict
from generators.problems.gold import verify_gold
from generators.problems.perturbed import perturbed


class Scripted:
    """A checker that says what it is told: of an answer against itself, and of its perturbed copy."""

    def __init__(self, itself, other):
        self.itself, self.other = itself, other

    async def check(self, response, gold, rule):
        assert gold in response
        return Decision(verdict=self.itself)

    async def compare(self, answer, gold, rule):
        assert answer == perturbed(gold)
        return Decision(verdict=self.other)


SCHEMA = {"answer": pl.String, "also_accepted": pl.List(pl.String)}


def verified(checker, *answers):
    problems = pl.DataFrame({"answer": answers, "also_accepted": [[]] * len(answers)}, schema=SCHEMA)
    return asyncio.run(verify_gold(problems, checker))


@pytest.mark.parametrize(
    ("itself", "other", "reason"),
    [
        (Verdict.EQUAL, Verdict.DIFFERENT, None),
        (Verdict.DIFFERENT, Verdict.DIFFERENT, "gold_not_equal_itself"),
        (Verdict.UNPARSED, Verdict.DIFFERENT, "gold_not_equal_itself"),
        (Verdict.TIMEOUT, Verdict.EQUAL, "gold_not_equal_itself"),
        (Verdict.EQUAL, Verdict.EQUAL, "gold_equals_perturbed"),
        (Verdict.EQUAL, Verdict.UNPARSED, "gold_undecided_against_perturbed"),
        (Verdict.EQUAL, Verdict.TIMEOUT, "gold_undecided_against_perturbed"),
    ],
)
def test_the_reason_says_which_check_a_gold_answer_failed(itself, other, reason):
    made = verified(Scripted(itself, other), "4", "4", "5")
    assert made.kept.height == (0 if reason else 3)
    assert made.counts() == ({reason: 3} if reason else {})


def test_each_answer_has_its_own_reason():
    with AnswerChecker() as checker:
        made = verified(checker, "4", r"\frac{1}{", "12")
    assert made.kept["answer"].to_list() == ["4", "12"]
    assert made.dropped.select("answer", "reason").rows() == [(r"\frac{1}{", "gold_not_equal_itself")]


def test_a_problem_needs_every_further_answer_verified_too():
    rows = [("4", ["5", "six"]), ("4", [r"\frac{1}{"]), ("7", [])]
    with AnswerChecker() as checker:
        made = asyncio.run(verify_gold(pl.DataFrame(rows, schema=SCHEMA, orient="row"), checker))
    assert made.kept["answer"].to_list() == ["4", "7"]
    assert made.dropped.select("also_accepted", "reason").rows() == [([r"\frac{1}{"], "gold_not_equal_itself")]


def test_no_problems_are_verified_at_once():
    assert verified(Scripted(Verdict.EQUAL, Verdict.EQUAL)).kept.height == 0


@pytest.mark.parametrize(
    ("answer", "other"),
    [
        ("18", "28"),
        ("1,900", "2,900"),
        (r"\frac{9}{4}", r"\frac{8}{4}"),
        ("p - q", "p - q + 1"),
        (r"\text{B}", r"\text{C}"),
        (r"\pi", r"\pi + 1"),
        ("x_1 = 5", "x_1 = 6"),
        ("11:45 p.m.", "11:42 p.m."),
        ("3:4", "4:4"),
        ("E_{1}", "F_{1}"),
        ("C", "D"),
        ("(C) Na", "D"),
        ("(Z) 12", "A"),
        ("Yes", "No"),
        ("no", "yes"),
        ("FALSE", "TRUE"),
        (r"\text{Even}", r"\text{Odd}"),
        ("否", "是"),
        ("no solution", "7"),
        ("undefined", "7"),
        ("east", "zebra"),
        ("zebra", "giraffe"),
        ("MR=SRMC", "NS=TSND"),
        (r"(-\infty, \infty)", r"(-7, \infty)"),
        (r"\emptyset", "7"),
        (r"\mathbb{R}", "7"),
    ],
)
def test_a_perturbed_answer_has_another_value(answer, other):
    assert perturbed(answer) == other
