"""Exports for TRL 1.16: its command line reads a folder of Parquet and a YAML file."""

from typing import Any

from generators.formats import Format
from releases.exports.files import OUTPUT, REWARD, REWARD_NOTE, SETTINGS, as_yaml, reward_file
from releases.exports.names import TrainerName
from releases.exports.rows import only, problems
from releases.exports.shapes import Shape
from releases.exports.trainer import Layout, Task, Trainer
from releases.trl import READERS


def _layout(command: str, format: Format, *, notes: tuple[str, ...] = ()) -> Layout:
    return Layout(
        method=command.upper(),
        command=lambda _: f"trl {command} --config {SETTINGS}",
        rows=only(*format.columns),
        files=lambda task: {SETTINGS: as_yaml({**_settings(task), **READERS[format][0].settings})},
        notes=(_WHOLE, _CPU, *notes),
    )


def _settings(task: Task) -> dict[str, Any]:
    evaluation = {"eval_strategy": "epoch"} if task.has_test else {}
    return {"model_name_or_path": task.policy, "dataset_name": "data", "output_dir": OUTPUT, **evaluation}


_CPU = "Without a GPU, add `--use_cpu true --bf16 false`."
_WHOLE = "TRL would cut rows at 1,024 tokens; `max_length` is unset, so that none is cut."
_GRPO = Layout(
    method="GRPO",
    command=lambda _: f"trl grpo --config {SETTINGS}",
    rows=problems,
    files=lambda task: {
        SETTINGS: as_yaml(
            _settings(task) | {"reward_funcs": [f"{REWARD.removesuffix('.py')}.accuracy"], "num_generations": 8}
        ),
        **reward_file(),
    },
    notes=(REWARD_NOTE, _CPU),
)

TRL = Trainer(
    name=TrainerName.TRL,
    title="TRL",
    layouts={
        Shape.TOKENS: _layout("sft", Format.TOKENS),
        Shape.COMPLETION: _layout("sft", Format.COMPLETION),
        Shape.TEXT_COMPLETION: _layout("sft", Format.COMPLETION),
        Shape.MESSAGES: _layout(
            "sft",
            Format.MESSAGES,
            notes=("`assistant_only_loss` keeps the prompt out of the loss; TRL refuses it for unknown templates.",),
        ),
        Shape.PREFERENCE: _layout("dpo", Format.PREFERENCE),
        Shape.UNPAIRED: _layout("kto", Format.UNPAIRED),
        Shape.PROBLEMS: _GRPO,
    },
    refusals={Shape.STEPWISE: "it has no trainer of process reward models any more (`examples.prm` is one)"},
)
