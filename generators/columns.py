"""Columns that several tables share, and expressions for their rules."""

import polars as pl

from filters.answers.verdicts import Verdict
from filters.id_lists import ID_LIST
from filters.schema import Column

IDS = ID_LIST
COUNTS = pl.List(pl.Int64)
ROUNDING = 1e-6  # how far figures that go together may be apart once each is rounded to the 32 bits of a release
ATTEMPT_KEY = ("problem_id", "attempt_index")
UNDECIDED = [verdict.value for verdict in Verdict if verdict.is_undecided]
KNOWN_VERDICT = pl.col("verdict").is_in([verdict.value for verdict in Verdict])
PROBLEM = {
    "problem_id": Column(pl.String, "Hash of prompt and answers."),
    "source": Column(pl.String, "The source of the problem."),
    "prompt": Column(pl.String, "The problem, without chat template or instructions."),
    "answer": Column(pl.String, "The gold answer."),
    "also_accepted": Column(pl.List(pl.String), "Further answers that are accepted as right; mostly none.", added=True),
    "level": Column(pl.String, "The source's own level of difficulty.", nullable=True),
}
OPTIONAL_ANSWER = Column(pl.String, "The gold answer; blank if there is none and a reward model scores.")
IS_ANSWERED = pl.col("answer").str.strip_chars() != ""
GOLDS = pl.concat_list("answer", "also_accepted").alias("golds")  # every accepted answer
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
    "found_by": Column(
        pl.String,
        "What found the final answer, such as `box` or `phrase`; null without one.",
        nullable=True,
        added=True,
    ),
}
FOUND = pl.col("found_by").is_null() | pl.col("extracted").is_not_null()
N_NO_ANSWER = "end without a recognised answer; null where an older stepmill did not count them"
REASON = Column(pl.String, "Why it was dropped.")
DETAIL = Column(pl.String, "The engine's message if it refused, else empty.")


def outcome_follows_verdict(outcome: str) -> pl.Expr:
    """Whether a column of outcomes fits `verdict`; without an answer nothing is right, but it may be undecided."""
    verdict, value = pl.col("verdict"), pl.col(outcome)
    return (
        pl.when(verdict.is_in(UNDECIDED))
        .then(value.is_null())
        .when(verdict == Verdict.NO_ANSWER.value)
        .then(value.eq_missing(True).not_())
        .otherwise(value == (verdict == Verdict.EQUAL.value))
    )


def length(name: str) -> pl.Expr:
    """How many elements a list column has."""
    return pl.col(name).list.len()


def each(name: str, holds: pl.Expr) -> pl.Expr:
    """Whether every element of a list column satisfies `holds`, an expression over `pl.element()`."""
    return pl.col(name).list.eval(holds).list.all()
