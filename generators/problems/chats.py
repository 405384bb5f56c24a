"""Columns of chats, as trainers read them: the problem as the policy is asked it, and its answers."""

from collections.abc import Iterable

import polars as pl

from filters.schema import MESSAGES, Column
from generators.problems import prompt as solve

PROMPT = Column(MESSAGES, "Instruction and problem as a chat, without worked examples.")


def prompts(problems: Iterable[str]) -> pl.Series:
    """The column `prompt`: what the policy is asked for each problem."""
    return pl.Series("prompt", [solve.messages(problem) for problem in problems], dtype=MESSAGES)


def answers(name: str, texts: Iterable[str]) -> pl.Series:
    """A column of answers, one message of the assistant each."""
    return pl.Series(name, [[{"role": "assistant", "content": text}] for text in texts], dtype=MESSAGES)
