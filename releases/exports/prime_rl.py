"""Exports for prime-rl: a folder of Parquet that its SFT loads by split, and a TOML file."""

import json

from releases.exports.files import OUTPUT
from releases.exports.names import TrainerName
from releases.exports.rows import only, whole_chats
from releases.exports.shapes import Shape
from releases.exports.trainer import Layout, Task, Trainer

_FILE = "train.toml"


def _settings(task: Task) -> dict[str, str]:
    lines = [f"output_dir = {json.dumps(OUTPUT)}", "max_steps = 100", ""]
    lines += ["[model]", f"name = {json.dumps(task.policy)}", "", "[data]", *_data("train", task)]
    if task.has_test:
        lines += ["", "[val]", "interval = 50", "", "[val.data]", *_data("test", task)]
    return {_FILE: "\n".join([*lines, ""])}


def _data(split: str, task: Task) -> list[str]:
    return ['name = "data"', f'splits = ["{split}"]', f"seq_len = {task.longest}", "batch_size = 8"]


def _command(_: Task) -> str:
    return f'uv run --project "$PRIME_RL" sft @ {_FILE}'


_NOTES = (
    "`PRIME_RL` is the folder of prime-rl's repository.",
    "prime-rl learns every message of the assistant, those of a `prompt` too: prompts are joined with their answers "
    "only if they hold none.",
)
PRIME_RL = Trainer(
    name=TrainerName.PRIME_RL,
    title="prime-rl",
    layouts={
        Shape.COMPLETION: Layout(method="SFT", command=_command, rows=whole_chats, files=_settings, notes=_NOTES),
        Shape.MESSAGES: Layout(method="SFT", command=_command, rows=only("messages"), files=_settings, notes=_NOTES),
    },
    refusals={
        Shape.TEXT_COMPLETION: "it makes a user's message of every prompt, and these are templated up to the mistake",
        Shape.TOKENS: "its renderer tokenizes chats by itself, and would learn what the labels mask",
        Shape.PREFERENCE: "it has SFT and reinforcement learning only",
        Shape.UNPAIRED: "it has SFT and reinforcement learning only",
        Shape.STEPWISE: "it trains no process reward model",
        Shape.PROBLEMS: "its reinforcement learning reads an environment of the package `verifiers`, not a dataset",
    },
)
