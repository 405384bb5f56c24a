import asyncio

import polars as pl
import pytest

from filters.answers.checker import AnswerChecker, Decision, Verdict
from generators.problems.gold import verify_gold
from generators.problems.perturbed import near_copies, perturbed


class Scripted:
    """A checker that says what it is told: of an answer against itself, and of its perturbed copy."""

    def __init__(self, itself, other):
        self.itself, self.other = itself, other

    async def check(self, response, gold, rule):
        assert gold in response
        return Decision(verdict=self.itself)

    async def compare(self, answer, gold, rule):
        assert answer in near_copies(gold) or answer in OTHERS
        return Decision(verdict=self.other)


OTHERS = ("4", "5")
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


@pytest.mark.parametrize(
    ("answer", "copy"),
    [
        (r"$\log_8(4)=\frac{2}{3}$", r"$\log_8(4)=\frac{3}{3}$"),
        (r"$w=\frac{V}{lh}$", r"$w=\frac{V}{lh} + 1$"),
        ("P(X=2)=0.4, P(X=x)=0 otherwise", "P(X=2)=1.4, P(X=x)=0 otherwise"),
        ("The current is 2 amps.", "3"),
        ("Yes. It is closed.", "No. It is closed."),
        ("The solution is not unique", "The solution is unique"),
        (r"$\frac{4}{3} \approx 1.33$", r"$\frac{5}{4} \approx 2.33$"),
    ],
)
def test_an_answer_has_further_copies_with_other_values(answer, copy):
    assert copy in near_copies(answer)
    assert answer not in near_copies(answer)


class Deciding:
    """A checker that tells the given answers from every gold answer and leaves all others open."""

    def __init__(self, *told_apart):
        self.told_apart = told_apart

    async def check(self, response, gold, rule):
        return Decision(verdict=Verdict.EQUAL)

    async def compare(self, answer, gold, rule):
        return Decision(verdict=Verdict.DIFFERENT if answer in self.told_apart else Verdict.UNPARSED)


def test_one_copy_that_is_told_apart_is_enough():
    assert verified(Deciding("The current is 3 amps."), "The current is 2 amps.").kept.height == 1


@pytest.mark.parametrize(("told_apart", "kept"), [(4, 1), (3, 1), (2, 0)])
def test_a_gold_answer_that_is_different_from_most_others_is_kept(told_apart, kept):
    others = [f"answer {letter}" for letter in "abcd"]
    made = verified(Deciding(*others[:told_apart]), "C e^t", *others)
    assert ("C e^t" in made.kept["answer"].to_list()) == bool(kept)


def test_a_copy_that_is_equal_is_refused_though_others_are_different():
    class Alike(Deciding):
        async def compare(self, answer, gold, rule):
            verdict = Verdict.EQUAL if answer == perturbed(gold) else Verdict.DIFFERENT
            return Decision(verdict=verdict)

    assert verified(Alike(), "C", "D", "E", "F", "G").counts() == {"gold_equals_perturbed": 5}
