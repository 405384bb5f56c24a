import base64
import re

import polars as pl
import pytest

from dagster_project import report

SHOWN_IN_PLACE = 1000  # characters of Markdown; the UI hides more behind a link


def svg_of(markdown):
    encoded = re.search(r"base64,([^)]*)\)", markdown.value).group(1)
    return base64.b64decode(encoded).decode()


def test_a_histogram_is_small_enough_to_be_shown_in_place():
    made = report.histogram(
        [place / 100 for place in range(101)], title="Pass rate per problem", x="share right", y="problems"
    )
    assert len(made.value) < SHOWN_IN_PLACE


def test_a_histograms_highest_bar_is_its_fullest_bin_and_the_last_bin_holds_the_upper_bound():
    drawn = svg_of(report.histogram([0.0, 1.0, 1.0], title="t", x="x", y="y"))
    assert re.findall(r"M(\d+) 118v-(\d+)", drawn) == [("9", "50"), ("279", "100")]


def test_an_empty_histogram_is_drawn_without_bars():
    assert "v-" not in svg_of(report.histogram([], title="t", x="x", y="y"))


def test_curves_of_any_length_are_small_enough_to_be_shown_in_place():
    series = {side: [3 / (1 + step / 50) for step in range(4000)] for side in ("positive", "negative")}
    assert len(report.curves(series, title="Loss per step", x="step", y="loss").value) < SHOWN_IN_PLACE


def test_a_curve_goes_from_the_first_value_to_the_last_and_its_highest_point_is_the_most():
    drawn = svg_of(report.curves({"a": [4.0, 1.0], "b": [2.0]}, title="t", x="x", y="y"))
    assert re.findall(r"points='([^']*)'", drawn) == ["9,18 309,93", "9,68"]
    assert "at most 4)" in drawn


def test_a_series_without_a_value_is_drawn_without_points():
    assert "points=''" in svg_of(report.curves({"a": []}, title="t", x="x", y="y"))


def test_three_rows_are_shown_of_any_table():
    frame = pl.DataFrame({"text": [f"row {number}" for number in range(10)]})
    shown = report.sample_rows(frame, ("text",)).value
    assert re.findall(r"row \d", shown) == ["row 0", "row 3", "row 6"]
    assert report.sample_rows(frame.clear(), ("text",)).value == "no rows"


def test_brief_rows_have_a_short_line_for_each_of_the_first_columns():
    frame = pl.DataFrame(
        {"text": ["two `ticks`\nand " + "x" * 99], "steps": [["a", "b"]], "n": [7], "more": ["left out"]}
    )
    assert report.brief_rows(frame, frame.columns).value.split("\n") == [
        "1. **text** `two 'ticks' and xxxxxxxxxxxxxx …`  ",
        "   **steps** `a / b`  ",
        "   **n** `7`",
    ]
    assert report.brief_rows(frame.clear(), frame.columns).value == "no rows"


@pytest.mark.parametrize(
    ("reasons", "headline"),
    [
        ([], "1,200 rows kept, 0 dropped"),
        (["a", "b", "b", "c", "d"], "1,200 rows kept, 5 dropped:  \n2 b, 1 a, 1 c"),
    ],
)
def test_a_headline_counts_rows_and_names_the_most_frequent_reasons(reasons, headline):
    assert report.headline(1200, pl.DataFrame({"reason": reasons}, schema={"reason": pl.String})).value == headline


def test_a_long_cell_is_cut_and_a_fence_in_it_does_not_end_the_block():
    shown = report.sample_rows(pl.DataFrame({"text": ["```" + "x" * 5000]}), ("text",)).value
    assert shown.count("```") == 2
    assert len(shown) < 2000


def test_all_rows_of_a_small_frame_are_a_table_with_blanks_for_nulls():
    shown = report.records(pl.DataFrame({"method": ["plain", "deep"], "share": [0.5, None], "n": [2, 3]}))
    assert [record.data for record in shown.records] == [
        {"method": "plain", "share": "0.500", "n": 2},
        {"method": "deep", "share": "", "n": 3},
    ]
    assert {column.name: column.type for column in shown.schema.columns}["n"] == "int"


def test_bars_are_shown_in_place():
    counts = {"verification": 98_765, "backtracking": 0, "subgoal setting": 1, "backward chaining": 12_345}
    shown = report.bars(counts, title="Behaviours in all thoughts")
    assert len(shown.value) < SHOWN_IN_PLACE
    assert all(f"{what}: {count}<" in svg_of(shown) for what, count in counts.items())
    assert "h150" in svg_of(shown) and "h0" in svg_of(shown)
    assert "path" in svg_of(report.bars({}, title="nothing"))
