import asyncio
import json

import polars as pl
import pytest

from benchmarks.graded_solutions import figures, graded, read_solutions
from filters.answers.checker import AnswerChecker, AnswerRule

ROWS = [
    {"response": r"So \boxed{18}.", "gold": "18", "is_right": True},
    {"response": r"So \boxed{17}.", "gold": "18", "is_right": True},
    {"response": r"So \boxed{18}.", "gold": "18", "is_right": False},
    {"response": r"So \boxed{50\%}.", "gold": "0.5", "is_right": True},
    {"response": "I do not know.", "gold": "18", "is_right": False},
]
COUNTS = {
    "solutions": 5,
    "right": 1,
    "wrong_equal": 1,
    "wrong_different": 1,
    "undecided": 1,
    "no_answer": 1,
    "raised": 0,
    "undecided_on_right": 1,
    "no_answer_on_right": 0,
}


def counts_of(path):
    with AnswerChecker() as checker:
        return figures(asyncio.run(graded(read_solutions(path), checker, AnswerRule())))


def test_solutions_are_counted_by_whether_both_verdicts_agree(tmp_path):
    lines, parquet = tmp_path / "rows.jsonl", tmp_path / "rows.parquet"
    lines.write_text("\n".join(map(json.dumps, ROWS)))
    pl.DataFrame(ROWS).write_parquet(parquet)
    assert counts_of(lines) == counts_of(parquet) == COUNTS


def test_a_solution_may_have_several_golds(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"response": r"\boxed{4}", "gold": ["3", "4"], "is_right": True}))
    assert counts_of(path)["right"] == 1


def test_a_missing_column_is_named_with_its_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"response": r"\boxed{4}", "is_right": True}))
    with pytest.raises(ValueError, match=r"row 1 of rows.jsonl has no gold"):
        read_solutions(path)
