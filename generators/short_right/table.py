"""The table of the shortest right attempts with what they are compared with, and choices as rows."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from filters.schema import Column, Schema
from generators.columns import ORIGIN, PROBLEM, REASON
from generators.records import Problem
from generators.short_right.choice import Choice, Solution

KINDS = ("longer_right", "longer_wrong")


def _longer(name: str, what: str) -> dict[str, Column]:
    """The columns of a rejected attempt; all of them are null where there is none."""
    return {
        name: Column(pl.String, f"{what} attempt, to be rejected; null if there is none.", nullable=True),
        f"{name}_index": Column(pl.Int64, f"The attempt index of `{name}`.", nullable=True),
        f"{name}_tokens": Column(pl.Int64, f"The tokens of `{name}`.", nullable=True),
        f"{name}_ratio": Column(pl.Float64, f"`{name}_tokens` over `n_tokens`.", nullable=True),
    }


def _is_longer(name: str) -> dict[str, pl.Expr]:
    tokens = pl.col(f"{name}_tokens")
    columns = [f"{name}_index", f"{name}_tokens", f"{name}_ratio"]
    return {
        f"{name}: whole_or_null": pl.all_horizontal(pl.col(c).is_null() == pl.col(name).is_null() for c in columns),
        f"{name}_tokens: longer": tokens.is_null() | (tokens > pl.col("n_tokens")),
    }


SHORT_RIGHT = Schema(
    name="short_right",
    columns={
        **PROBLEM,
        "response": Column(pl.String, "The shortest right attempt; of several, that of the lowest index."),
        "attempt_index": Column(pl.Int64, "The attempt index of `response`."),
        "n_tokens": Column(pl.Int64, "The tokens of `response`, the policy's own; a minimum over `n_right` attempts."),
        "rank": Column(pl.Int64, "Its place by length among the right and wrong attempts; 1 if none is shorter."),
        "control_response": Column(pl.String, "A random right attempt, the shortest included."),
        "control_index": Column(pl.Int64, "The attempt index of `control_response`."),
        "control_tokens": Column(pl.Int64, "The tokens of `control_response`."),
        "n_drawn": Column(pl.Int64, "The attempts at the problem."),
        "n_right": Column(pl.Int64, "Those that ended with the right answer and state no false equation."),
        "n_wrong": Column(pl.Int64, "Those that ended with a wrong answer."),
        "n_truncated": Column(pl.Int64, "Those that were cut off; no side is one of them."),
        "median_right_tokens": Column(pl.Float64, "The median tokens of the right attempts."),
        "median_wrong_tokens": Column(pl.Float64, "The median tokens of the wrong attempts.", nullable=True),
        **_longer("longer_right", "A random right and sufficiently longer"),
        **_longer("longer_wrong", "A random wrong and longer"),
        **ORIGIN,
    },
    key=("problem_id",),
    rules={
        "rank: from_1": pl.col("rank") >= 1,
        "n_tokens: shortest": (pl.col("n_tokens") <= pl.col("control_tokens"))
        & (pl.col("n_tokens") <= pl.col("median_right_tokens")),
        "n_drawn: covers_its_parts": pl.sum_horizontal("n_right", "n_wrong", "n_truncated") <= pl.col("n_drawn"),
        **{rule: holds for kind in KINDS for rule, holds in _is_longer(kind).items()},
    },
)
DROPPED = Schema(name="short_right_dropped", columns={"problem_id": PROBLEM["problem_id"], "reason": REASON})


def row_of(problem: Problem, choice: Choice, origin: Mapping[str, str | int]) -> dict[str, Any]:
    """The row of a choice among the attempts at a problem."""
    attempted, shortest, control = choice.attempted, choice.shortest, choice.control
    return {
        **{name: getattr(problem, name) for name in PROBLEM},
        "also_accepted": list(problem.also_accepted),
        "response": shortest.text,
        "attempt_index": shortest.attempt_index,
        "n_tokens": shortest.n_tokens,
        "rank": choice.rank,
        "control_response": control.text,
        "control_index": control.attempt_index,
        "control_tokens": control.n_tokens,
        "n_drawn": attempted.n_drawn,
        "n_right": len(attempted.right),
        "n_wrong": len(attempted.wrong),
        "n_truncated": attempted.n_truncated,
        "median_right_tokens": choice.median_right_tokens,
        "median_wrong_tokens": choice.median_wrong_tokens,
        **_side("longer_right", choice.longer_right, shortest),
        **_side("longer_wrong", choice.longer_wrong, shortest),
        **origin,
    }


def _side(name: str, solution: Solution | None, shortest: Solution) -> dict[str, Any]:
    if solution is None:
        return dict.fromkeys((name, f"{name}_index", f"{name}_tokens", f"{name}_ratio"))
    return {
        name: solution.text,
        f"{name}_index": solution.attempt_index,
        f"{name}_tokens": solution.n_tokens,
        f"{name}_ratio": solution.n_tokens / shortest.n_tokens,
    }
