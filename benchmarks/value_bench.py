"""The stages of `benchmarks.data_value`: a model's samples, a training followed by samples, labels, and rewards.

Each stage runs once, and its stored result is read afterwards.
"""

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from datasets import Dataset

from benchmarks.kept import kept
from benchmarks.value_data import Registry, attempts_config, drawn
from benchmarks.value_labels import affordable, exhaustive, tokens_spent
from benchmarks.value_serving import IN_FLIGHT, Prompting, SampleJson, merge, samples, serving
from benchmarks.value_training import Arm, reward_model, solution_score, trained
from examples.common import Run
from filters.answers.checker import AnswerChecker
from generators.engine.protocol import Sampling
from generators.models.policy import Policy, identify
from generators.process_labels.recipe import ProcessLabelsConfig
from generators.process_labels.settings import Settings
from generators.records import Problem
from generators.search.exhaustive import Exhaustive

VERSION = 1  # increase when a change here changes a stage's result
LABELS = "process_labels"
REWARD_LEARNING_RATE = 1e-3  # not tuned; after 40 steps at 2e-4 the loss was still that of a constant prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is trained and evaluated per seed; each of `problems` problems gets `n` samples.

    A training takes `steps` steps of `batch_size`, on at most `rows` traces or `pairs` pairs. A reward model takes
    `reward_steps` steps, on labels of at most `solutions` solutions, or of as many as cost the same number of tokens.
    """

    problems: int
    n: int
    seeds: int
    rows: int
    pairs: int
    steps: int
    batch_size: int
    solutions: int
    reward_steps: int
    max_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The releases, the policy that wrote them, the problems to solve, and the folder of all stages.

    Problems are prompted like the attempts, or `bare`.
    """

    registry: Registry
    model: str
    policy: Policy
    problems: Sequence[Problem]
    prompting: Prompting
    bare: Prompting
    size: Size
    folder: Path
    say: Callable[[str], None]

    def stage(self, name: str, seed: int, content: Mapping[str, Any], make: Callable[[Path], Any]) -> Any:
        """A stage's result, computed now or read back."""
        self.say(f"{name}, seed {seed}")
        common = {"version": VERSION, "policy": self.policy.name, "seed": seed}
        return kept(self.folder, f"{name}-{seed}", {**common, **content}, make)

    def solutions(self, policy: Policy, seed: int, *, is_bare: bool, folder: Path) -> list[list[SampleJson]]:
        """A model's samples of every problem."""
        base = self.bare if is_bare else self.prompting
        prompting = replace(base, sampling=replace(base.sampling, seed=seed))

        async def sample() -> list[list[SampleJson]]:
            async with serving(policy, folder) as sampler:
                return await samples(self.problems, sampler, prompting, n=self.size.n)

        return asyncio.run(sample())

    def sample_inputs(self) -> dict[str, Any]:
        """The inputs that determine a model's samples, besides the model."""
        ids = [problem.problem_id for problem in self.problems]
        return {"problems": ids, "n": self.size.n, "asking": asdict(self.prompting), "bare": asdict(self.bare)}

    def base(self, seed: int, *, is_bare: bool) -> list[list[SampleJson]]:
        """The samples of the policy itself."""
        name = "base_bare" if is_bare else "base"
        groups: list[list[SampleJson]] = self.stage(
            name,
            seed,
            self.sample_inputs(),
            lambda stage_folder: self.solutions(self.policy, seed, is_bare=is_bare, folder=stage_folder),
        )
        return groups

    def after(self, arm: Arm, rows: Dataset, seed: int) -> dict[str, Any]:
        """The policy's samples after the training of an arm, and the training's figures."""
        versions = {name: manifest.content for name in arm.datasets if (manifest := self.registry.manifest(name))}

        def make(stage_folder: Path) -> dict[str, Any]:
            adapter, merged = stage_folder / "adapter", stage_folder / f"{arm.name}-merged"
            training = kept(
                stage_folder, "training", {}, lambda _: trained(arm, rows, self._run(adapter, seed), self.registry)
            )
            merge(self.policy, adapter, merged)
            groups = self.solutions(identify(str(merged)), seed, is_bare=arm.is_bare, folder=stage_folder)
            shutil.rmtree(merged)
            return {"training": training, "samples": groups}

        content = {
            "arm": asdict(arm),
            "versions": versions,
            "rows": len(rows),
            "training": self._training(self.size.steps),
        }
        result: dict[str, Any] = self.stage(arm.name, seed, self.sample_inputs() | content, make)
        return result

    def labels(self) -> dict[str, list[dict[str, Any]]]:
        """Rows to train reward models on: the released labels, and exhaustive labels at the same token cost."""
        manifest = self.registry.manifest(LABELS)
        assert manifest is not None
        rows = list(self.registry.train(LABELS, "full") or ())[: self.size.solutions]
        strategy, budget = Exhaustive(), tokens_spent(rows)
        attempts = attempts_config(manifest.facts.settings)
        config = ProcessLabelsConfig(
            sampling=Sampling(**attempts["sampling"]), max_tokens=attempts["max_tokens"], settings=Settings()
        )
        affordable_rows = affordable(rows, rollouts_per_step=strategy.rollouts_per_step, budget=budget)

        async def label(stage_folder: Path) -> list[dict[str, Any]]:
            async with serving(self.policy, stage_folder) as sampler:
                with AnswerChecker() as checker:
                    return await exhaustive(
                        affordable_rows,
                        strategy=strategy,
                        config=config,
                        rules={source.name: source.answer_rule for source in manifest.facts.sources},
                        sampler=sampler,
                        checker=checker,
                        window=IN_FLIGHT,
                    )

        content = {"release": manifest.content, "budget": budget, "strategy": strategy.to_json()}
        by_rollouts = kept(self.folder, "exhaustive", content, lambda stage_folder: asyncio.run(label(stage_folder)))
        released = [{name: row[name] for name in ("prompt", "steps", "soft_labels")} for row in rows]
        return {"released_labels": released, "exhaustive_labels": by_rollouts}

    def scores(self, name: str, rows: Sequence[dict[str, Any]], seed: int, base: list[list[SampleJson]]) -> Any:
        """The reward of each sample of the policy, by a reward model trained on `rows`."""

        def make(stage_folder: Path) -> list[list[float]]:
            solutions = drawn(Dataset.from_list(list(rows)), n=len(rows), seed=seed)
            run = replace(self._run(stage_folder / "adapter", seed), **training)
            rewards = reward_model(solutions, run)

            @cache  # samples repeat
            def cached_score(prompt: str, steps: tuple[str, ...]) -> float:
                return solution_score(rewards, prompt, list(steps))

            return [
                [cached_score(problem.prompt, tuple(sample["steps"])) for sample in group]
                for problem, group in zip(self.problems, base, strict=True)
            ]

        training = self._training(self.size.reward_steps) | {"learning_rate": REWARD_LEARNING_RATE}
        return self.stage(f"prm_{name}", seed, self.sample_inputs() | {"rows": rows, "training": training}, make)

    def _run(self, output: Path, seed: int) -> Run:
        return Run(model=self.model, output=output, seed=seed, **self._training(self.size.steps))

    def _training(self, steps: int) -> dict[str, Any]:
        """The training length, without the learning rate."""
        batch = self.size.batch_size
        return {"steps": steps, "batch_size": batch, "micro_batch_size": batch, "max_length": self.size.max_length}
