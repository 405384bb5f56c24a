"""The trainings of `benchmarks.data_value`, one per arm, each run by a script in `examples/`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from datasets import Dataset

from benchmarks.value_data import RIGHT_ATTEMPTS, Registry, drawn, right_attempts
from examples import cdpo, dpo, prm, sft, step_dpo
from examples.common import Run, fit

Loss = Literal["sft", "dpo", "step_dpo", "cdpo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One way to train the policy: a config of a dataset and a loss; with `is_bare`, the rows have bare prompts."""

    name: str
    loss: Loss
    datasets: tuple[str, ...]
    config: str
    learning_rate: float
    is_bare: bool = False

    @property
    def takes_pairs(self) -> bool:
        """Whether it trains on preference pairs; all such arms get equally many."""
        return self.loss != "sft"

    def rows(self, registry: Registry) -> Dataset | None:
        """All rows it may train on, in the release's order; None if there are none."""
        splits = {name: split for name in self.datasets if (split := registry.train(name, self.config)) is not None}
        if self.name != RIGHT_ATTEMPTS:
            return splits.get(self.datasets[0])
        attempts = right_attempts(splits.get("process_labels"), splits.get("critical_token_pairs"))
        return attempts if len(attempts) else None


ARMS = (
    Arm(
        name=RIGHT_ATTEMPTS,
        loss="sft",
        datasets=("process_labels", "critical_token_pairs"),
        config="full",
        learning_rate=2e-4,
    ),
    Arm(
        name="long_cot_traces",
        loss="sft",
        datasets=("long_cot_traces",),
        config="default",
        learning_rate=2e-4,
        is_bare=True,
    ),
    Arm(
        name="self_correction_traces",
        loss="sft",
        datasets=("self_correction_traces",),
        config="tokens",
        learning_rate=2e-4,
    ),
    Arm(name="dpo", loss="dpo", datasets=("critical_token_pairs",), config="full", learning_rate=5e-5),
    Arm(name="step_dpo", loss="step_dpo", datasets=("step_preference_pairs",), config="steps", learning_rate=5e-5),
    Arm(name="cdpo", loss="cdpo", datasets=("critical_token_pairs",), config="full", learning_rate=5e-5),
)


def trained(arm: Arm, rows: Dataset, run: Run, registry: Registry) -> dict[str, Any]:
    """Train an adapter into the run's output; returns the number of rows and the final figures."""
    run = replace(run, learning_rate=arm.learning_rate)
    if arm.loss == "sft":
        trainer = sft.trainer_of(run, rows)
    elif arm.loss == "dpo":
        trainer = dpo.trainer_of(run, rows)
    elif arm.loss == "cdpo":
        trainer = cdpo.trainer_of(run, rows)
    else:
        trainer = step_dpo.trainer_of(run, rows)
        step_dpo.check_ids(trainer.train_dataset, registry.train(arm.datasets[0], "full") or ())
    return {"rows": len(rows), **fit(trainer, run, rows=rows, held_out=None)}


def reward_model(solutions: Dataset, run: Run) -> prm.StepRewards:
    """A process reward model trained on `solutions` with `soft_labels`; its adapter is saved in the run's output."""
    rewards = prm.StepRewards(run)
    fit(prm.trainer_of(run, rewards, solutions, labels="soft"), run, rows=solutions, held_out=None)
    return rewards


def solution_score(rewards: prm.StepRewards, prompt: str, steps: list[str]) -> float:
    """A solution's reward: that of its worst step, or 0 without steps."""
    return min(rewards.of(prompt, steps), default=0.0) if steps else 0.0


def equal_parts(arms: Mapping[Arm, Dataset], *, rows: int, pairs: int, seed: int) -> dict[Arm, Dataset]:
    """Each arm's training rows: up to `rows` traces, and an equal number of pairs per preference arm, up to `pairs`."""
    fewest = min((len(dataset) for arm, dataset in arms.items() if arm.takes_pairs), default=0)
    most = {True: min(pairs, fewest), False: rows}
    return {arm: drawn(dataset, n=most[arm.takes_pairs], seed=seed) for arm, dataset in arms.items()}
