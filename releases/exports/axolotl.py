"""Exports for axolotl: one Parquet file for each split, and a YAML file that says how to read it."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from releases.exports.files import OUTPUT, REWARD, REWARD_NOTE, SETTINGS, as_yaml, reward_file
from releases.exports.names import TrainerName
from releases.exports.rows import only, problems, stripped_answers, whole_chats
from releases.exports.shapes import Shape
from releases.exports.trainer import Layout, Task, Trainer

_TRAINING = {
    "micro_batch_size": 1,
    "gradient_accumulation_steps": 8,
    "num_epochs": 1,
    "optimizer": "adamw_torch",
    "learning_rate": 0.0001,
    "lr_scheduler": "cosine",
    "bf16": "auto",
    "gradient_checkpointing": True,
}
_TOKEN_LABELS = {
    "model_type": "AutoModelForTokenClassification",
    "num_labels": 2,
    "process_reward_model": True,
    "remove_unused_columns": False,
}
_GRPO = {
    "rl": "grpo",
    "trl": {
        "reward_funcs": [f"{REWARD.removesuffix('.py')}.accuracy"],
        "num_generations": 8,
        "max_completion_length": 2048,
    },
}
_AS_IT_IS = {
    "field_instruction": "prompt",
    "field_output": "completion",
    "format": "{instruction}",
    "no_input_format": "{instruction}",
}
_SMALL = {"adapter": "lora", "lora_r": 16, "lora_alpha": 32, "lora_target_linear": True}


def _layout(
    method: str,
    rows: Callable[[pl.DataFrame], pl.DataFrame],
    dataset: dict[str, Any],
    *,
    more: Mapping[str, Any],
    notes: tuple[str, ...] = (),
) -> Layout:
    def settings(task: Task) -> dict[str, str]:
        def described(split: str) -> dict[str, Any]:
            return {"path": f"data/{split}.parquet", "ds_type": "parquet", "split": "train", **dataset}

        tests = {"test_datasets": [described("test")]} if task.has_test else {}
        everything = {
            "base_model": task.policy,
            "datasets": [described("train")],
            **tests,
            "sequence_len": task.longest,
            "output_dir": OUTPUT,
            **more,
            **_TRAINING,
        }
        return {SETTINGS: as_yaml(everything), **(reward_file() if method == "GRPO" else {})}

    return Layout(method=method, command=lambda _: f"axolotl train {SETTINGS}", rows=rows, files=settings, notes=notes)


_CHAT = {"type": "chat_template", "roles_to_train": ["assistant"]}
_PAIR = {
    "type": "chat_template.default",
    "field_messages": "messages",
    "field_chosen": "chosen",
    "field_rejected": "rejected",
}
_STEPS = {"type": "stepwise_supervised", "step_separator": "\n"}
_MASKED = "A label of -100 masks a step that is not sure: axolotl hands it on, and its loss ignores it."
_STRIPPED = (
    "The answers are without white space around them: axolotl looks for each in its rendered form, and templates that "
    "strip it would leave one character of it."
)

AXOLOTL = Trainer(
    name=TrainerName.AXOLOTL,
    title="axolotl",
    layouts={
        Shape.TOKENS: _layout("SFT", only("input_ids", "attention_mask", "labels"), {"type": None}, more=_SMALL),
        Shape.COMPLETION: _layout("SFT", whole_chats, _CHAT, more=_SMALL),
        Shape.MESSAGES: _layout("SFT", only("messages"), _CHAT, more=_SMALL),
        Shape.TEXT_COMPLETION: _layout(
            "SFT", only("prompt", "completion"), {"type": _AS_IT_IS}, more={"train_on_inputs": False, **_SMALL}
        ),
        Shape.PREFERENCE: _layout("DPO", stripped_answers, _PAIR, more={"rl": "dpo", **_SMALL}, notes=(_STRIPPED,)),
        Shape.STEPWISE: _layout(
            "PRM", only("prompt", "completions", "labels"), _STEPS, more=_TOKEN_LABELS, notes=(_MASKED,)
        ),
        Shape.PROBLEMS: _layout("GRPO", problems, {"type": None}, more={**_GRPO, **_SMALL}, notes=(REWARD_NOTE,)),
    },
    refusals={Shape.UNPAIRED: "its KTO reads texts, in templates of its own that may not be the policy's"},
)
