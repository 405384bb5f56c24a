"""Columns and configs that trainers read as chats: the problem as the policy is asked it, and its answers."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.schema import MESSAGES, Column, Schema
from generators.dataset import DEFAULT, Config
from generators.formats import Format
from generators.problems import prompt as solve

PROMPT = Column(MESSAGES, "Instruction and problem as a chat, without worked examples.")
COMPLETION = Column(MESSAGES, "The answer, as the assistant's message.")


def completions(dataset: str, *, purpose: str, answer: pl.Expr) -> Config[Any]:
    """The config `default` with each row's problem and the text `answer`, which alone is learnt."""
    columns = {"prompt": PROMPT, "completion": COMPLETION}
    return _config(dataset, Format.COMPLETION, purpose, columns, {"completion": answer})


def preferences(dataset: str, *, purpose: str, chosen: pl.Expr, rejected: pl.Expr) -> Config[Any]:
    """The config `default` with each row's problem, a right solution and a wrong one, both whole."""
    columns = {
        "prompt": PROMPT,
        "chosen": Column(MESSAGES, "The right solution, as the assistant's message."),
        "rejected": Column(MESSAGES, "The wrong solution, as the assistant's message."),
    }
    return _config(dataset, Format.PREFERENCE, purpose, columns, {"chosen": chosen, "rejected": rejected})


def prompts(problems: Iterable[str]) -> pl.Series:
    """The column `prompt`: what the policy is asked for each problem."""
    return pl.Series("prompt", [solve.messages(problem) for problem in problems], dtype=MESSAGES)


def answers(name: str, texts: Iterable[str]) -> pl.Series:
    """A column of answers, one message of the assistant each."""
    return pl.Series(name, [[{"role": "assistant", "content": text}] for text in texts], dtype=MESSAGES)


def _config(
    dataset: str, format: Format, purpose: str, columns: Mapping[str, Column], sides: Mapping[str, pl.Expr]
) -> Config[Any]:
    def derive(rows: pl.DataFrame, _: object) -> Filtered:
        texts = rows.select("problem_id", "prompt", **sides)
        chats = texts.with_columns(prompts(texts["prompt"]), *(answers(name, texts[name]) for name in sides))
        return apply_rules(chats, {})

    schema = Schema(name=f"{dataset}/{DEFAULT}", columns=columns)
    return Config(name=DEFAULT, purpose=purpose, schema=schema, format=format, derive=derive)
