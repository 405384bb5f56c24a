import tracemalloc

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.texts.duplicates import DuplicateSettings, drop_near_duplicates

STORY = (
    "Ann has 12 apples and gives 5 of them to her brother, who eats two on the way to school and keeps the others for "
    "his friends. How many apples does Ann have at the end of the day?"
)


def dropped(*texts, **changes):
    """Number of each dropped row and the row that it repeats."""
    rows = pl.DataFrame({"prompt": texts}, schema={"prompt": pl.String}).with_row_index("number")
    made = drop_near_duplicates(rows, column="prompt", settings=DuplicateSettings(**changes))
    assert made.kept.height + made.dropped.height == len(texts)
    return made.dropped.select("number", "repeats_row").rows()


@pytest.mark.parametrize(
    ("other", "is_dropped"),
    [
        (STORY, True),
        (STORY.upper(), True),
        (STORY.replace("at the end of the day", "by the end of the day"), True),
        (STORY.replace("12", "13"), False),
        (STORY.replace("12 apples", "12 - 1 apples"), False),
        (STORY.replace("Ann", "Ben").replace("brother", "sister").replace("apples", "pears"), True),
        (STORY.replace("he others", "he rest").replace("Ann", "Ben").replace("brother, who", "son. He"), True),
        ("Ann sells 12 tickets in the morning and 5 more in the afternoon. How many did she sell at last?", False),
        ("Something else entirely, with 12 and 5 in it.", False),
    ],
)
def test_a_near_repeat_is_dropped_and_other_numbers_make_another_problem(other, is_dropped):
    assert dropped(STORY, other) == ([(1, 0)] if is_dropped else [])


def test_numbers_can_be_left_out_of_it():
    assert dropped(STORY, STORY.replace("12", "13"), same_figures=False, threshold=0.6) == [(1, 0)]


def test_the_first_row_stays_and_is_named():
    assert dropped("What is 2 + 2?", STORY, "what is 2 + 2", STORY + " ") == [(2, 0), (3, 1)]


def test_the_same_numbers_between_other_signs_and_brackets_are_another_problem():
    assert dropped("What is (3 + 4) * 2?", "What is 3 + (4 * 2)?", "What is 3 + 4 * 2?", "What is 3 * 4 + 2?") == []


def test_short_blank_and_missing_texts_are_compared_whole():
    assert dropped("2 + 2", "2 + 3", "", None, "2 + 2") == [(3, 2), (4, 0)]


def test_rows_of_another_group_are_no_repeats_where_a_group_is_named():
    rows = pl.DataFrame({"problem": ["a", "b", "a", "b", None], "text": [STORY, STORY, STORY, STORY.upper(), STORY]})
    made = drop_near_duplicates(rows, column="text", within=["problem"])
    assert made.dropped.select("problem", "repeats_row").rows() == [("a", 0), ("b", 1)]
    assert drop_near_duplicates(rows, column="text").dropped["repeats_row"].to_list() == [0] * 4
    assert made.kept.columns == rows.columns


def test_solutions_with_other_numbers_repeat_each_other_only_without_same_figures():
    rows = pl.DataFrame({"problem": ["a", "a"], "text": [STORY, STORY.replace("12", "13")]})
    loose = DuplicateSettings(same_figures=False)
    assert drop_near_duplicates(rows, column="text", within=["problem"]).dropped.is_empty()
    assert drop_near_duplicates(rows, column="text", within=["problem"], settings=loose).dropped.height == 1


def test_a_table_without_rows_is_kept_as_it_is():
    assert dropped() == []


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.text("abc 12", max_size=12), max_size=12))
def test_what_was_kept_is_kept_again(texts):
    rows = pl.DataFrame({"prompt": texts}, schema={"prompt": pl.String})
    once = drop_near_duplicates(rows, column="prompt").kept
    assert drop_near_duplicates(once, column="prompt").kept.equals(once)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"threshold": 0.2}, "threshold must be from 0.3 to 1, got 0.2"), ({"n": 0}, "n must be at least 1, got 0")],
)
def test_settings_out_of_bounds_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        DuplicateSettings(**changes)


def test_the_texts_of_a_group_are_forgotten_after_it():
    def peak(groups):
        texts = [
            " ".join(f"{word}{number % 7} {word * 3}" for word in range(number, number + 400))
            for number in range(4 * groups)
        ]
        rows = pl.DataFrame({"text": texts, "problem_id": [str(number // 4) for number in range(4 * groups)]})
        tracemalloc.start()
        try:
            drop_near_duplicates(
                rows, column="text", within=("problem_id",), settings=DuplicateSettings(same_question=False)
            )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(24) < 1.5 * peak(4)
