from collections.abc import Sequence
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.equations.judging import Truth
from filters.equations.rules import states_nothing_false
from filters.equations.stated import refuted, stated_equations
from filters.rules import apply_rules

TRUE = [
    "14 - 3 = 11",
    "2+6 = 8 = 4*2",
    r"\frac{1}{2} + \frac12 = 1",
    r"$3 \times 4 = 12$",
    "20% of 50 = 10",
    "3/5 = 60%",
    "$2 * 3 = $6",
    "3 apples + 4 apples = 7 apples",
    "1,200 + 300 = 1,500",
    "1 1/2 + 2 = 3 1/2",
    "2 plus 3 is 5",
    "1. 2 + 3 = 5",
    "3^2 + 4^2 = 5^2",
    r"\sqrt{16} + 1 = 5",
    r"2 \cdot (3 + 4) = 2(7)",
    "5! = 120",
    "90° - 30° = 60°",
    "5 boxes * 3 apples per box = 15 apples",
    "60 miles/hour * 2 hours = 120 miles",
    r"\left(\frac{3}{4}\right)^2 = \frac{9}{16}",
    "She sells them for 9 * 2 = $<<9*2=18>>18 every day.",
    r"1{,}000 + 1 = \boxed{1001}",
]
FALSE = [
    "5 + 5 = 11!",
    "3! = 9",
    "- 2 + 6 = 14",
    "2020 - 2019 = 2",
    "3/4 = 76",
    "2 * 30 = 61 minutes",
    "2 + 6 = 14",
    "17 - 2 = 19",
    "So 2 + 6 = 14 apples.",
    "So $2 + 6 = 14$ apples.",
    "2+6 = 8 = 4*3",
    r"\frac{1}{2} + \frac{1}{3} = \frac{2}{5}",
    "20% of 50 = 15",
    "$2 * 3 = $7",
    "$1.50 + $2.75 = $4.00",
    "1,200 + 300 = 1,600",
    "2 plus 3 is 6",
    "<<2+3=6>>6",
    "(1) 2 + 3 = 6",
    "- 2 + 3 = 6",
    "**2 + 3 = 6**",
    "Step 1: 2 + 3 = **6**",
    r"\[ 3^2 + 4^2 = 26 \]",
    r"2 + 3 = \boxed{6}",
    "x = 3 * 4 = 13",
    "If each costs $3, then 4 * $3 = $13.",
    "She has 5 - 3 = 1 eggs left",
    "a total of 5 + 3 = 9",
    "3 x 4 = 13",
    "0.1 + 0.2 = 0.4",
    "100 - 100 ÷ 4 = 70",
    "所以2+6=14个苹果",
]
EXCUSED = {
    "read otherwise": [
        "5 + 5 = 10!",
        "So 12 * 2 = 24!\nGreat.",
        "5 * 3 = 15\n\n- 2 + 4 = 2",
        "45 + 30 = 75 = 1 hour 15 minutes",
        "60 + 6 = 66 = 5 feet 6 inches",
        "2019-2020 = 1 season",
        "I first thought 3 * 5 = 16, but 3 * 5 = 15.",
        "3/4 = 75",
    ],
    "rounded": [
        "10/3 = 3.33",
        r"10/3 \approx 3.3",
        "1/3 + 1/3 = 0.67",
        "33.3 * 3 = 100",
        "7/2 = 3",
        "0.1*7=0.7000000000000001",
    ],
    "said to be rounded": ["8 * 9 = 70, roughly", "Rounding, 8 * 9 = 70"],
    "converted": [
        "60 cents = $0.60",
        "2 hours = 120 minutes",
        "3 * 20 minutes = 1 hour",
        "3 feet + 4 inches = 40 inches",
    ],
    "modulo": ["7+5 = 2 mod 10", r"7 + 5 = 2 \pmod{10}", "Modulo 10, 7 + 5 = 2"],
    "another base": ["1011_2 = 11", "In binary, 1 + 1 = 10", "In base 8, 7 + 1 = 10"],
    "a clock": ["9 + 8 = 5 pm", "10 + 5 = 3 o'clock", "11:30 + 2 = 1:30"],
    "supposed": ["If 1+1 were 3", "if 1 + 1 = 3, 2 + 2 = 6", "Suppose 1 + 1 = 3. Then 2 + 2 = 6."],
    "checked or asked": ["Check: 3+4=8", "does 3+4=8?", "3 + 4 = ?", "2+6=14?"],
    "retracted": ["2+6=14? No", "2 + 6 = 14. That is wrong.", "2 + 6 = 14\nWait, let me redo it.", "~~2+6=14~~ wrong"],
    "quoted": [
        'He wrote "2+6=14".',
        "The student wrote 2+6=14",
        "It is not true that 2 + 6 = 14",
        "2 + 6 = 14 is false",
    ],
    "denied": [r"2 + 6 \ne 14", "2 + 6 ≠ 14", "2 + 6 != 14"],
    "a variable's": ["2x = 6", "x + 2 = 5", "5 + 2n = 8", "ab = 5 * 3", "3 + x = 8", r"\pi + 1 = 5", "2 + 3 = 6y"],
    "a function's": ["f(2)=5", "f(2) + 1 = 5", r"\log 10 + 2 = 5", "gcd(4, 6) + 1 = 5"],
    "a remainder's": ["7 / 2 = 3 remainder 1", "7/2 = 3 R 1", "7 / 2 = 3, with 1 left over"],
    "a ratio or a date": ["6 : 2 = 4", "3:2 = 6:5", "12/25 = Christmas"],
    "cut short": [
        "half of 6 + 2 = 5",
        "twice 3 + 4 = 11",
        "10 - 2 = 8 dozen",
        "7 - 2 = 5 more than 1",
        "divide by 2 + 3 = 6",
        "2 + 3 = 5 * n",
    ],
    "a label": [
        "Day 3 = 4 + 5",
        "Weeks 1-2 = 96 - 70",
        "Step 2 = 5",
        "Day 1 - 3 + 4 = 7",
        "Robot 3000 - 60 * 24 = 1440",
    ],
    "carried on": ["5 + 3 = 8 * 2 = 16", "the first is 1/6 = 1/6 * 12 = 2"],
    "not exact": [r"\sqrt{2} + 1 = 2.4", "1/0 = 5", "2^100000 = 3"],
    "of another notation": ["2,5 + 2,5 = 6", "600 x 30 = 18 000", "0900-0130 = 0730"],
}


@pytest.mark.parametrize("text", TRUE)
def test_a_true_equation_is_true(text: str) -> None:
    assert {equation.truth for equation in stated_equations(text)} == {Truth.TRUE}


@pytest.mark.parametrize("text", FALSE)
def test_a_false_equation_is_refuted(text: str) -> None:
    assert refuted(text) is not None


@pytest.mark.parametrize(("excuse", "text"), [(excuse, text) for excuse, texts in EXCUSED.items() for text in texts])
def test_an_equation_that_may_be_excused_is_not_refuted(excuse: str, text: str) -> None:
    assert refuted(text) is None, excuse


def test_an_equation_has_its_text_and_span() -> None:
    text = r"So $2 + 6 = \boxed{14}$."
    (equation,) = stated_equations(text)
    assert equation.text == text[slice(*equation.span)] == r"2 + 6 = \boxed{14}"


def test_nothing_is_false_where_the_problem_counts_otherwise() -> None:
    assert refuted("7 + 5 = 2") is not None
    assert refuted("7 + 5 = 2", given="What is 7 + 5 modulo 10?") is None
    assert refuted("3 * 4 = 19", given=r"Define $a \star b$ = a + 4b.") is None


def test_a_rule_drops_texts_that_state_something_false() -> None:
    texts = pl.DataFrame({"step": ["2 + 6 = 8", "2 + 6 = 14", "none", None]})
    filtered = apply_rules(texts, states_nothing_false("step"))
    assert filtered.kept["step"].to_list() == ["2 + 6 = 8", "none", None]
    assert filtered.counts() == {"false_equation": 1}


numbers = st.integers(0, 2000)


@st.composite
def formulas(draw: st.DrawFn, depth: int = 2) -> tuple[str, Fraction]:
    if depth == 0 or draw(st.booleans()):
        number = draw(numbers)
        return draw(st.sampled_from([f"{number}", f"{number:,}"])), Fraction(number)
    left, a = draw(formulas(depth - 1))
    right, b = draw(formulas(depth - 1))
    sign = draw(st.sampled_from("+-*/"))
    if sign == "/" and b == 0:
        sign = "+"
    value = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else a}[sign]
    if draw(st.booleans()):
        written = {"+": "+", "-": "-", "*": r"\times", "/": r"\div"}[sign]
        return rf"\left({left} {written} {right}\right)", value
    return f"({left} {sign} {right})", value


def written(value: Fraction) -> str:
    return f"{value.numerator}" if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"


@given(formulas(), st.sampled_from(["{}", "So {}.", "She has {} eggs left.", "$${}$$", "- {}", "1) {}"]))
def test_a_true_equation_is_never_false(formula: tuple[str, Fraction], line: str) -> None:
    text, value = formula
    assert refuted(line.format(f"{text} = {written(value)}")) is None


@given(numbers, numbers, st.integers(1, 500), st.sampled_from(["{}", "So {}.", "She has {} eggs left.", r"\[{}\]"]))
def test_a_changed_result_is_found(left: int, right: int, change: int, line: str) -> None:
    for sign, value in (("+", left + right), (r"\times", left * right), ("-", left + right + change)):
        first = left if sign != "-" else value
        result = value + change if sign != "-" else left + 2 * change + right
        assert refuted(line.format(f"{first} {sign} {right} = {result}")) is not None


@given(st.text("0123456789+-*/=()., x$%\\{}<>\n?!ifnot", max_size=60))
def test_any_text_is_read(text: str) -> None:
    equations: Sequence[object] = stated_equations(text)
    assert isinstance(equations, tuple)
