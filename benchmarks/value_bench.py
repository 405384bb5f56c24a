"""The stages of `benchmarks.data_value`: samples of a model, a training with samples behind it, labels, worths.

Each is made once and read back. Knows how a stage is made; not which ones there are, nor what the figures mean.
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
from benchmarks.value_data import Registry, drawn, one_law
from benchmarks.value_labels import affordable, exhaustive, tokens_spent
from benchmarks.value_serving import IN_FLIGHT, Asking, Plain, merge, samples, serving
from benchmarks.value_training import Arm, reward_model, trained, worth
from examples.common import Run
from filters.answers.checker import AnswerChecker
from generators.engine.protocol import Sampling
from generators.models.policy import Policy, identify
from generators.process_labels.recipe import ProcessLabelsConfig
from generators.records import Problem
from generators.search.exhaustive import Exhaustive

VERSION = 1  # raise it when a change here changes what a stage gives
LABELS = "process_labels"
REWARD_LEARNING_RATE = 1e-3  # not tuned: 40 steps at 2e-4 left the loss at that of a constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is trained and asked, seed by seed; each of `problems` gets `n` samples.

    A training takes `steps` of `batch_size`, on `rows` traces or `pairs` at most; one of a reward model `reward_steps`,
    on labels of `solutions` at most, or of as many as cost the same.
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

    Problems are asked as the attempts were, or `bare`.
    """

    registry: Registry
    model: str
    policy: Policy
    problems: Sequence[Problem]
    asking: Asking
    bare: Asking
    size: Size
    folder: Path
    say: Callable[[str], None]

    def stage(self, name: str, seed: int, content: Mapping[str, Any], make: Callable[[Path], Any]) -> Any:
        """What a stage gave, made or read back."""
        self.say(f"{name}, seed {seed}")
        common = {"version": VERSION, "policy": self.policy.name, "seed": seed}
        return kept(self.folder, f"{name}-{seed}", {**common, **content}, make)

    def solutions(self, policy: Policy, seed: int, *, is_bare: bool, folder: Path) -> list[list[Plain]]:
        """The samples of every problem by a model."""
        law = self.bare if is_bare else self.asking
        asking = replace(law, sampling=replace(law.sampling, seed=seed))

        async def ask() -> list[list[Plain]]:
            async with serving(policy, folder) as sampler:
                return await samples(self.problems, sampler, asking, n=self.size.n)

        return asyncio.run(ask())

    def asked(self) -> dict[str, Any]:
        """What the samples of a model follow from, besides the model."""
        ids = [problem.problem_id for problem in self.problems]
        return {"problems": ids, "n": self.size.n, "asking": asdict(self.asking), "bare": asdict(self.bare)}

    def base(self, seed: int, *, is_bare: bool) -> list[list[Plain]]:
        """The samples of the policy itself."""
        name = "base_bare" if is_bare else "base"
        made: list[list[Plain]] = self.stage(
            name, seed, self.asked(), lambda own: self.solutions(self.policy, seed, is_bare=is_bare, folder=own)
        )
        return made

    def after(self, arm: Arm, rows: Dataset, seed: int) -> dict[str, Any]:
        """What the policy does after the training of an arm, and what that was."""
        versions = {name: told.content for name in arm.datasets if (told := self.registry.manifest(name))}

        def make(own: Path) -> dict[str, Any]:
            adapter, merged = own / "adapter", own / f"{arm.name}-merged"
            told = kept(own, "training", {}, lambda _: trained(arm, rows, self._run(adapter, seed), self.registry))
            merge(self.policy, adapter, merged)
            made = self.solutions(identify(str(merged)), seed, is_bare=arm.is_bare, folder=own)
            shutil.rmtree(merged)
            return {"training": told, "samples": made}

        content = {
            "arm": asdict(arm),
            "versions": versions,
            "rows": len(rows),
            "training": self._training(self.size.steps),
        }
        after: dict[str, Any] = self.stage(arm.name, seed, self.asked() | content, make)
        return after

    def labels(self) -> dict[str, list[dict[str, Any]]]:
        """Rows to train reward models on: the released ones, and exhaustive ones for as many tokens."""
        manifest = self.registry.manifest(LABELS)
        assert manifest is not None
        rows = list(self.registry.train(LABELS, "default") or ())[: self.size.solutions]
        strategy, budget = Exhaustive(), tokens_spent(rows)
        law = one_law(manifest.facts.settings)
        config = ProcessLabelsConfig(sampling=Sampling(**law["sampling"]), max_tokens=law["max_tokens"])
        affordables = affordable(rows, rollouts_per_step=strategy.rollouts_per_step, budget=budget)

        async def label(own: Path) -> list[dict[str, Any]]:
            async with serving(self.policy, own) as sampler:
                with AnswerChecker() as checker:
                    return await exhaustive(
                        affordables,
                        strategy=strategy,
                        config=config,
                        rules={source.name: source.answer_rule for source in manifest.facts.sources},
                        sampler=sampler,
                        checker=checker,
                        window=IN_FLIGHT,
                    )

        content = {"release": manifest.content, "budget": budget, "strategy": strategy.plain()}
        by_rollouts = kept(self.folder, "exhaustive", content, lambda own: asyncio.run(label(own)))
        released = [{name: row[name] for name in ("prompt", "steps", "soft_labels")} for row in rows]
        return {"released_labels": released, "exhaustive_labels": by_rollouts}

    def worths(self, name: str, rows: Sequence[dict[str, Any]], seed: int, base: list[list[Plain]]) -> Any:
        """What a reward model, trained on rows, gives each sample of the policy."""

        def make(own: Path) -> list[list[float]]:
            solutions = drawn(Dataset.from_list(list(rows)), n=len(rows), seed=seed)
            run = replace(self._run(own / "adapter", seed), **training)
            rewards = reward_model(solutions, run)

            @cache  # samples repeat each other
            def worth_of(prompt: str, steps: tuple[str, ...]) -> float:
                return worth(rewards, prompt, list(steps))

            return [
                [worth_of(problem.prompt, tuple(each["steps"])) for each in group]
                for problem, group in zip(self.problems, base, strict=True)
            ]

        training = self._training(self.size.reward_steps) | {"learning_rate": REWARD_LEARNING_RATE}
        return self.stage(f"prm_{name}", seed, self.asked() | {"rows": rows, "training": training}, make)

    def _run(self, output: Path, seed: int) -> Run:
        return Run(model=self.model, output=output, seed=seed, **self._training(self.size.steps))

    def _training(self, steps: int) -> dict[str, Any]:
        """How long a training is, whatever its rate."""
        return {"steps": steps, "batch_size": self.size.batch_size, "max_length": self.size.max_length}
