"""Two rows of every shape, as opened releases of datasets that hold nothing else."""

from dataclasses import replace

import polars as pl
from upath import UPath

from filters.schema import MESSAGES, Column, Schema
from generators.columns import COUNTS
from generators.dataset import Config
from generators.formats import Format
from generators.process_labels.dataset import DATASET as LABELS
from releases.exports.shapes import Shape
from releases.facts import ReleaseFacts, SourceFacts
from releases.manifest import Manifest
from releases.verification.opened import OpenedRelease, Part

SYSTEM = {"role": "system", "content": "Solve it in steps."}


def asked(question):
    return [SYSTEM, {"role": "user", "content": question}]


def said(text):
    return [{"role": "assistant", "content": text}]


ANSWERS = ("\nTwo and two is 4.\nThe answer is \\boxed{4}.\n", "3 and 3 is \\boxed{6}.")
WRONG = ("\nTwo and two is 5.\nThe answer is \\boxed{5}.\n", "3 and 3 is \\boxed{7}.")
QUESTIONS = ("What is 2 + 2?", "What is 3 + 3?")
MISTAKE = "<s>user: What is 2 + 2?\nassistant: It is 5. Wait, is that right? "

_CHATS = {name: Column(MESSAGES, "") for name in ("messages", "prompt", "completion", "chosen", "rejected")}
_TEXTS = {name: Column(pl.String, "") for name in ("prompt", "completion", "data_source")}
_RULE = pl.Struct({"style": pl.String, "ground_truth": pl.String})
ROWS = {
    Shape.MESSAGES: (
        Format.MESSAGES,
        {"messages": _CHATS["messages"]},
        [{"messages": asked(question) + said(answer)} for question, answer in zip(QUESTIONS, ANSWERS, strict=True)],
    ),
    Shape.COMPLETION: (
        Format.COMPLETION,
        {name: _CHATS[name] for name in ("prompt", "completion")},
        [
            {"prompt": asked(question), "completion": said(answer)}
            for question, answer in zip(QUESTIONS, ANSWERS, strict=True)
        ],
    ),
    Shape.TEXT_COMPLETION: (
        Format.COMPLETION,
        {name: _TEXTS[name] for name in ("prompt", "completion")},
        [{"prompt": MISTAKE, "completion": "No: it is 4."}, {"prompt": MISTAKE, "completion": "It is 4, of course."}],
    ),
    Shape.PREFERENCE: (
        Format.PREFERENCE,
        {name: _CHATS[name] for name in ("prompt", "chosen", "rejected")},
        [
            {"prompt": asked(question), "chosen": said(right), "rejected": said(wrong)}
            for question, right, wrong in zip(QUESTIONS, ANSWERS, WRONG, strict=True)
        ],
    ),
    Shape.UNPAIRED: (
        Format.UNPAIRED,
        {**{name: _CHATS[name] for name in ("prompt", "completion")}, "label": Column(pl.Boolean, "")},
        [
            {"prompt": asked(QUESTIONS[0]), "completion": said(ANSWERS[0]), "label": True},
            {"prompt": asked(QUESTIONS[1]), "completion": said(WRONG[1]), "label": False},
        ],
    ),
    Shape.STEPWISE: (
        Format.STEPWISE,
        {
            "prompt": _TEXTS["prompt"],
            "completions": Column(pl.List(pl.String), ""),
            "labels": Column(COUNTS, ""),
        },
        [
            {"prompt": QUESTIONS[0], "completions": ["2 + 2 is 5.", "So 5."], "labels": [-100, 0]},
            {"prompt": QUESTIONS[1], "completions": ["3 + 3 is 6.", "So 6."], "labels": [1, 1]},
        ],
    ),
    Shape.TOKENS: (
        Format.TOKENS,
        {name: Column(COUNTS, "", tokenwise=True) for name in ("input_ids", "attention_mask", "labels")},
        [
            {"input_ids": [1, 2, 3, 4, 0], "attention_mask": [1] * 5, "labels": [-100, -100, -100, 4, 0]},
            {"input_ids": [1, 2, 5, 0], "attention_mask": [1] * 4, "labels": [-100, -100, 5, 0]},
        ],
    ),
    Shape.PROBLEMS: (
        Format.PROBLEMS,
        {"prompt": _CHATS["prompt"], "data_source": _TEXTS["data_source"], "reward_model": Column(_RULE, "")},
        [
            {
                "prompt": asked(question),
                "data_source": "sums",
                "reward_model": {"style": "rule", "ground_truth": answer},
            }
            for question, answer in zip(QUESTIONS, ("4", "6"), strict=True)
        ],
    ),
}
LEFT_OUT = "What is 9 + 9?"  # the test split, which nothing may be trained on


def dataset(shape, **changes):
    format, columns, _ = ROWS[shape]
    schema = Schema(name=f"literal/{shape}", columns=columns)
    config = Config(name="default", purpose="two rows", schema=schema, format=format)
    return replace(LABELS, configs=(LABELS.main, replace(config, **changes)))


def frame(shape):
    _, columns, rows = ROWS[shape]
    return pl.DataFrame(rows, schema={name: column.dtype for name, column in columns.items()})


def opened(shape, folder, *, splits=None):
    """An opened release of the rows; its test split is the train split with other questions."""
    literal = dataset(shape)
    splits = splits or {"train": frame(shape), "test": frame(shape).head(1)}
    facts = ReleaseFacts(
        policy="tiny", round="r1", licence="MIT", stages=(), sources=(SourceFacts(name="sums", problems=2),)
    )
    manifest = Manifest(
        dataset=literal.name,
        version="v0.1.0",
        content="c0",
        facts=facts,
        rows={"default": {split: rows.height for split, rows in splits.items()}},
        label_counts={},
        packages={},
    )
    parts = {split: Part("default", split, rows, (), ()) for split, rows in splits.items()}
    return OpenedRelease(
        folder=UPath(folder), manifest=manifest, dataset=literal, parts={"default": parts}, n_shards=0, complaints=()
    )
