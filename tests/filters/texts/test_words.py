import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.texts.respelling import comparable
from filters.texts.words import figures, words


def test_words_have_one_case_one_spelling_and_whole_numbers():
    assert words(r"Find $\dfrac{1,200}{x}$, \text{if} X=3.5!") == [
        "find", "\\frac", "1200", "x", "if", "x", "=", "3.5"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\frac{1}{2}", r"\frac12"),
        (r"\frac{1}{2}", r"\dfrac 1 2"),
        (r"\frac{1}{2}", r"\tfrac1{2}"),
        (r"\frac{a}{b}", r"\frac ab"),
        (r"\frac{\pi}{2}", r"\frac\pi2"),
        (r"\frac{1}{2}3", r"\frac123"),
        (r"\frac{12}{5}", r"\cfrac{12}{5}"),
        (r"\frac{\frac{1}{2}}{3}", r"\frac{\frac12}{3}"),
    ],
)
def test_a_fraction_has_the_same_words_however_it_is_spelled(one, other):
    assert words(one) == words(other)


def test_other_fractions_have_other_words():
    assert len({tuple(words(text)) for text in (r"\frac12", r"\frac{12}{}", r"\frac21", "12", r"\fraction12")}) == 5


def test_figures_are_what_is_no_word():
    assert figures(words(r"If $x = 3$, what is \frac12 of (x + 4)?")) == "= 3 1 2 ( + 4 )"


@given(st.integers(0, 9), st.integers(0, 9))
def test_digits_need_no_braces(above, below):
    assert words(rf"\frac{{{above}}}{{{below}}}") == words(rf"\frac{above}{below}")


def test_number_words_without_end_are_numbers_of_a_usual_size():
    numbers = comparable("two hundred and " * 5000 + "million " * 5000)
    assert max(len(number) for number in numbers if number[0].isdigit()) <= 24
