"""The trainings of `benchmarks.data_value`, each through a script of `examples/`, and the arms that they make up.

Knows the examples; nothing of serving or figures.
"""

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
    """One way to train the policy: on a config of a dataset, under a loss; `is_bare` says that rows ask bare."""

    name: str
    loss: Loss
    datasets: tuple[str, ...]
    config: str
    learning_rate: float
    is_bare: bool = False

    @property
    def takes_pairs(self) -> bool:
        """Whether it is a preference training, whose arms get equally many pairs."""
        return self.loss != "sft"

    def rows(self, registry: Registry) -> Dataset | None:
        """All that it may train on, in its release's order; None where there is nothing."""
        there = {name: found for name in self.datasets if (found := registry.train(name, self.config)) is not None}
        if self.name != RIGHT_ATTEMPTS:
            return there.get(self.datasets[0])
        found = right_attempts(there.get("process_labels"), there.get("critical_token_pairs"))
        return found if len(found) else None


ARMS = (
    Arm(
        name=RIGHT_ATTEMPTS,
        loss="sft",
        datasets=("process_labels", "critical_token_pairs"),
        config="default",
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
        config="sft",
        learning_rate=2e-4,
    ),
    Arm(name="dpo", loss="dpo", datasets=("critical_token_pairs",), config="default", learning_rate=5e-5),
    Arm(name="step_dpo", loss="step_dpo", datasets=("step_preference_pairs",), config="trl", learning_rate=5e-5),
    Arm(name="cdpo", loss="cdpo", datasets=("critical_token_pairs",), config="default", learning_rate=5e-5),
)


def trained(arm: Arm, rows: Dataset, run: Run, registry: Registry) -> dict[str, Any]:
    """Train an adapter into the run's output; gives how many rows it saw, and the last figures."""
    run = replace(run, learning_rate=arm.learning_rate)
    if arm.loss == "sft":
        trainer = sft.trainer_of(run, rows)
    elif arm.loss == "dpo":
        trainer = dpo.trainer_of(run, rows)
    elif arm.loss == "cdpo":
        trainer = cdpo.trainer_of(run, rows)
    else:
        trainer = step_dpo.trainer_of(run, rows)
        step_dpo.check_ids(trainer.train_dataset, registry.train(arm.datasets[0], "default") or ())
    return {"rows": len(rows), **fit(trainer, run, rows=rows, held_out=None)}


def reward_model(solutions: Dataset, run: Run) -> prm.StepRewards:
    """A process reward model trained on `solutions` with `soft_labels`; its adapter goes into the run's output."""
    rewards = prm.StepRewards(run)
    fit(prm.trainer_of(run, rewards, solutions, labels="soft"), run, rows=solutions, held_out=None)
    return rewards


def worth(rewards: prm.StepRewards, prompt: str, steps: list[str]) -> float:
    """What a solution is worth: its worst step; nothing where it has none."""
    return min(rewards.of(prompt, steps), default=0.0) if steps else 0.0


def equal_parts(arms: Mapping[Arm, Dataset], *, rows: int, pairs: int, seed: int) -> dict[Arm, Dataset]:
    """What each arm trains on: up to `rows` traces, and of pairs as many as every preference arm has, up to `pairs`."""
    fewest = min((len(found) for arm, found in arms.items() if arm.takes_pairs), default=0)
    most = {True: min(pairs, fewest), False: rows}
    return {arm: drawn(found, n=most[arm.takes_pairs], seed=seed) for arm, found in arms.items()}
