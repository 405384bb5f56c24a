"""The configs `default` that trainers read as chats: the problem as the policy is asked it, and its answers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from filters.rules import Filtered, apply_rules
from filters.schema import MESSAGES, Column, Schema
from generators.dataset import DEFAULT, Config
from generators.formats import Format
from generators.problems import prompt as solve

_PROMPT = Column(MESSAGES, "Instruction and problem as a chat, without worked examples.")


def completions(dataset: str, *, purpose: str, answer: pl.Expr) -> Config[Any]:
    """Each row's problem with the text `answer`, which alone is learnt."""
    columns = {"prompt": _PROMPT, "completion": Column(MESSAGES, "The answer, as the assistant's message.")}
    return _config(dataset, Format.COMPLETION, purpose, columns, {"completion": answer})


def preferences(dataset: str, *, purpose: str, chosen: pl.Expr, rejected: pl.Expr) -> Config[Any]:
    """Each row's problem with a right solution and a wrong one, both whole."""
    columns = {
        "prompt": _PROMPT,
        "chosen": Column(MESSAGES, "The right solution, as the assistant's message."),
        "rejected": Column(MESSAGES, "The wrong solution, as the assistant's message."),
    }
    return _config(dataset, Format.PREFERENCE, purpose, columns, {"chosen": chosen, "rejected": rejected})


def _config(
    dataset: str, format: Format, purpose: str, columns: Mapping[str, Column], answers: Mapping[str, pl.Expr]
) -> Config[Any]:
    def derive(rows: pl.DataFrame, _: object) -> Filtered:
        texts = rows.select("problem_id", "prompt", **answers)
        sides = (_chats(name, (_answer(text) for text in texts[name])) for name in answers)
        return apply_rules(texts.with_columns(_chats("prompt", map(solve.messages, texts["prompt"])), *sides), {})

    schema = Schema(name=f"{dataset}/{DEFAULT}", columns=columns)
    return Config(name=DEFAULT, purpose=purpose, schema=schema, format=format, derive=derive)


def _answer(text: str) -> Sequence[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def _chats(name: str, chats: Iterable[Sequence[dict[str, str]]]) -> pl.Series:
    return pl.Series(name, [list(chat) for chat in chats], dtype=MESSAGES)
