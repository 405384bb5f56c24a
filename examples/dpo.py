"""DPO on whole solutions, the baseline for Step-DPO and cDPO: the pairs of `critical_token_pairs` without weights.

Rows without token ids (the config `pairs` of `long_cot_traces`, or any preference set in TRL's format) go to TRL's
trainer unchanged.
"""

from collections.abc import Sequence

from datasets import Dataset
from trl import DPOConfig, DPOTrainer

from examples.common import (
    Run,
    arguments,
    fit,
    likelihood_option,
    load_policy,
    load_release,
    lora,
    preference_losses,
    run_of,
    start,
    trainer_settings,
)
from examples.stored_ids import StoredIdsTrainer


def trainer_of(run: Run, pairs: Dataset, *, beta: float = 0.1, likelihood: float = 0.0) -> DPOTrainer:
    """A DPO trainer on preference pairs."""
    model, tokenizer = load_policy(run)
    kind = StoredIdsTrainer if "chosen_token_ids" in pairs.column_names else DPOTrainer
    return kind(
        model=model,
        args=DPOConfig(beta=beta, max_length=run.max_length, **preference_losses(likelihood), **trainer_settings(run)),
        train_dataset=pairs,
        processing_class=tokenizer,
        peft_config=lora(run),
    )


def main(command_line: Sequence[str] | None = None) -> None:
    """Train with the command-line options."""
    parser = arguments("DPO on whole solutions of a release of critical_token_pairs.", learning_rate=1e-5)
    parser.add_argument("--config", default="full", help="the config with the pairs")
    parser.add_argument(
        "--beta", type=float, default=0.5, help="strength of the penalty for leaving the reference policy"
    )
    likelihood_option(parser)
    options = parser.parse_args(command_line)
    run = run_of(options, "dpo")
    pairs = load_release(options.release, options.config, revision=options.revision)
    trainer = trainer_of(run, pairs["train"], beta=options.beta, likelihood=options.likelihood)
    fit(trainer, run, rows=pairs["train"], held_out=pairs.get("test"))


if __name__ == "__main__":
    start(main)
