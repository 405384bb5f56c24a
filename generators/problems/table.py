"""The tables of problems and of repeats of evaluation items, and the rows as records."""

import polars as pl

from filters.schema import Column, Schema
from generators.columns import IS_ANSWERED, OPTIONAL_ANSWER, PROBLEM
from generators.records import Problem

PROBLEMS = Schema(
    name="problems",
    columns={**PROBLEM, "answer": OPTIONAL_ANSWER},
    key=("problem_id",),
    rules={
        "prompt: not_blank": pl.col("prompt").str.strip_chars() != "",
        "answer: of_all_of_a_source_or_none": IS_ANSWERED.n_unique().over("source") == 1,
    },
)

EVALUATION_REPEATS = Schema(
    name="evaluation_repeats",
    columns={
        "problem_id": PROBLEM["problem_id"],
        "text": Column(pl.String, "The problem's prompt."),
        "evaluation_set": Column(pl.String, "The set that holds the item."),
        "item": Column(pl.String, "The item within its set."),
        "item_text": Column(pl.String, "The item's prompt."),
        "path": Column(pl.String, "How the repeat was detected."),
        "share": Column(pl.Float64, "How much of the item the problem shares."),
    },
)


def problems_of(frame: pl.DataFrame) -> list[Problem]:
    """The problems of a `problems` table, in the order of its rows."""
    columns = ("problem_id", "source", "prompt", "answer", "level")
    return [Problem(**row) for row in frame.select(columns).iter_rows(named=True)]
