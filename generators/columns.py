"""Columns that several tables share, and expressions for their rules."""

import polars as pl

from filters.answers.verdicts import Verdict
from filters.schema import Column

IDS = pl.List(pl.Int64)
ROUNDING = 1e-6  # how far figures that go together may be apart once each is rounded to the 32 bits of a release
ATTEMPT_KEY = ("problem_id", "attempt_index")
UNDECIDED = [verdict.value for verdict in Verdict if verdict.is_undecided]
KNOWN_VERDICT = pl.col("verdict").is_in([verdict.value for verdict in Verdict])
PROBLEM = {
    "problem_id": Column(pl.String, "Hash of prompt and answer."),
    "source": Column(pl.String, "The source of the problem."),
    "prompt": Column(pl.String, "The problem, without chat template or instructions."),
    "answer": Column(pl.String, "The gold answer."),
    "level": Column(pl.String, "The source's own level of difficulty.", nullable=True),
}
OPTIONAL_ANSWER = Column(pl.String, "The gold answer; blank if there is none and a reward model scores.")
IS_ANSWERED = pl.col("answer").str.strip_chars() != ""
ORIGIN = {
    "policy": Column(pl.String, "The model that wrote the tokens."),
    "round": Column(pl.String, "The round of generation."),
    "slice": Column(pl.String, "The part of the round that was generated together."),
}
SOLUTION = {
    "attempt_index": Column(pl.Int64, "The index of the attempt at its problem, from 0."),
    "prompt_token_ids": Column(IDS, "The prompt, in the policy's token ids.", tokenwise=True),
    "token_ids": Column(IDS, "The solution, in the policy's token ids.", tokenwise=True),
}
DECISION = {
    "verdict": Column(pl.String, "The result of comparing the final answer with the gold answer."),
    "extracted": Column(pl.String, "The final answer, if the text has one.", nullable=True),
}
REASON = Column(pl.String, "Why it was dropped.")
DETAIL = Column(pl.String, "The engine's message if it refused, else empty.")


def length(name: str) -> pl.Expr:
    """How many elements a list column has."""
    return pl.col(name).list.len()


def each(name: str, holds: pl.Expr) -> pl.Expr:
    """Whether every element of a list column satisfies `holds`, an expression over `pl.element()`."""
    return pl.col(name).list.eval(holds).list.all()
