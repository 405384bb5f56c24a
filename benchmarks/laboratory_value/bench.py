"""The units of the laboratory's benchmark, each kept in the folder under everything that shapes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.kept import kept
from benchmarks.laboratory_value import reward_labels
from benchmarks.laboratory_value.arms import ARMS, Arm, Lesson, n_pairs
from benchmarks.laboratory_value.evaluating import WrongStart, attempted, recovered, solved, wrong_starts
from benchmarks.laboratory_value.problems import for_test, for_validation, truth_of
from benchmarks.laboratory_value.reward_figures import Sampled
from benchmarks.laboratory_value.rounds import Round, round_of
from benchmarks.laboratory_value.size import Size
from filters.answers.verdicts import Verdict
from generators.engine.tokenizer import HFTokenizer
from generators.models.base import base_of
from generators.models.policy import Policy, identify
from generators.records import Attempt, Problem
from generators.training.phases import PhaseSettings
from generators.training.policy_training import Phase, PolicyTraining

VERSION = 1  # increase when a change here changes a unit's result
TEST = "test"
VALIDATION = "validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The policy, the folder of all results, and the size of the run."""

    model: str
    folder: Path
    size: Size

    @property
    def policy(self) -> Policy:
        """The policy that all data is made of."""
        return identify(self.model)

    def round(self, seed: int) -> Round:
        """The data of a seed."""
        return round_of(self.policy, seed=seed, problems=self.size.problems, folder=self.folder)

    def problems(self, part: str) -> list[Problem]:
        """The problems of a part, `test` or `validation`."""
        test = for_test(self.size.test)
        return test if part == TEST else for_validation(self.size.validation, test)

    def kept(self, name: str, content: Mapping[str, Any], make: Any) -> Any:
        """The result of a unit, computed now or read back."""
        shared = {"version": VERSION, "policy": self.policy.name}
        return kept(self.folder, name, {**shared, **content}, make)

    def evaluated(self, policy: Policy, part: str, folder: Path) -> list[Any]:
        """What a policy does with the problems of a part."""
        deep = self.size.deep if part == TEST else 0
        return solved(policy, self.problems(part), samples=self.size.samples, deep=deep, folder=folder)

    def asked(self, part: str) -> dict[str, Any]:
        """What determines an evaluation besides the policy."""
        size = {"samples": self.size.samples, "deep": self.size.deep, "recoveries": self.size.recoveries}
        return {"part": part, "problems": [problem.problem_id for problem in self.problems(part)], **size}


def make_round(bench: Bench, seed: int) -> dict[str, Any]:
    """Make the data of a seed and label it in other ways too; returns the cost and number of rows of each table."""
    made = bench.round(seed)
    budget = reward_labels.released(made, column="hard_labels").rollouts
    for way in reward_labels.WAYS.values():
        reward_labels.labelled(made, bench.policy, way, seed=seed, budget=budget)
    rows = {name: made.table(name).height for name in made.costs}
    return {name: cost.to_json() | {"rows": rows[name]} for name, cost in made.costs.items()}


def evaluate_base(bench: Bench, part: str) -> dict[str, Any]:
    """The results of the policy itself: `solved`, and on the test problems `recovered`."""

    def make(folder: Path) -> dict[str, Any]:
        results = {"solved": bench.evaluated(bench.policy, part, folder)}
        if part == TEST:
            results["recovered"] = recovered(bench.policy, starts(bench), folder=folder)
        return results

    result: dict[str, Any] = bench.kept(f"base-{part}", bench.asked(part), make)
    return result


def train_and_evaluate(bench: Bench, name: str, phase: PhaseSettings, seed: int, part: str) -> dict[str, Any]:
    """Train an arm on a seed's round, and evaluate it on a part: `solved`, its cost, and on test also `recovered`."""
    arm = ARMS[name]

    def make(folder: Path) -> dict[str, Any]:
        round = bench.round(seed)
        lesson = arm.learns(round, _tokenizer(bench), n_pairs(round, bench.size.pairs))
        trained = identify(str(_training(bench, arm, lesson, phase, seed).run("cpu", lambda _: None)))
        results = {
            "solved": bench.evaluated(trained, part, folder),
            "rows": len(lesson.items),
            "cost": lesson.cost.to_json(),
        }
        if part == TEST:
            results["recovered"] = recovered(trained, starts(bench), folder=folder)
        return results

    content = {"phase": phase.recipe(), "most": bench.size.pairs, "seed": seed, "problems": bench.size.problems}
    result: dict[str, Any] = bench.kept(f"{name}-{seed}-{part}", content | bench.asked(part), make)
    return result


def _training(bench: Bench, arm: Arm, lesson: Lesson, phase: PhaseSettings, seed: int) -> PolicyTraining:
    return PolicyTraining(
        name=f"{arm.name}-{seed}",
        base=base_of(bench.policy),
        phases=(Phase(settings=phase, items=lesson.items),),
        seed=seed,
        root=bench.folder / "policies",
    )


def _tokenizer(bench: Bench) -> HFTokenizer:
    tokenizer = bench.policy.tokenizer
    assert isinstance(tokenizer, HFTokenizer)
    return tokenizer


def samples(bench: Bench, part: str) -> list[Sampled]:
    """The policy's samples of a part's problems with the truth about each: what reward models choose among."""

    def make(folder: Path) -> list[Any]:
        groups = attempted(bench.policy, bench.problems(part), n=bench.size.samples, folder=folder)
        return [[_stored(attempt) for attempt in group] for group in groups]

    stored: list[Any] = bench.kept(f"samples-{part}", bench.asked(part), make)
    sampled = []
    for problem, group in zip(bench.problems(part), stored, strict=True):
        attempts = tuple(Attempt(**one | {"verdict": Verdict(one["verdict"])}) for one in group)
        truths = tuple(truth_of(problem.prompt, attempt.text).first_error for attempt in attempts)
        sampled.append(Sampled(samples=attempts, first_errors=truths))
    return sampled


def starts(bench: Bench) -> list[WrongStart]:
    """Where the policy's own samples of test problems begin to go wrong."""
    groups = [problem.samples for problem in samples(bench, TEST)]
    return wrong_starts(bench.problems(TEST), groups, bench.policy, n=bench.size.recoveries)


def _stored(attempt: Attempt) -> dict[str, Any]:
    fields = {name: getattr(attempt, name) for name in Attempt.__slots__}
    return fields | {name: list(fields[name]) for name in ("prompt_token_ids", "token_ids")}
