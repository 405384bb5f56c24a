import re

import polars as pl
import pytest
from pydantic import ValidationError

from generators.attempts.fit import FIT_COLUMNS, fit_to_label, unfit_to_label
from generators.attempts.table import ATTEMPTS
from generators.problems.settings import QualitySettings

SOUND = "She has 12 apples and gives 5 away.\n12 - 5 = 7, so she has 7 apples left.\nThe answer is \\boxed{7}."
LIKE_IT = SOUND.replace("gives 5 away", "gives 5 away at once")
UNLIKE = "Taking 5 from 12 leaves 7, for 7 + 5 = 12.\nThe answer is \\boxed{7}."
WRONG = SOUND.replace("12 - 5 = 7", "12 - 5 = 6")
LOOP = "Wait, I should check once more whether this is really right. " * 6


def judged(*rows, **bounds):
    """The reason for each attempt (problem, text, finish reason), or None where it is kept; wrong is what says so."""
    frame = pl.DataFrame(rows, schema=["problem_id", "text", "finish_reason"], orient="row").with_row_index("number")
    frame = frame.with_columns(
        attempt_index=pl.col("number").cast(pl.Int64), is_right=~pl.col("text").str.contains("{B}", literal=True)
    )
    fit = fit_to_label(frame, QualitySettings(**bounds))
    assert fit.kept.columns == frame.columns
    assert fit.dropped.columns == [*frame.columns, "reason"]
    reasons = dict(fit.dropped.select("number", "reason").iter_rows())
    return [reasons.get(number) for number in range(frame.height)]


@pytest.mark.parametrize(
    ("text", "finish", "reason"),
    [
        (SOUND, "eos", None),
        (SOUND, "length", "truncated"),
        ("首先" + SOUND, "eos", "foreign_script"),
        (LOOP + SOUND, "eos", "passage_loop"),
    ],
)
def test_a_broken_solution_is_dropped_with_its_reason(text, finish, reason):
    assert judged(("a", text, finish)) == [reason]


def test_a_solution_that_repeats_another_of_its_problem_is_dropped_and_other_numbers_are_no_repeat():
    texts = [SOUND, LIKE_IT, UNLIKE, WRONG]
    assert judged(*(("a", text, "eos") for text in texts)) == [None, "near_duplicate", None, None]
    assert judged(("a", SOUND, "eos"), ("b", LIKE_IT, "eos")) == [None, None]
    assert judged(("a", SOUND, "eos"), ("a", LIKE_IT, "eos"), near_duplicates=1) == [None, None]


def test_a_right_solution_never_repeats_a_wrong_one():
    right, wrong = SOUND.replace("{7}", "{A}"), SOUND.replace("{7}", "{B}")
    assert judged(("a", right, "eos"), ("a", wrong, "eos"), ("a", right, "eos")) == [None, None, "near_duplicate"]


def test_of_many_solutions_the_most_different_stay():
    like_it = LIKE_IT.replace("apples left", "left")
    texts = [SOUND, like_it, UNLIKE]
    judge = [("a", text, "eos") for text in texts]
    assert judged(*judge, near_duplicates=1) == [None, None, None]
    assert judged(*judge, near_duplicates=1, most_per_verdict=2) == [None, "less_different", None]


def test_a_cut_off_solution_hides_no_whole_one():
    assert judged(("a", SOUND, "length"), ("a", SOUND, "eos")) == ["truncated", None]


def test_lengths_are_compared_among_whole_solutions():
    usual = [(str(number), f"{number} is the sum.", "eos") for number in range(100, 250)]
    longer = ("x", SOUND, "eos")
    assert judged(longer, *usual) == [None] * 151
    assert judged(longer, *usual, longest_percentile=99)[:2] == ["unusually_long", None]
    assert judged(longer, ("y", SOUND * 50, "length"), *usual, longest_percentile=99)[:2] == [
        "unusually_long",
        "truncated",
    ]


def test_no_attempts_are_fit_at_once():
    frame = ATTEMPTS.empty().select(FIT_COLUMNS)
    assert fit_to_label(frame, QualitySettings()).counts() == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"near_duplicates": 0.1}, "near_duplicates\n  Input should be greater than or equal to 0.3"),
        ({"most_per_verdict": 0}, "most_per_verdict\n  Input should be greater than or equal to 1"),
        ({"shortest_percentile": 50}, "shortest_percentile\n  Input should be less than 50"),
        ({"longest_percentile": 50}, "longest_percentile\n  Input should be greater than 50"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_by_name(changes, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        QualitySettings(**changes)


@pytest.mark.parametrize("problems", [1, 2, 5])
def test_the_same_attempts_are_unfit_however_the_table_is_cut_between_problems(problems):
    texts = [SOUND, LIKE_IT, UNLIKE, "首先" + SOUND, WRONG + " One can check this by adding both.", "It is 7."]
    rows = [(problem, index, text, "eos", True) for problem in "abcde" for index, text in enumerate(texts)]
    frame = pl.DataFrame(rows, schema=FIT_COLUMNS, orient="row")
    quality = QualitySettings(shortest_percentile=30, longest_percentile=70)
    whole = unfit_to_label(lambda: [frame], quality)
    assert set(whole["reason"]) == {"foreign_script", "near_duplicate", "unusually_short", "unusually_long"}
    assert unfit_to_label(lambda: frame.iter_slices(len(texts) * problems), quality).equals(whole)
