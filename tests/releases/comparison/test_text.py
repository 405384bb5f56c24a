"""Tables in plain text."""

from releases.comparison.text import text_table


def test_numbers_stand_to_the_right_and_texts_to_the_left():
    assert text_table(("name", "n", "share"), [("right", 12, 0.5), ("wrong", 3, 1.0)]) == (
        "name    n  share\n-----  --  -----\nright  12   0.50\nwrong   3   1.00"
    )


def test_a_table_without_rows_is_its_heads():
    assert text_table(("name", "n"), []) == "name  n\n----  -"
