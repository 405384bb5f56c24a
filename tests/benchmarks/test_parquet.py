import polars as pl
import pytest

from benchmarks.parquet import SLICES, in_our_files, second_versions, structure, upload, varied
from filters.schema import Column, Schema

SCHEMA = Schema(
    name="rows",
    columns={
        "problem_id": Column(pl.String, "An id."),
        "prompt": Column(pl.String, "A problem."),
        "ids": Column(pl.List(pl.Int64), "Tokens."),
        "share": Column(pl.Float64, "A share.", nullable=True),
        "round": Column(pl.String, "The round."),
        "slice": Column(pl.String, "The slice."),
    },
    key=("problem_id",),
)
ROWS = SCHEMA.frame(
    [
        {
            "problem_id": f"{number:064x}",
            "prompt": f"{number} + 57?",
            "ids": [number, 900 + number],
            "share": number / 7 or None,
            "round": "first",
            "slice": "sums-0",
        }
        for number in range(4)
    ]
)


def test_varied_rows_are_new_problems_of_the_same_columns_and_lengths():
    rows = SCHEMA.validate(varied(ROWS, "seed"))
    assert not set(rows["problem_id"]) & set(ROWS["problem_id"])
    assert rows["ids"].list.len().to_list() == [2] * 4
    assert rows["prompt"].str.len_chars().to_list() == ROWS["prompt"].str.len_chars().to_list()
    assert rows.equals(varied(ROWS, "seed")) and not rows.equals(varied(ROWS, "other"))


def test_a_second_round_has_the_same_problems_and_no_row_of_the_first():
    first, second = second_versions(ROWS, 2)["a second round"]
    assert first.select("problem_id", "prompt").equals(second.select("problem_id", "prompt"))
    assert not set(first.hash_rows()) & set(second.hash_rows())


@pytest.mark.parametrize(("name", "kept"), [("a slice more", SLICES), ("a slice made again", SLICES - 1)])
def test_the_other_second_versions_have_the_rows_of_all_slices_but_one(name, kept):
    first, second = second_versions(ROWS, 2)[name]
    rows_of_a_slice = 2 * ROWS.height - 2
    assert len(set(first.hash_rows()) & set(second.hash_rows())) == kept * rows_of_a_slice


def test_what_the_store_has_is_not_new():
    files = in_our_files(ROWS, SCHEMA)
    assert upload(files, after=files).new == 0
    nothing_known = upload(files, after=[b"another file"])
    assert nothing_known.new == nothing_known.total == sum(map(len, files))


def test_the_structure_of_files_is_read_from_them():
    said = structure(in_our_files(ROWS, SCHEMA))
    assert (said["page_index"], said["chunking_named"], said["row_groups"]) == (True, True, 1)
