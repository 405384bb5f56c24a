import random
import re
import time

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from filters.rules import apply_rules
from filters.texts.loops import LoopBounds, no_length_outliers, no_loops

ARITHMETIC = "\n".join(f"{n} + {n + 3} = {2 * n + 3}, so we carry on with {2 * n + 3}." for n in range(30))
ALPHABET = st.characters(codec="ascii", categories=("L", "N", "P", "S"))


def reasons(texts):
    """The reason for each text, or None where it is kept."""
    frame = pl.DataFrame({"row": range(len(texts)), "text": texts}, strict=False)
    dropped = dict(apply_rules(frame, no_loops("text")).dropped.select("row", "reason").iter_rows())
    return [dropped.get(row) for row in range(len(texts))]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ARITHMETIC, None),
        ("A short text is no loop. A short text is no loop.", None),
        ("we go on and on and " * 40, "word_loop"),
        (ARITHMETIC + "\n" + "Wait, let me check that again. " * 60, "character_loop"),
        ("The sum is 5. " + "0" * 60, "character_loop"),
        ("The sum is 5. " + "ab" * 30, "character_loop"),
        ("= 1" + "000" * 4, None),
        ("重复" * 40, "character_loop"),
        ("", None),
    ],
)
def test_loops_of_words_and_characters_are_noticed_and_long_arithmetic_is_none(text, reason):
    assert reasons([text]) == [reason]


SEVENTH = "142857" * 10
USUAL = [
    f"The decimal expansion of 1/7 to 60 places is 0.{SEVENTH}",
    f"The decimal expansion of 1/7 to 60 places is 0.{SEVENTH}...",
    f"So 1/7 = 0.{SEVENTH}$.",
    "So 1/7 = 0." + " ".join(["142857"] * 10),
    "One third is 0." + "3" * 60,
    "The probability is 0." + "0" * 58 + "1",
    "The probability is below 0." + "0" * 60,
    "10^60 is 1" + "0" * 60,
    "10^60 is 1" + ",000" * 20,
    "The repunit is " + "1" * 60,
    "In base 2 the digits are 1" + "01" * 30,
    "That was all.\n" + "-" * 60,
    "That was all.\n" + "-" * 80 + "\n",
    "That was all.\n" + "=" * 72,
    "That was all.\n" + "* " * 30,
    "That was all.\n" + "_" * 79,
    "Fill in the blank: " + "_" * 50,
    "Chapter one " + "." * 60,
    "| n | a | b | c | d | e | f | g | h | i |\n" + "|---" * 10 + "|",
    "| n | a | b |\n" + "|:--------------:" * 8 + "|",
    "+" + "---------+" * 8,
    "The row is all zeros: | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |",
    "So 20 = " + " + ".join(["1"] * 20),
    "So 3^20 = " + " \\times ".join(["3"] * 20),
    "So it is " + " + ".join(["\\frac{1}{2}"] * 12),
    "The last digits are " + ", ".join(["2", "4", "8", "6"] * 10),
    "The tosses are " + ", ".join(["H", "T"] * 15),
    "\\begin{pmatrix} " + " \\\\ ".join([" & ".join(["0"] * 6)] * 6),
    "The values:\n" + "- 3\n" * 14,
    "The answers:\n" + "* Yes\n" * 12,
    "The list:\n" + "- \n" * 20,
    "The chance is " + "(1/2)" * 12,
]


@pytest.mark.parametrize("text", USUAL)
@pytest.mark.parametrize("before", ["", ARITHMETIC])
def test_numbers_rules_and_short_lists_are_no_loops(text, before):
    assert reasons([f"{before}\n{text}"]) == [None]


@pytest.mark.parametrize(
    "unit",
    ["0", "1", "-", "=", "142857", "1 + ", "- 3\n", "| 0 ", "0 & ", "-" * 60 + "\n", "2, 4, 8, 6, ", "(1/2)", "H, T, ",
     "So 1/7 = 0.142857142857142857. ", "|---|---|\n| 1 | 2 |\n", "1.3333333333 \n"],
)  # fmt: skip
def test_what_goes_on_and_on_is_a_loop(unit):
    assert reasons([f"{ARITHMETIC}\n{unit * (600 // len(unit) + 8)}"]) != [None]


def test_a_null_text_is_dropped_by_the_first_rule():
    assert reasons([None, "fine"]) == ["word_loop", None]


@pytest.mark.parametrize("size", [20, 41, 100, 320, 599, 600])
@pytest.mark.parametrize("between", ["", " ", "\n\n"])
def test_a_passage_that_comes_five_times_in_a_row_is_a_loop_wherever_it_stands(size, between):
    passage = "".join(random.Random(size).choices("abcdefghij =+", k=size))
    looped = between.join([passage] * 5)
    around = [looped, ARITHMETIC + looped, looped + ARITHMETIC, f"{ARITHMETIC} {looped} {ARITHMETIC}"]
    assert None not in reasons(around)
    assert reasons([between.join([passage] * 3) + ARITHMETIC]) == [None]


@settings(max_examples=300, deadline=None)
@given(
    passage=st.text(ALPHABET, min_size=20, max_size=600),
    repeats=st.integers(5, 8),
    before=st.text(ALPHABET, max_size=300),
    after=st.text(ALPHABET, max_size=300),
)
def test_any_passage_of_20_to_600_characters_without_long_numbers_and_rules_is_found(passage, repeats, before, after):
    assume(not re.search(r"[0-9.,]{6}|([^A-Za-z])\1{5}", passage))  # those are shortened before the text is judged
    assert reasons([before + passage * repeats + after]) != [None]


def test_a_passage_whose_own_parts_repeat_is_found():
    passage = "We check the sum. We check the sum. We check the product, which is the one that we need. "
    assert reasons([ARITHMETIC + passage * 5 + ARITHMETIC]) == ["passage_loop"]


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_no_text_raises(text):
    reasons([text, text * 3])


@pytest.mark.parametrize(
    "text", ["", " " * 200_000, "ab" * 100_000, ("a" * 640 + "b") * 300, "a" * 3000 + "b" * 3000, ARITHMETIC * 4 + "x"]
)
def test_no_text_takes_long(text):
    began = time.perf_counter()
    reasons([text])
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": 1}, "n must be at least 2, got 1"),
        ({"word_share": 1}, "word_share must be above 0 and below 1, got 1"),
        ({"repeats": 2}, "repeats must be at least 3, got 2"),
        ({"longest_passage": 9}, "longest_passage must be at least 10, got 9"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        LoopBounds(**changes)


def kept_lengths(lengths, **percentiles):
    """The kept lengths, and the number of dropped rows per reason."""
    frame = pl.DataFrame({"text": ["x" * length for length in lengths]}, schema={"text": pl.String})
    filtered = apply_rules(frame, no_length_outliers("text", **percentiles))
    return filtered.kept["text"].str.len_chars().to_list(), filtered.counts()


@pytest.mark.parametrize(
    ("lengths", "percentiles", "kept", "counts"),
    [
        (range(1, 202), (1, 99), range(3, 200), {"unusually_short": 2, "unusually_long": 2}),
        (range(1, 202), (0, 99), range(1, 200), {"unusually_long": 2}),
        (range(1, 202), (1, 100), range(3, 202), {"unusually_short": 2}),
        (range(201, 0, -1), (1, 99), range(199, 2, -1), {"unusually_short": 2, "unusually_long": 2}),
        (range(1, 12), (10, 90), range(2, 11), {"unusually_short": 1, "unusually_long": 1}),
        ([1, 1000], (1, 99), [1, 1000], {}),
        ([7], (1, 99), [7], {}),
        ([5] * 300, (1, 99), [5] * 300, {}),
        ([5] * 299 + [900], (1, 99), [5] * 299, {"unusually_long": 1}),
        ([], (1, 99), [], {}),
    ],
)
def test_rows_outside_of_the_percentiles_are_dropped_and_few_or_equal_rows_are_not(lengths, percentiles, kept, counts):
    lower, upper = percentiles
    assert kept_lengths(lengths, lower=lower, upper=upper) == (list(kept), counts)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=201))
def test_up_to_201_rows_all_pass_by_default(lengths):
    assert kept_lengths(lengths) == (lengths, {})


@given(st.lists(st.integers(0, 500), min_size=1, max_size=400), st.integers(0, 49), st.integers(51, 100))
def test_no_more_rows_go_than_the_percentiles_say(lengths, lower, upper):
    kept, counts = kept_lengths(lengths, lower=lower, upper=upper)
    assert kept
    assert counts.get("unusually_short", 0) <= lower / 100 * len(lengths)
    assert counts.get("unusually_long", 0) <= (1 - upper / 100) * len(lengths) + 1e-9


@pytest.mark.parametrize(
    ("percentiles", "message"),
    [
        ({"lower": 50}, "lower must be at least 0 and below 50, got 50"),
        ({"upper": 101}, "upper must be above 50 and at most 100, got 101"),
    ],
)
def test_percentiles_out_of_bounds_are_refused_by_name(percentiles, message):
    with pytest.raises(ValueError, match=message):
        no_length_outliers("text", **percentiles)
