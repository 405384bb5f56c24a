"""What the tables have in common: columns of the same meaning, and expressions for their rules.

Knows no table.
"""

import polars as pl

from filters.answers.verdicts import Verdict
from filters.schema import Column

IDS = pl.List(pl.Int64)
MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
ATTEMPT_KEY = ("problem_id", "attempt_index")
UNDECIDED = [verdict.value for verdict in Verdict if verdict.is_undecided]
KNOWN_VERDICT = pl.col("verdict").is_in([verdict.value for verdict in Verdict])
PROBLEM = {
    "problem_id": Column(pl.String, "Hash of prompt and answer."),
    "source": Column(pl.String, "The source that the problem came from."),
    "prompt": Column(pl.String, "The problem, without chat template or instructions."),
    "answer": Column(pl.String, "The gold answer."),
    "level": Column(pl.String, "The source's own level of difficulty.", nullable=True),
}
OPTIONAL_ANSWER = Column(pl.String, "The gold answer; blank where there is none and a reward model scores.")
IS_ANSWERED = pl.col("answer").str.strip_chars() != ""
ORIGIN = {
    "policy": Column(pl.String, "The model that wrote the tokens."),
    "round": Column(pl.String, "The round of generation."),
    "slice": Column(pl.String, "The part of the round that was generated as one."),
}
SOLUTION = {
    "attempt_index": Column(pl.Int64, "Which of the attempts at its problem this is, from 0."),
    "prompt_token_ids": Column(IDS, "What the policy was given, in its own token ids."),
    "token_ids": Column(IDS, "The solution, in the policy's token ids."),
}
DECISION = {
    "verdict": Column(pl.String, "What comparing the final answer with the gold came to."),
    "extracted": Column(pl.String, "The final answer, where the text has one.", nullable=True),
}


def length(name: str) -> pl.Expr:
    """How many elements a list column has."""
    return pl.col(name).list.len()


def each(name: str, holds: pl.Expr) -> pl.Expr:
    """Every element of a list column satisfies `holds`, written over `pl.element()`."""
    return pl.col(name).list.eval(holds).list.all()
