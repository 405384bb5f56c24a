"""The tables of problems, of their difficulty and of repeats of evaluation items, and problems as records."""

import polars as pl

from filters.schema import Column, Schema
from generators.columns import IS_ANSWERED, N_NO_ANSWER, OPTIONAL_ANSWER, ORIGIN, PROBLEM, length
from generators.records import Problem

PROBLEMS = Schema(
    name="problems",
    columns={**PROBLEM, "answer": OPTIONAL_ANSWER},
    key=("problem_id",),
    rules={
        "prompt: not_blank": pl.col("prompt").str.strip_chars() != "",
        "answer: of_all_of_a_source_or_none": IS_ANSWERED.n_unique().over("source") == 1,
        "also_accepted: of_an_answer": IS_ANSWERED | (length("also_accepted") == 0),
        "also_accepted: others_than_the_answer": ~pl.col("also_accepted").list.contains(pl.col("answer")),
    },
)

RATING = {
    "n_attempts": Column(pl.Int64, "The number of attempts."),
    "n_right": Column(pl.Int64, "The number of right attempts."),
    "n_undecided": Column(pl.Int64, "The number of undecided attempts."),
    "n_no_answer": Column(pl.Int64, f"How many attempts {N_NO_ANSWER}.", nullable=True, added=True),
    "pass_rate": Column(pl.Float64, "Right attempts among the decided ones; null if none.", nullable=True),
    "difficulty": Column(pl.String, "`easy`, `medium` or `hard` by pass rate; null if none.", nullable=True),
}
RATING_RULES = {
    "n_attempts: covers_its_parts": pl.col("n_right") + pl.col("n_undecided") <= pl.col("n_attempts"),
    "n_no_answer: of_those_not_right": pl.col("n_no_answer")
    .fill_null(0)
    .is_between(0, pl.col("n_attempts") - pl.col("n_right")),
    "difficulty: follows_pass_rate": pl.col("difficulty").is_null() == pl.col("pass_rate").is_null(),
    "difficulty: known": pl.col("difficulty").fill_null("easy").is_in(["easy", "medium", "hard"]),
}
PROBLEM_DIFFICULTY = Schema(
    name="problem_difficulty",
    columns={"problem_id": PROBLEM["problem_id"], **RATING, **ORIGIN},
    key=("problem_id",),
    rules=RATING_RULES,
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
    rows = frame.select(Problem.__slots__).iter_rows(named=True)
    return [Problem(**row | {"also_accepted": tuple(row["also_accepted"])}) for row in rows]
