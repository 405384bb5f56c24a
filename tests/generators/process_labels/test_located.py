"""What was located in labelled solutions is read with them, problem by problem."""

import polars as pl
import pytest
from upath import UPath

from filters.schema import Column, Schema
from generators.blocks import BlockWriter
from generators.process_labels.labels import LocatedSolutions

SOLUTIONS = Schema(
    name="solutions",
    columns={
        "problem_id": Column(pl.String, "The problem."),
        "attempt_index": Column(pl.Int64, "The solution."),
        "text": Column(pl.String, "Its text."),
    },
    key=("problem_id", "attempt_index"),
)
LOCATED = pl.DataFrame({"problem_id": ["a", "a", "c"], "attempt_index": [2, 0, 1], "first_error": [5, 3, 4]})


@pytest.mark.parametrize("block", [1, 1000])
def test_only_what_was_located_is_read_in_the_order_of_the_table(tmp_path, block):
    writer = BlockWriter(SOLUTIONS, UPath(tmp_path / "solutions.parquet"), block=block)
    for name in "abc":
        writer.add({"problem_id": name, "attempt_index": n, "text": f"{name}{n}"} for n in range(3))
    solutions = LocatedSolutions(writer.table(), LOCATED)
    assert ["a" in solutions, "b" in solutions, "c" in solutions] == [True, False, True]
    assert solutions.of("a").select("text", "first_error").rows() == [("a0", 3), ("a2", 5)]
    assert solutions.of("c").select("text", "first_error").rows() == [("c1", 4)]
    assert solutions.located("a")["first_error"].to_list() == [5, 3]
    with pytest.raises(KeyError):
        solutions.of("b")
