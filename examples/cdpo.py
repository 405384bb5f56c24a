"""cDPO (arXiv 2411.19943) on a release of `critical_token_pairs`: DPO with a weight on every token of the wrong side.

The loss is the paper's: weighted log ratios are summed over the tokens, and the sigmoid is taken of the difference of
the two sums. The paper's own code pairs the tokens of the two solutions by position and takes a sigmoid of each pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from trl import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForPreference

from examples.common import (
    IGNORED,
    Run,
    arguments,
    fit,
    likelihood_option,
    load_policy,
    load_release,
    lora,
    run_of,
    start,
    trainer_settings,
)
from examples.stored_ids import SIDES, StoredIdsTrainer


def cdpo_loss(log_ratios: torch.Tensor, weights: torch.Tensor, *, beta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean loss and each pair's margin; rows are the chosen sides, then the rejected sides in the same order."""
    chosen, rejected = (weights * log_ratios).sum(dim=1).chunk(2)
    margins = beta * (chosen - rejected)
    return -torch.nn.functional.logsigmoid(margins).mean(), margins


@dataclass
class WeightedPairs(DataCollatorForPreference):
    """TRL's batch of pairs, extended by a weight for each token: 0 on prompts and padding."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super().torch_call(examples)
        rows = [
            [0.0] * len(example["prompt_ids"]) + example[f"{side}_weights"] for side in SIDES for example in examples
        ]
        width = batch["input_ids"].shape[1]
        batch["weights"] = torch.tensor([(row + [0.0] * width)[:width] for row in rows])
        return dict(batch)


class CriticalDPOTrainer(StoredIdsTrainer):
    """TRL's DPO trainer with cDPO's loss, and `likelihood` times the cross-entropy of the chosen side."""

    likelihood = 0.0

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> torch.Tensor:
        if return_outputs:
            raise ValueError("return_outputs must be False: the loss is computed without logits, got True")
        log_probs, log_ratios = self._log_probs(model, inputs)
        loss, margins = cdpo_loss(log_ratios, inputs["weights"][:, 1:], beta=self.beta)
        if self.likelihood:
            is_chosen = inputs["completion_mask"][:, 1:].chunk(2)[0].bool()
            loss = loss - self.likelihood * log_probs.chunk(2)[0][is_chosen].mean()
        margins = self.accelerator.gather(margins.detach())
        figures = self._metrics["train" if self.model.training else "eval"]
        figures["rewards/margins"].append(margins.mean().item())
        figures["rewards/accuracies"].append((margins > 0).float().mean().item())
        return loss

    def _log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Each token's log probability and log ratio, from the second token on; both are 0 on prompts and padding."""
        model_inputs = {
            "input_ids": inputs["input_ids"],
            "attention_mask": inputs["attention_mask"],
            "labels": inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, IGNORED),
            "use_cache": False,
            "fused_lm_head": True,  # TRL's head: log probabilities without the logits of the whole vocabulary
        }
        with torch.no_grad(), self.accelerator.unwrap_model(self.model).disable_adapter():
            reference = self.model(**model_inputs).log_probs
        log_probs = model(**model_inputs).log_probs
        return log_probs, log_probs - reference


def trainer_of(run: Run, pairs: Dataset, *, beta: float = 0.1, likelihood: float = 0.0) -> CriticalDPOTrainer:
    """A cDPO trainer on rows of the config `full`."""
    model, tokenizer = load_policy(run)
    padding = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    trainer = CriticalDPOTrainer(
        model=model,
        args=DPOConfig(beta=beta, max_length=run.max_length, remove_unused_columns=False, **trainer_settings(run)),
        data_collator=WeightedPairs(pad_token_id=padding, max_length=run.max_length),
        train_dataset=pairs,
        processing_class=tokenizer,
        peft_config=lora(run),
    )
    trainer.likelihood = likelihood
    return trainer


def main(command_line: Sequence[str] | None = None) -> None:
    """Train with the command-line options."""
    parser = arguments("cDPO on a release of critical_token_pairs.", learning_rate=4e-5)
    parser.add_argument("--beta", type=float, default=0.5, help="the paper's gamma: 1 in its text, 0.1 in its code")
    likelihood_option(parser)
    options = parser.parse_args(command_line)
    run = run_of(options, "cdpo")
    pairs = load_release(options.release, "full", revision=options.revision)
    trainer = trainer_of(run, pairs["train"], beta=options.beta, likelihood=options.likelihood)
    fit(trainer, run, rows=pairs["train"], held_out=pairs.get("test"))


if __name__ == "__main__":
    start(main)
