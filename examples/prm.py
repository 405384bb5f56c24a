"""A process reward model on a release of `process_labels`: what a solution is worth at the end of each step.

One linear head over the policy's states, read at the last token of a step and trained by binary cross-entropy against
hard or soft labels; steps without a label carry no loss. Texts are tokenized here, step by step, so any model will do.
Where the release holds problems out, best-of-N over those with several labelled solutions is measured.
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
    trainer_settings,
)
from generators.problems import prompt as solve

LABELS = ("soft", "hard")


def tokenized(row: Mapping[str, Any], *, tokenizer: Any, labels: str) -> dict[str, Any]:
    """A row's token ids, and at the last one of each step its label.

    Rows are those of the config `default`, or of one with `completions` and `labels`, which are hard. The new column is
    not called `labels`: it would take that one's type, bool, for its own.
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
    """The problem as the policy was asked it, or bare for a tokenizer without a chat template."""
    if tokenizer.chat_template is None:
        return list(tokenizer(prompt + "\n")["input_ids"])
    asked = solve.messages(prompt)
    return list(tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False))


def has_label(row: Mapping[str, Any], max_length: int) -> bool:
    """Whether the row fits and any of its steps has a label."""
    return len(row["input_ids"]) <= max_length and any(target != IGNORED for target in row["targets"])


def padded(rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
    """A batch; what is padded is neither seen nor labelled."""
    width = max(len(row["input_ids"]) for row in rows)
    return {
        "input_ids": torch.tensor([row["input_ids"] + [0] * (width - len(row["input_ids"])) for row in rows]),
        "attention_mask": torch.tensor(
            [[int(place < len(row["input_ids"])) for place in range(width)] for row in rows]
        ),
        "targets": torch.tensor([row["targets"] + [float(IGNORED)] * (width - len(row["targets"])) for row in rows]),
    }


def step_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean binary cross-entropy over the labelled tokens."""
    counted = targets != IGNORED
    return torch.nn.functional.binary_cross_entropy_with_logits(logits[counted].float(), targets[counted])


class StepRewardTrainer(Trainer):
    """The stock trainer under a loss that takes soft labels."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The mean over the batch's labelled steps."""
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        loss = step_loss(outputs.logits[..., 0], inputs["targets"])
        return (loss, outputs) if return_outputs else loss


class StepRewards:
    """A policy with a head that gives each step a number between 0 and 1."""

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
        """What each step of a solution is worth."""
        row = {"prompt": prompt, "completions": steps, "labels": [0.0] * len(steps)}
        batch = padded([tokenized(row, tokenizer=self.tokenizer, labels="hard")])
        device = self.model.device
        with torch.inference_mode():
            logits = self.model.eval()(
                input_ids=batch["input_ids"].to(device), attention_mask=batch["attention_mask"].to(device)
            ).logits[0, :, 0]
        return [float(worth) for worth in logits[batch["targets"][0] != IGNORED].float().sigmoid()]


def trainer_of(run: Run, rewards: StepRewards, solutions: Dataset, *, labels: str = "soft") -> StepRewardTrainer:
    """A trainer of `rewards` on labelled solutions."""
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
    """Over solutions of the config `default`: hard labels that are met, and best-of-N by each solution's worst step."""
    told = [(row, rewards.of(row["prompt"], row["steps"])) for row in solutions]
    met = [
        (worth > 0.5) == label
        for row, worths in told
        for worth, label in zip(worths, row["hard_labels"], strict=True)
        if label is not None
    ]
    steps = {"steps": len(met), "steps_met": sum(met) / len(met)} if met else {}
    return {**steps, **best_of_n((row, min(worths)) for row, worths in told)}


def main(command_line: Sequence[str] | None = None) -> None:
    """Train as the command line says."""
    parser = arguments("A process reward model on a release of process_labels.", learning_rate=2e-4)
    parser.add_argument("--config", default="default", help="or stepwise, truncated, consensus: hard labels")
    parser.add_argument("--labels", choices=LABELS, default="soft", help="which labels of the config default")
    told = parser.parse_args(command_line)
    run = run_of(told)
    solutions = load_release(told.release, told.config, revision=told.revision)["train"]
    held_out = load_release(told.release, "default", revision=told.revision).get("test")
    rewards = StepRewards(run)
    fit(trainer_of(run, rewards, solutions, labels=told.labels), run, rows=solutions, held_out=None)
    if held_out is not None:
        print(json.dumps(measured(rewards, held_out)))


if __name__ == "__main__":
    main()
