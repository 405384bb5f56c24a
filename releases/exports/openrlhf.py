"""Exports for OpenRLHF: one Parquet file for each split, and a command that names the columns.

OpenRLHF loads the `main` of a Hub repository, whatever the version; an export fixes it.
"""

from releases.exports.files import OUTPUT, REWARD, REWARD_NOTE, in_lines, reward_file
from releases.exports.names import TrainerName
from releases.exports.rows import only, problems
from releases.exports.shapes import Shape
from releases.exports.trainer import Layout, Task, Trainer

_TEMPLATE = "--data.apply_chat_template"
_NO_TEMPLATE = "--data.input_template ''"  # its default would put `User: ` before each prompt


def _layout(program: str, *columns: str, keys: tuple[str, ...], notes: tuple[str, ...] = ()) -> Layout:
    def command(task: Task) -> str:
        evaluation = ("--eval.dataset data/test.parquet", "--eval.split train") if task.has_test else ()
        return in_lines(
            f"deepspeed --module openrlhf.cli.train_{program}",
            f"--model.model_name_or_path {task.model}",
            "--data.dataset data/train.parquet",
            *evaluation,
            *keys,
            f"--data.max_len {task.longest}",
            f"--ckpt.output_dir {OUTPUT}",
        )

    return Layout(method=program.upper(), command=command, rows=only(*columns), notes=notes)


def _grpo(task: Task) -> str:
    evaluation = ("--eval.dataset data/test.parquet",) if task.has_test else ()
    return in_lines(
        "python3 -m openrlhf.cli.train_ppo_ray",
        f"--actor.model_name_or_path {task.model}",
        "--data.prompt_dataset data/train.parquet",
        *evaluation,
        "--data.input_key prompt",
        "--data.label_key answer",
        _TEMPLATE,
        f"--data.max_len {task.longest + 2048}",
        f"--reward.remote_url {REWARD}",
        "--algo.advantage.estimator group_norm",
        "--rollout.n_samples_per_prompt 8",
        f"--ckpt.output_dir {OUTPUT}",
    )


OPENRLHF = Trainer(
    name=TrainerName.OPENRLHF,
    title="OpenRLHF",
    layouts={
        Shape.COMPLETION: _layout(
            "sft",
            "prompt",
            "completion",
            keys=("--data.input_key prompt", "--data.output_key completion", _TEMPLATE),
        ),
        Shape.TEXT_COMPLETION: _layout(
            "sft",
            "prompt",
            "completion",
            keys=("--data.input_key prompt", "--data.output_key completion", _NO_TEMPLATE),
            notes=("OpenRLHF adds no begin-of-text token to a text, and puts a space before end of text.",),
        ),
        Shape.MESSAGES: _layout("sft", "messages", keys=("--data.input_key messages", "--data.multiturn", _TEMPLATE)),
        Shape.PREFERENCE: _layout("dpo", "prompt", "chosen", "rejected", keys=("--data.prompt_key prompt", _TEMPLATE)),
        Shape.PROBLEMS: Layout(
            method="GRPO",
            command=_grpo,
            rows=problems,
            files=lambda _: reward_file(),
            notes=(REWARD_NOTE,),
        ),
    },
    refusals={
        Shape.TOKENS: "its loaders tokenize texts by themselves, and would learn what the labels mask",
        Shape.UNPAIRED: "it has had no KTO trainer since March 2026",
        Shape.STEPWISE: "it has had no trainer of process reward models since March 2026",
    },
)
