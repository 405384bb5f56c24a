from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.answers.exact import compare_exactly
from filters.answers.kinds.decimals import decimal, repeating
from filters.answers.kinds.numerals import read_numeral
from filters.answers.kinds.regions import read_region
from filters.answers.verdicts import AnswerRule, Verdict

EQUAL, DIFFERENT = Verdict.EQUAL, Verdict.DIFFERENT
PARTS = [
    r"1",
    r"2",
    r"-3",
    r"0.5",
    r"\frac{1}{2}",
    r"1,000",
    r"3/4",
    r"\pm",
    r"\cup",
    r"\cap",
    r"\setminus",
    r"\{",
    r"\}",
    r"(",
    r")",
    r"[",
    r"]",
    r",",
    r";",
    r":",
    r"=",
    r"<",
    r">",
    r"\neq",
    r"\le",
    r"\in",
    r"\mathbb{R}",
    r"\infty",
    r"x",
    r"y",
    r"\sqrt{2}",
    r"\approx",
    r"\overline{3}",
    r"0.",
    r"\ldots",
    r"km",
    r"cm",
    r"m",
    r"kg",
    r"hours",
    r"apples",
    r"dollars",
    r"\$",
    r"€",
    r"%",
    r"sixths",
    r"dozen",
    r"below",
    r"zero",
    r"and",
    r"or",
    r"no",
    r"yes",
    r"solution",
    r"A",
    r"B",
    r"(A)",
    r"A.",
    r"PM",
    r"3:00",
    r"the",
    r"\text{",
    r"m}",
    r"\lfloor",
    r"\rfloor",
    r"|",
    r"½",
    r"²",
    r"√",
    r"th",
]
ANSWERS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=7).map(" ".join) | st.lists(
    st.sampled_from(PARTS), min_size=1, max_size=7
).map("".join)
RULES = st.builds(
    AnswerRule,
    percent=st.sampled_from(["undecided", "fraction", "number"]),
    units=st.sampled_from(["optional", "ignored", "converted"]),
    lists=st.sampled_from(["undecided", "ordered", "unordered"]),
    tolerance=st.sampled_from([None, 0.01]),
)
thorough = settings(max_examples=300, deadline=None)
NUMBERS = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000)


@thorough
@given(ANSWERS, ANSWERS, RULES)
def test_swapping_the_sides_never_changes_the_outcome(one, other, rule):
    assert compare_exactly(one, other, rule) == compare_exactly(other, one, rule)


@thorough
@given(ANSWERS, RULES)
def test_an_answer_equals_itself_in_other_dress(answer, rule):
    for dressed in (f" {answer} ", f"${answer}$", f"**{answer}**"):
        if "$" not in answer and "*" not in answer:
            assert compare_exactly(answer, dressed, rule).verdict in (EQUAL, Verdict.UNPARSED)


@given(st.integers(0, 10**9))
def test_a_whole_number_is_itself_with_the_separators_of_any_country(value):
    plain = f"{value:,}"
    for separator in (" ", "\u2009", "\u00a0", "~", r"\,", r"\;", "'", "{,}"):
        assert compare_exactly(plain.replace(",", separator), str(value)).verdict is EQUAL


@given(st.integers(1000, 10**9), st.sampled_from(["({})", "[{}]", r"\{{{}\}}"]))
def test_brackets_make_a_number_with_commas_a_list(value, brackets):
    assert compare_exactly(brackets.format(f"{value:,}"), str(value)).verdict is not EQUAL


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 999))
def test_a_repeating_decimal_is_the_fraction_that_it_stands_for(whole, fixed, period):
    text = rf"{whole}.{fixed:02}\overline{{{period:03}}}"
    assert repeating(text) == whole + Fraction(fixed, 100) + Fraction(period, 99900)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two hundred and five thousand three", 205_003),
        ("nine hundred ninety nine", 999),
        ("one million two hundred thousand", 1_200_000),
        ("one and two thirds", Fraction(5, 3)),
        ("minus three quarters", Fraction(-3, 4)),
        ("half", Fraction(1, 2)),
    ],
)
def test_number_words_are_read_to_their_end(text, value):
    numeral = read_numeral(text.split())
    assert numeral is not None
    assert (numeral.value, numeral.rest) == (value, ())


@pytest.mark.parametrize("text", ["third", "second", "half a dozen", "a", "hundred", "apples", ""])
def test_a_word_that_may_mean_something_else_is_no_number(text):
    assert read_numeral(text.split()) is None


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 5)), min_size=1, max_size=4), st.randoms())
def test_the_order_of_intervals_in_a_union_means_nothing(intervals, random):
    texts = [f"[{low},{low + length})" for low, length in intervals]
    shuffled = random.sample(texts, len(texts))
    assert read_region(r"\cup".join(texts)) == read_region(r"\cup".join(shuffled))


@given(st.integers(-50, 50), NUMBERS.filter(bool))
def test_a_linear_inequality_is_its_solution(shift, slope):
    solution = Fraction(10 - shift) / slope
    sign = ">" if slope > 0 else "<"
    inequality = f"({slope.numerator}/{slope.denominator})*x + ({shift}) > 10"
    assert compare_exactly(inequality, f"x {sign} {solution}").verdict is EQUAL
    assert compare_exactly(inequality, f"x {sign} {solution + 1}").verdict is DIFFERENT


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.234,5", Fraction(12345, 10)), ("12 345,67", Fraction(1234567, 100)), ("- 1,000.5", Fraction(-10005, 10))],
)
def test_a_decimal_keeps_its_value_through_its_separators(text, value):
    assert decimal(text) == value
