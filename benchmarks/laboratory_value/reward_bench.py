"""The units of the reward models: each kind of labels at equal rollouts, trained, and measured on samples."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.laboratory_value import reward_labels
from benchmarks.laboratory_value.bench import TEST, VALIDATION, Bench, samples
from benchmarks.laboratory_value.reward_figures import (
    Choice,
    Rewards,
    Sampled,
    best_choice,
    f1_by_problem,
    figures,
    located,
)
from benchmarks.laboratory_value.reward_labels import WAYS, Labels
from benchmarks.laboratory_value.reward_model import rewards, trained
from generators.training.settings import TrainingSettings

KINDS: Mapping[str, str] = {
    "released_hard": "Released labels, hard",
    "released_soft": "Released labels, step values",
    "eight_rollouts_hard": "Eight rollouts a step, hard",
    "one_rollout": "One rollout a step",
    "outcome": "The solution's own outcome",
    "truth": "The truth of the released solutions",
}
_COLUMNS = {"hard": "hard_labels", "soft": "soft_labels", "sound": "sound"}
BATCH = 16
RATES = (1e-3,)


def choose_reward_settings(bench: Bench, kind: str, seed: int, rate: float) -> dict[str, Any]:
    """Train at a rate and measure on the validation samples: `order`, and the best `aggregate` and `threshold`."""

    def make(folder: Path) -> dict[str, Any]:
        labels = labels_of(bench, kind, seed)
        sampled = samples(bench, VALIDATION)
        scored = _scored(bench, labels, seed, rate, sampled, folder)
        choice = best_choice(sampled, scored)
        in_order = [value for value in figures(sampled, scored, choice)["order"] if value is not None]
        return {"order": sum(in_order) / max(1, len(in_order)), **asdict(choice)}

    result: dict[str, Any] = bench.kept(f"reward-{kind}-{seed}-{VALIDATION}", _content(bench, VALIDATION, rate), make)
    return result


def measure_reward_model(bench: Bench, kind: str, seed: int, rate: float, choice: Choice) -> dict[str, Any]:
    """Train, and measure on the test samples: figures by problem, and what the labels took."""

    def make(folder: Path) -> dict[str, Any]:
        labels = labels_of(bench, kind, seed)
        sampled = samples(bench, TEST)
        scored = _scored(bench, labels, seed, rate, sampled, folder)
        return {
            **figures(sampled, scored, choice),
            "first_error_f1": f1_by_problem(located(sampled, scored, choice.threshold)),
            "solutions": len(labels.items),
            "rollouts": labels.rollouts,
            **reward_labels.shares_met(labels, bench.policy.tokenizer),
        }

    content = _content(bench, TEST, rate) | asdict(choice)
    result: dict[str, Any] = bench.kept(f"reward-{kind}-{seed}-{TEST}", content, make)
    return result


def labels_of(bench: Bench, kind: str, seed: int) -> Labels:
    """The labels of a kind, at as many rollouts as the released labels took; raises ValueError for an unknown kind."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    round = bench.round(seed)
    given = reward_labels.released(round, column="hard_labels")
    if kind == "truth":
        return reward_labels.true_labels(round, bench.policy.tokenizer)
    if kind == "outcome":
        return reward_labels.outcomes(round, bench.policy.tokenizer, budget=given.rollouts)
    way, _, column = kind.rpartition("_") if kind not in WAYS else (kind, "", "hard")
    if way == "released":
        return reward_labels.released(round, column=_COLUMNS[column])
    return reward_labels.otherwise(
        round, bench.policy, WAYS[way], seed=seed, budget=given.rollouts, column=_COLUMNS[column]
    )


def _scored(bench: Bench, labels: Labels, seed: int, rate: float, sampled: Sequence[Sampled], folder: Path) -> Rewards:
    """The rewards of samples by a model that learnt the labels."""
    settings = TrainingSettings(batch_size=BATCH, learning_rate=rate, seed=seed, save_every=1000)
    steps = bench.size.reward_steps
    model = trained(bench.policy, labels.items, settings, steps=steps, checkpoint=folder / "checkpoint")
    tokenizer = bench.policy.tokenizer
    flat = [reward_labels.of_attempt(sample, tokenizer) for problem in sampled for sample in problem.samples]
    scores = iter(rewards(model, flat))
    return [[next(scores) for _ in problem.samples] for problem in sampled]


def _content(bench: Bench, part: str, rate: float) -> dict[str, Any]:
    size = {"round": bench.size.problems, "steps": bench.size.reward_steps, "batch": BATCH}
    return {"rate": rate, **size, **bench.asked(part)}
