"""A process reward model on a release of `process_labels`: it predicts a reward at the end of each step.

The model is the policy with a linear head, read at the last token of each step and trained by binary cross-entropy
against hard or soft labels. Steps without a label do not contribute. Texts are tokenized here, step by step, so any
model works. If the release has a test split, best-of-N is measured on its problems with several labelled solutions.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from peft import get_peft_model
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    Trainer,
    TrainingArguments,
    set_seed,
)

from examples.best_of_n import best_of_n
from examples.common import (
    IGNORED,
    Run,
    arguments,
    dtype,
    fit,
    load_release,
    lora,
    policy_of,
    run_of,
    start,
    trainer_settings,
)
from generators.problems import prompt as solve

LABELS = ("soft", "hard")


def tokenized(row: Mapping[str, Any], *, tokenizer: Any, labels: str) -> dict[str, Any]:
    """A row's token ids, with each step's label as the target at its last token.

    Rows come from the config `full`, where a step without a label has null, or from one with `completions` and hard
    `labels`, where it has IGNORED. The new column is not called `labels`, because it would inherit that column's type.
    """
    steps, values = (
        (row["completions"], row["labels"]) if "completions" in row else (row["steps"], row[f"{labels}_labels"])
    )
    ids = prompt_ids(row["prompt"], tokenizer)
    targets = [float(IGNORED)] * len(ids)
    for step, value in zip(steps, values, strict=True):
        written = tokenizer(step.strip() + "\n", add_special_tokens=False)["input_ids"]
        ids += written
        targets += [float(IGNORED)] * (len(written) - 1) + [float(IGNORED if value is None else value)]
    return {"input_ids": ids, "targets": targets}


def prompt_ids(prompt: str, tokenizer: Any) -> list[int]:
    """The prompt as the policy was given it, or the bare problem if the tokenizer has no chat template."""
    if tokenizer.chat_template is None:
        return list(tokenizer(prompt + "\n")["input_ids"])
    chat = solve.messages(prompt)
    return list(tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False))


def has_label(row: Mapping[str, Any], max_length: int) -> bool:
    """Whether the row fits into `max_length` and any of its steps has a label."""
    return len(row["input_ids"]) <= max_length and any(target != IGNORED for target in row["targets"])


def padded(rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """A padded batch; padding is neither attended to nor labelled."""
    width = max(len(row["input_ids"]) for row in rows)
    return {
        "input_ids": torch.tensor([row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in rows]),
        "attention_mask": torch.tensor(
            [[int(position < len(row["input_ids"])) for position in range(width)] for row in rows]
        ),
        "targets": torch.tensor([row["targets"] + [float(IGNORED)] * (width - len(row["targets"])) for row in rows]),
    }


def step_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean binary cross-entropy over the labelled tokens."""
    labelled = targets != IGNORED
    return torch.nn.functional.binary_cross_entropy_with_logits(logits[labelled].float(), targets[labelled])


class StepRewardTrainer(Trainer):
    """The stock trainer with a loss for soft labels."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean loss over the batch's labelled steps."""
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        loss = step_loss(outputs.logits[..., 0], inputs["targets"])
        return (loss, outputs) if return_outputs else loss


class StepRewards:
    """A policy with a head that gives each step a reward between 0 and 1."""

    def __init__(self, run: Run) -> None:
        set_seed(run.seed)
        policy = policy_of(run)
        config = AutoConfig.from_pretrained(policy.model, revision=policy.revision, num_labels=1)
        config.classifier_dropout = 0.0
        base = AutoModelForTokenClassification.from_pretrained(
            policy.model, revision=policy.revision, config=config, dtype=dtype()
        )
        self.tokenizer = AutoTokenizer.from_pretrained(policy.model, revision=policy.revision)
        self.model = get_peft_model(base, lora(run, task_type="TOKEN_CLS", exclude_modules=["score", "classifier"]))

    def of(self, prompt: str, steps: Sequence[str]) -> list[float]:
        """The reward of each step of a solution."""
        row = {"prompt": prompt, "completions": steps, "labels": [0.0] * len(steps)}
        batch = padded([tokenized(row, tokenizer=self.tokenizer, labels="hard")])
        device = self.model.device
        with torch.inference_mode():
            logits = self.model.eval()(
                input_ids=batch["input_ids"].to(device), attention_mask=batch["attention_mask"].to(device)
            ).logits[0, :, 0]
        return [float(reward) for reward in logits[batch["targets"][0] != IGNORED].float().sigmoid()]


def trainer_of(run: Run, rewards: StepRewards, solutions: Dataset, *, labels: str = "soft") -> StepRewardTrainer:
    """A trainer for `rewards` on labelled solutions."""
    if labels not in LABELS:
        raise ValueError(f"labels must be one of {', '.join(LABELS)}, got {labels!r}")
    rows = solutions.map(
        tokenized,
        fn_kwargs={"tokenizer": rewards.tokenizer, "labels": labels},
        remove_columns=solutions.column_names,
    ).filter(has_label, fn_kwargs={"max_length": run.max_length})
    return StepRewardTrainer(
        model=rewards.model,
        args=TrainingArguments(remove_unused_columns=False, logging_steps=10, **trainer_settings(run)),
        train_dataset=rows,
        data_collator=padded,
        processing_class=rewards.tokenizer,
    )


def measured(rewards: StepRewards, solutions: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """On rows of the config `full`: the accuracy on hard labels, and best-of-N by each solution's worst step."""
    rated = [(row, rewards.of(row["prompt"], row["steps"])) for row in solutions]
    met = [
        (reward > 0.5) == label
        for row, step_rewards in rated
        for reward, label in zip(step_rewards, row["hard_labels"], strict=True)
        if label is not None
    ]
    steps = {"steps": len(met), "steps_met": sum(met) / len(met)} if met else {}
    return {**steps, **best_of_n((row, min(step_rewards)) for row, step_rewards in rated)}


def main(command_line: Sequence[str] | None = None) -> None:
    """Train with the command-line options."""
    parser = arguments("A process reward model on a release of process_labels.", learning_rate=2e-4)
    parser.add_argument("--config", default="full", help="full, or one with hard labels: default, truncated, consensus")
    parser.add_argument("--labels", choices=LABELS, default="soft", help="the labels to use from the config full")
    options = parser.parse_args(command_line)
    run = run_of(options, "prm")
    solutions = load_release(options.release, options.config, revision=options.revision)["train"]
    held_out = load_release(options.release, "full", revision=options.revision).get("test")
    rewards = StepRewards(run)
    fit(trainer_of(run, rewards, solutions, labels=options.labels), run, rows=solutions, held_out=None)
    if held_out is not None:
        print(json.dumps(measured(rewards, held_out)))


if __name__ == "__main__":
    start(main)
