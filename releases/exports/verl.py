"""Exports for verl: Parquet of `messages` for SFT, and of prompts with a rule for reinforcement learning."""

import polars as pl

from releases.exports.files import OUTPUT, REWARD, REWARD_NOTE, in_lines, reward_file
from releases.exports.names import TrainerName
from releases.exports.rows import only, whole_chats
from releases.exports.shapes import Shape
from releases.exports.trainer import TRAIN, Layout, Task, Trainer

_BATCH = 128
_PROMPTS = ("data_source", "prompt", "ability", "reward_model", "extra_info")


def _validation(task: Task) -> str:
    return f"data.val_files=data/{'test' if task.has_test else 'train'}.parquet"


def _sft(task: Task) -> str:
    return in_lines(
        "torchrun --standalone --nproc_per_node=1 -m verl.trainer.sft_trainer",
        "data.train_files=data/train.parquet",
        *([_validation(task)] if task.has_test else []),
        "data.messages_key=messages",
        f"data.train_batch_size={_batch(task)}",
        f"data.max_length={task.longest}",
        f"data.max_token_len_per_gpu={task.longest}",
        f"model.path={task.model}",
        f"trainer.default_local_dir={OUTPUT}",
        "trainer.logger=console",
    )


def _grpo(task: Task) -> str:
    batch = _batch(task)
    return in_lines(
        "python3 -m verl.trainer.main_ppo",
        "algorithm.adv_estimator=grpo",
        "data.train_files=data/train.parquet",
        _validation(task),
        f"data.train_batch_size={batch}",
        f"data.max_prompt_length={task.longest}",
        "data.max_response_length=2048",
        f"custom_reward_function.path={REWARD}",
        "custom_reward_function.name=compute_score",
        f"actor_rollout_ref.model.path={task.model}",
        f"actor_rollout_ref.actor.ppo_mini_batch_size={batch}",
        "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=1",
        "actor_rollout_ref.rollout.name=vllm",
        "actor_rollout_ref.rollout.n=8",
        "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=1",
        "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=1",
        f"trainer.default_local_dir={OUTPUT}",
        "trainer.logger=console",
        "trainer.n_gpus_per_node=1",
        "trainer.nnodes=1",
    )


def _batch(task: Task) -> int:
    """The rows of a batch: no more than there are, since an incomplete batch is dropped."""
    return min(_BATCH, task.splits[TRAIN].height)


def _prompts(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns that verl reads of a problem, with the ability and the index that some releases lack."""
    lacking = {
        "ability": pl.lit("math").alias("ability"),
        "extra_info": pl.struct(pl.row_index().cast(pl.Int64).alias("index")).alias("extra_info"),
    }
    missing = [column for name, column in lacking.items() if name not in rows.columns]
    return rows.with_columns(missing).select(_PROMPTS)


_SFT_NOTE = "verl learns every message of the assistant."
VERL = Trainer(
    name=TrainerName.VERL,
    title="verl",
    layouts={
        Shape.COMPLETION: Layout(method="SFT", command=_sft, rows=whole_chats, notes=(_SFT_NOTE,)),
        Shape.MESSAGES: Layout(method="SFT", command=_sft, rows=only("messages"), notes=(_SFT_NOTE,)),
        Shape.PROBLEMS: Layout(
            method="GRPO",
            command=_grpo,
            rows=_prompts,
            files=lambda _: reward_file(),
            notes=(
                REWARD_NOTE,
                "verl has rules of its own for a few data sources, by name, and stops at any other.",
            ),
        ),
    },
    refusals={
        Shape.TEXT_COMPLETION: "it puts its chat template around prompts, and these are templated up to the mistake",
        Shape.TOKENS: "its loaders read chats only, and would learn what the labels mask",
        Shape.PREFERENCE: "it has no loader of pairs",
        Shape.UNPAIRED: "it has no loader of labelled answers",
        Shape.STEPWISE: "it trains no process reward model",
    },
)
