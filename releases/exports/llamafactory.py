"""Exports for LLaMA-Factory: Parquet files that dataset_info.json names one by one, and a YAML file.

Given a folder, LLaMA-Factory takes every file in it, the test rows too. Its formatting `openai` would put a system
message into every chat, so these are `sharegpt` with the tags of OpenAI. With `enable_thinking` it would teach empty
thoughts to a policy that has a template for thoughts, and without it remove those of the rows: it is neither.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from releases.exports.files import OUTPUT, SETTINGS, as_yaml
from releases.exports.names import TrainerName
from releases.exports.rows import labelled_chats, only, single_answers, whole_chats
from releases.exports.shapes import Shape
from releases.exports.trainer import TEST, Layout, Task, Trainer

_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}
_TOKENIZED = "tokenized"
_TEMPLATE = "Without `template`, LLaMA-Factory reads the template out of the policy's tokenizer."


def _command(_: Task) -> str:
    return f"llamafactory-cli train {SETTINGS}"


def _name(task: Task, split: str) -> str:
    return f"{task.dataset}_{split}"


def _settings(task: Task, stage: str, **more: Any) -> str:
    evaluation = {"eval_dataset": _name(task, TEST), "eval_strategy": "epoch"} if task.has_test else {}
    return as_yaml(
        {
            "model_name_or_path": task.policy,
            "stage": stage,
            "do_train": True,
            "finetuning_type": "lora",
            "lora_target": "all",
            "dataset_dir": ".",
            "dataset": _name(task, "train"),
            **evaluation,
            "cutoff_len": task.longest,
            "enable_thinking": None,
            "output_dir": OUTPUT,
            **more,
        }
    )


def _layout(stage: str, rows: Any, *columns: str, **description: Any) -> Layout:
    def files(task: Task) -> Mapping[str, str]:
        registered = {
            _name(task, split): {
                "file_name": f"data/{split}.parquet",
                "formatting": "sharegpt",
                **description,
                "columns": {column: column for column in columns},
                "tags": _TAGS,
            }
            for split in task.splits
        }
        return {"dataset_info.json": json.dumps(registered, indent=2) + "\n", SETTINGS: _settings(task, stage)}

    return Layout(method=stage.upper(), command=_command, rows=rows, files=files, notes=(_TEMPLATE,))


def _tokenized_files(splits: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a saved DatasetDict, whose split for evaluation LLaMA-Factory calls `validation`."""
    from datasets import Dataset, DatasetDict, disable_progress_bars

    disable_progress_bars()
    named = {"validation" if split == TEST else split: rows for split, rows in splits.items()}
    saved = DatasetDict({split: Dataset.from_dict(rows.to_dict(as_series=False)) for split, rows in named.items()})
    with TemporaryDirectory(prefix="stepmill-") as temporary:
        saved.save_to_disk(temporary)
        for path in sorted(Path(temporary).rglob("*")):
            if path.is_file():
                yield f"{_TOKENIZED}/{path.relative_to(temporary)}", path.read_bytes()


LLAMAFACTORY = Trainer(
    name=TrainerName.LLAMAFACTORY,
    title="LLaMA-Factory",
    layouts={
        Shape.TOKENS: Layout(
            method="SFT",
            command=_command,
            rows=only("input_ids", "attention_mask", "labels"),
            files=lambda task: {SETTINGS: _settings(task, "sft", tokenized_path=_TOKENIZED)},
            write=_tokenized_files,
            notes=(f"LLaMA-Factory loads `{_TOKENIZED}` and wants `dataset` to be set, but does not read it.",),
        ),
        Shape.COMPLETION: _layout("sft", whole_chats, "messages"),
        Shape.MESSAGES: _layout("sft", only("messages"), "messages"),
        Shape.PREFERENCE: _layout("dpo", single_answers, "messages", "chosen", "rejected", ranking=True),
        Shape.UNPAIRED: _layout(
            "kto", lambda rows: labelled_chats(rows).rename({"label": "kto_tag"}), "messages", "kto_tag"
        ),
    },
    refusals={
        Shape.TEXT_COMPLETION: "its templates either go around a prompt that has one, or add no end of text",
        Shape.STEPWISE: "it has no stage for process reward models",
        Shape.PROBLEMS: "its PPO scores by a reward model, and has no place for a rule",
    },
)
