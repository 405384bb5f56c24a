"""Exports for open-instruct: Parquet files of chats, of pairs of whole chats, and of problems with a verifier."""

import polars as pl

from releases.exports.files import OUTPUT, in_lines
from releases.exports.names import TrainerName
from releases.exports.rows import only, whole_chats, whole_pairs
from releases.exports.shapes import Shape
from releases.exports.trainer import Layout, Task, Trainer

_VERIFIER = "math"  # open-instruct picks the verifier by the column `dataset`
_REPOSITORY = "`OPEN_INSTRUCT` is the folder of open-instruct's repository."


def _run(script: str) -> str:
    return f'uv run --project "$OPEN_INSTRUCT" {script}'


def _common(task: Task) -> tuple[str, ...]:
    return f"--model_name_or_path {task.model}", f"--tokenizer_name_or_path {task.model}", f"--output_dir {OUTPUT}"


def _sft(task: Task) -> str:
    return in_lines(
        _run('accelerate launch "$OPEN_INSTRUCT/open_instruct/finetune.py"'),
        *_common(task),
        "--dataset_mixer_list data/train.parquet 1.0",
        "--dataset_mixer_list_splits train",
        f"--max_seq_length {task.longest}",
        "--push_to_hub false",
    )


def _dpo(task: Task) -> str:
    return in_lines(
        _run('torchrun --nproc_per_node=1 "$OPEN_INSTRUCT/open_instruct/dpo.py"'),
        *_common(task),
        "--mixer_list data/train.parquet 1.0",
        "--mixer_list_splits train",
        f"--max_seq_length {task.longest}",
        "--push_to_hub false",
    )


def _rlvr(task: Task) -> str:
    evaluation = (
        ("--dataset_mixer_eval_list data/test.parquet 1.0", "--dataset_mixer_eval_list_splits train")
        if task.has_test
        else ()
    )
    return in_lines(
        _run('python "$OPEN_INSTRUCT/open_instruct/grpo_fast.py"'),
        *_common(task),
        "--dataset_mixer_list data/train.parquet 1.0",
        "--dataset_mixer_list_splits train",
        *evaluation,
        f"--max_prompt_token_length {task.longest}",
        "--response_length 2048",
        f"--pack_length {task.longest + 2048}",
        "--apply_verifiable_reward true",
        "--push_to_hub false",
    )


def _verifiable(rows: pl.DataFrame) -> pl.DataFrame:
    """The problem as `messages`, its right answer, and the verifier to compare with it."""
    return rows.select(
        messages="prompt",
        ground_truth=pl.col("reward_model").struct.field("ground_truth"),
        dataset=pl.lit(_VERIFIER),
    )


OPEN_INSTRUCT = Trainer(
    name=TrainerName.OPEN_INSTRUCT,
    title="open-instruct",
    layouts={
        Shape.COMPLETION: Layout(method="SFT", command=_sft, rows=whole_chats, notes=(_REPOSITORY,)),
        Shape.MESSAGES: Layout(method="SFT", command=_sft, rows=only("messages"), notes=(_REPOSITORY,)),
        Shape.PREFERENCE: Layout(method="DPO", command=_dpo, rows=whole_pairs, notes=(_REPOSITORY,)),
        Shape.PROBLEMS: Layout(
            method="RLVR",
            command=_rlvr,
            rows=_verifiable,
            notes=(_REPOSITORY, f"Its verifier `{_VERIFIER}` compares the answers."),
        ),
    },
    refusals={
        Shape.TEXT_COMPLETION: "it reads chats only, and would learn the mistakes in them",
        Shape.TOKENS: "it tokenizes chats by itself, and would learn what the labels mask",
        Shape.UNPAIRED: "it has no KTO trainer",
        Shape.STEPWISE: "it trains no process reward model",
    },
)
