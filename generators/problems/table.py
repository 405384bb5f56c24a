"""The table of problems, and its rows as records.

Knows no files.
"""

import polars as pl

from filters.schema import TableSchema
from generators.columns import IS_ANSWERED, OPTIONAL_ANSWER, PROBLEM
from generators.records import Problem

PROBLEMS = TableSchema(
    name="problems",
    columns={**PROBLEM, "answer": OPTIONAL_ANSWER},
    key=("problem_id",),
    rules={
        "prompt: not_blank": pl.col("prompt").str.strip_chars() != "",
        "answer: of_all_of_a_source_or_none": IS_ANSWERED.n_unique().over("source") == 1,
    },
)


def problems_of(frame: pl.DataFrame) -> list[Problem]:
    """The problems of a `problems` table, in its order."""
    columns = ("problem_id", "source", "prompt", "answer", "level")
    return [Problem(**row) for row in frame.select(columns).iter_rows(named=True)]
