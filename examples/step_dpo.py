"""Step-DPO (arXiv 2406.18629) on a release of `step_preference_pairs`: a right next step against the wrong one.

The loss is DPO's, conditioned on the previous steps. TRL's trainer ends both sides with the end-of-text token; this
trainer removes it again after a step that does not end a solution. The rows are in the policy's own tokens, so `model`
must be that policy, or one with its tokenizer. Every row is compared with the token ids stored in the release.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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

_SIDES = {"chosen_ids": "is_final_step", "rejected_ids": "rejected_is_final_step"}


class StepDPOTrainer(DPOTrainer):
    """DPOTrainer on rows that say for each side whether the end-of-text token follows it."""

    def _prepare_dataset(self, dataset: Dataset, processing_class: Any, args: DPOConfig, dataset_name: str) -> Dataset:
        prepared = super()._prepare_dataset(dataset, processing_class, args, dataset_name)
        return prepared.map(open_ended, fn_kwargs={"end_of_text": processing_class.eos_token_id})


def open_ended(row: Mapping[str, Any], end_of_text: int) -> dict[str, Any]:
    """The token ids of both sides, without the end-of-text token after a non-final step."""
    return {
        ids: row[ids] if row[is_final] or row[ids][-1] != end_of_text else row[ids][:-1]
        for ids, is_final in _SIDES.items()
    }


def check_ids(prepared: Iterable[Mapping[str, Any]], stored: Iterable[Mapping[str, Any]]) -> None:
    """Raise ValueError unless every prepared row has the prefix, chosen and rejected token ids of a stored pair."""
    stored_columns = ("prefix_token_ids", "chosen_token_ids", "rejected_token_ids")
    known = {_ids(row, stored_columns) for row in stored}
    for number, row in enumerate(prepared):
        row_ids = _ids(row, ("prompt_ids", *_SIDES))
        if row_ids not in known:
            lengths = ", ".join(str(len(ids)) for ids in row_ids)
            raise ValueError(
                f"row {number} becomes a prompt, a chosen and a rejected step of {lengths} tokens, which are no stored "
                "pair's: model must be the policy that wrote the release, or one with its tokenizer"
            )


def trainer_of(run: Run, pairs: Dataset, *, beta: float = 0.5, likelihood: float = 0.0) -> StepDPOTrainer:
    """A Step-DPO trainer on rows of the config `steps`."""
    model, tokenizer = load_policy(run)
    return StepDPOTrainer(
        model=model,
        args=DPOConfig(beta=beta, max_length=run.max_length, **preference_losses(likelihood), **trainer_settings(run)),
        train_dataset=pairs,
        processing_class=tokenizer,
        peft_config=lora(run),
    )


def main(command_line: Sequence[str] | None = None) -> None:
    """Train with the command-line options."""
    parser = arguments("Step-DPO on a release of step_preference_pairs.", learning_rate=1e-5)
    parser.add_argument(
        "--beta", type=float, default=0.5, help="strength of the penalty for leaving the reference policy"
    )
    likelihood_option(parser)
    options = parser.parse_args(command_line)
    run = run_of(options, "step_dpo")
    pairs, stored = (load_release(options.release, config, revision=options.revision) for config in ("steps", "full"))
    trainer = trainer_of(run, pairs["train"], beta=options.beta, likelihood=options.likelihood)
    check_ids(trainer.train_dataset, stored["train"])
    fit(trainer, run, rows=pairs["train"], held_out=pairs.get("test"))


def _ids(row: Mapping[str, Any], names: Iterable[str]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row[name]) for name in names)


if __name__ == "__main__":
    start(main)
