import polars as pl
import pytest

from filters.texts.contamination import DEFAULT_SETTINGS, ContaminationSettings
from filters.texts.passages import passages_of, without_passages

THOUGHTS = (
    "Four things happen to one pile of rolls. I follow the pile through the day and write down its size.\n\n"
    "Let me see.\n\n"
    "A third of 150 is 50, so 100 are left at noon, and with the 25 from the café there are 125 rolls in the shop."
)
SUM = "The terms are 6, + 8, - 5.\n6 + 8 = 13\nWait, 6 + 8 is 14.\n14 - 5 = 9"
PASSAGES = passages_of([("bakery", THOUGHTS), ("sum", SUM)])
PROCEDURAL = ContaminationSettings(renumbered=False)


def found_in(text, *, settings=PROCEDURAL, column="thoughts"):
    rows = pl.DataFrame({"problem_id": ["a"], "sample_index": [3], "thoughts": [""], "solution": [""]})
    rows = rows.with_columns(pl.lit(text).alias(column))
    found = without_passages(
        rows, PASSAGES, row=("problem_id", "sample_index"), columns=("thoughts", "solution"), settings=settings
    )
    assert found.filtered.kept.height + found.filtered.dropped.height == 1
    assert found.filtered.kept.columns == rows.columns
    assert found.filtered.counts() == ({"repeats_example": 1} if found.matches.height else {})
    return found.matches["item"][0] if found.matches.height else None


def test_paragraphs_of_some_length_are_passages_and_short_remarks_are_not():
    assert PASSAGES["item"].to_list() == ["bakery, passage 0", "bakery, passage 1", "sum, passage 0"]


def test_a_text_of_short_paragraphs_is_one_passage():
    assert passages_of([("e", "So it is.\n\nIt is 4.")])["text"].to_list() == ["So it is.\n\nIt is 4."]


@pytest.mark.parametrize("column", ["thoughts", "solution"])
@pytest.mark.parametrize(
    ("text", "item"),
    [
        (THOUGHTS, "bakery, passage 0"),
        (f"I have seen this. {THOUGHTS.split(chr(10))[-1]} So it goes.", "bakery, passage 1"),
        (f"Hm.\n{SUM}\nAnd so on.", "sum, passage 0"),
        (SUM.replace("Wait", "Stop"), "sum, passage 0"),
        ("Let me see.", None),
        ("A third of 30 is 10, so 20 are left.", None),
        ("The terms are 2, + 7, - 4.\n2 + 7 = 8\nWait, 2 + 7 is 9.\n9 - 4 = 5", None),
        ("", None),
    ],
)
def test_a_row_that_repeats_a_passage_is_found_in_every_column(text, item, column):
    assert found_in(text, column=column) == item


def test_a_renumbered_copy_is_found_where_numbers_are_not_what_tells_problems_apart():
    renumbered = THOUGHTS.replace("150", "90").replace("50", "30").replace("100", "60").replace("125", "85")
    tail = renumbered.split("\n")[-1]
    assert found_in(tail, settings=DEFAULT_SETTINGS) == "bakery, passage 1"


def test_rows_keep_their_order_and_the_reason_stands_on_the_dropped_ones():
    rows = pl.DataFrame({"item": ["1", "2", "3"], "text": ["What is 2 + 2?", SUM, "Why?"]})
    found = without_passages(rows, PASSAGES, row=("item",), columns=("text",))
    assert found.filtered.kept["item"].to_list() == ["1", "3"]
    assert found.filtered.dropped.rows() == [("2", SUM, "repeats_example")]
