r"""Kinds of answers that are easily taken for each other: lost braces, parts of sums of units, classes, rows."""

import asyncio

import pytest

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from filters.answers.exact import compare_exactly

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED

FORMULAS = [
    (r"36\pi \text{ cm}^2", r"36\pi", EQUAL),
    (r"2\sqrt{3}\text{ meters}", r"2\sqrt3 \text{ m}", EQUAL),
    (r"\frac{\pi}{3} radians", r"\frac{\pi}{3}", EQUAL),
    (r"5!\text{ ways}", "120", EQUAL),
    (r"2^{10}\text{ ways}", "1024", EQUAL),
    (r"36\pi\text{ cm}^2", r"36\pi\text{ cm}^3", DIFFERENT),
    (r"36\pi\text{ cm}^2", "36 cm^2", DIFFERENT),
    (r"2x\text{ hours}", r"2x\text{ minutes}", UNPARSED),
    (r"\sqrt{5}\text{ percent}", r"\sqrt{5}", UNPARSED),
    (r"\sqrt{5}\text{ million}", r"\sqrt{5}", UNPARSED),
    (r"n\text{ sixths}", "n", UNPARSED),
    (r"x\text{ dollars}", "x", UNPARSED),
    ("A line", "A", UNPARSED),
]
SUMS = [
    ("2 h 5 min", "2 hours 5 minutes", EQUAL),
    ("6 kg 200 g", "6 kg, 200 g", EQUAL),
    ("5 ft. 3 in.", "5 feet, 3 inches", EQUAL),
    ("5'3\"", "5 feet 3 inches", EQUAL),
    (r"30^\circ 15'", r"30.25^\circ", EQUAL),
    (r"30^\circ 15'", r"30^\circ 16'", DIFFERENT),
    ("2 h 30 min", "2.3 h", DIFFERENT),
    ("5'3\"", "53", UNPARSED),
    ("5 mg", "5 Mg", UNPARSED),
]
BRACES = [
    ("2^{6}3^{5}", r"64 \cdot 243", EQUAL),
    (r"\log_{2}3", r"\frac{\ln 3}{\ln 2}", EQUAL),
    ("x_{1}^{2}", "x_1^2", EQUAL),
    ("2^{3}4", "2^{34}", UNPARSED),
    ("x^{1}0", "x^{10}", UNPARSED),
    (r"\log_{2}3x", r"\log_{23}x", DIFFERENT),
    ("IV", "VI", UNPARSED),
]
CLASSES = [
    (r"x \equiv 2 \pmod 5", r"x\equiv 2 (mod 5)", EQUAL),
    (r"x \equiv -2 \pmod{5}", r"3 \pmod 5", EQUAL),
    (r"x \equiv 2, 7 \pmod{10}", r"x \equiv 2 \pmod 5", EQUAL),
    (r"x \equiv 2 \pmod 5", r"x \equiv 3 \pmod 5", DIFFERENT),
    (r"x \equiv 2 \pmod 5", r"x \equiv 2 \pmod 7", DIFFERENT),
    (r"x \equiv 2 \pmod 5", "x = 2", UNPARSED),
    (r"2 \pmod 5", "2", UNPARSED),
]
OTHERS = [
    (r"\sin 30^\circ", "1/2", EQUAL),
    (r"\cos 36^\circ", r"\frac{1+\sqrt5}{4}", EQUAL),
    (r"\sin 30^\circ", r"\cos 30^\circ", DIFFERENT),
    ("[[1,2],[3,4]]", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", EQUAL),
    ("[[1,2],[3,4]]", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}", DIFFERENT),
    ("red, blue", "red and blue", EQUAL),
    ("red or blue", "red and blue", UNPARSED),
    ("x=1 or y=2", "x=1 and y=2", UNPARSED),
    (r"1011_{\text{two}}", "1011_2", EQUAL),
    ("10{:}30", "10:30", EQUAL),
    ("The answer is 5", "5", EQUAL),
    ("The answer is -5", "5", DIFFERENT),
    ("5 out of 6", r"\frac56", UNPARSED),
    ("1,23,456", "123456", UNPARSED),
]


@pytest.mark.parametrize(("one", "other", "verdict"), FORMULAS + SUMS + BRACES + CLASSES + OTHERS)
def test_what_looks_alike_is_equal_only_where_it_certainly_is(one, other, verdict):
    assert decide(one, other) is verdict
    assert decide(other, one) is verdict


def test_units_that_are_ignored_are_so_for_symbols_of_one_letter():
    rule = AnswerRule(units="ignored")
    assert compare_exactly("5 m", "5 cm", rule).verdict is EQUAL
    assert compare_exactly("5 m", "6 cm", rule).verdict is DIFFERENT


def test_formulas_with_units_are_converted_where_the_rule_says_so():
    assert decide(r"2\pi\text{ hours}", r"120\pi\text{ minutes}", AnswerRule(units="converted")) is EQUAL
    assert decide(r"2\pi\text{ hours}", r"2\pi\text{ minutes}", AnswerRule(units="converted")) is DIFFERENT


def decide(one: str, other: str, rule: AnswerRule | None = None) -> Verdict:
    async def compare() -> Verdict:
        with AnswerChecker() as checker:
            return (await checker.compare(one, other, rule=rule or AnswerRule())).verdict

    return asyncio.run(compare())
