from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.process_labels.audit.arithmetic import evaluate, last_equation, lexemes, written

EQUATIONS = [
    ("17 + 5 = 22\n", "17+5", 22),
    ("Step 1: (3 + 5) \\times 2 = 16.", "(3+5)*2", 16),
    ("- 17 − 5 = 12", "17-5", 12),
    ("2. 3 x 4 = 12", "3*4", 12),
    ("**12 ÷ 4 = 3**", "12/4", 3),
    ("$2.50 + $1.00 = $3.50", "2.50+1.00", Fraction(7, 2)),
    ("So 1,000 + 500 = 1,500, and so on.", "1000+500", 1500),
    ("-5 + 2 = -3", "-5+2", -3),
    ("x = 2 * 3 + 4 = 6 + 4 = 10", "6+4", 10),
    ("12 - 4 = 8 and 8 * 2 = 16.", "8*2", 16),
    ("\\[17 + 5 = 22\\]", "17+5", 22),
]


@pytest.mark.parametrize(("text", "left", "result"), EQUATIONS)
def test_the_last_equation_between_numbers_is_read(text, left, result):
    equation = last_equation(text)
    assert "".join(lexeme.symbol for lexeme in equation.left) == left
    assert equation.result == result
    assert equation.is_true


@pytest.mark.parametrize(
    "text",
    [
        "2x + 3 = 11",
        "y - 3 - 1 = 11",
        "f(3) + 5 = 9",
        "10% * 50 = 5",
        "x_1 = 3",
        "3 + 5 = 8 + y",
        "3/4 of 12 = 9",
        "Adding 12 now gives 57",
        "5 / 0 = 5",
        "(3 + 5 = 8",
        "(2)(3) + 1 = 7",
        "",
    ],
)
def test_a_formula_with_more_than_numbers_in_it_is_no_equation(text):
    assert last_equation(text) is None


def test_a_false_equation_is_read_and_said_to_be_false():
    assert not last_equation("17 + 5 = 23").is_true
    assert not last_equation("10 / 3 = 3.33").is_true


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (Fraction(7), "3", "7"),
        (Fraction(7, 2), "3", None),
        (Fraction(7, 2), "1.00", "3.50"),
        (Fraction(-1, 20), "0.25", "-0.05"),
        (Fraction(12345), "1,000", "12,345"),
        (Fraction(-3), "-5", "-3"),
    ],
)
def test_a_value_is_written_in_the_manner_of_another_number(value, like, text):
    assert written(value, like=like) == text


FORMULAS = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner) | inner.map("-{}".format),
    max_leaves=8,
)


@given(FORMULAS)
def test_a_formula_comes_to_what_python_says(formula):
    assert evaluate(lexemes(f": {formula}")[1:]) == eval(formula)


@given(st.text(alphabet="0123 +-*/=()$.,x\n", max_size=40))
def test_no_text_is_too_strange_to_be_read(text):
    equation = last_equation(text)
    assert equation is None or text[equation.start : equation.end].strip()
