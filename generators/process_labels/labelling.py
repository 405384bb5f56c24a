"""The labels of one slice: strategy, pilot, solutions, and the audit by planted errors."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from filters.answers.checker import AnswerRule
from generators.process_labels.audit.planted import PlantedConfig, PlantedSolution, plant
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import LabelledProblem, ProcessLabelsConfig, label
from generators.records import Attempt, LabelledSolution, Problem
from generators.sampling.runner import Outcome
from generators.sampling.workbench import Workbench
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Item:
    """A problem, all attempts at it, and those of them that are labelled."""

    problem: Problem
    attempts: tuple[Attempt, ...]
    chosen: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """A solution with a planted error, and its labels."""

    planted: PlantedSolution
    labelled: LabelledSolution


@dataclass(frozen=True, slots=True)
class LabelledSlice:
    """The labelled problems of a slice, the strategy with the priors that it used, and the audit."""

    problems: Outcome[Item, LabelledProblem]
    strategy: Strategy
    audited: tuple[Audited, ...]

    @property
    def solutions(self) -> list[LabelledSolution]:
        """The labelled solutions, problem by problem."""
        return [solution for problem in self.problems.rows for solution in problem.solutions]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeller:
    """Labels items through one workbench."""

    bench: Workbench
    rule: AnswerRule
    config: ProcessLabelsConfig

    async def label_slice(self, items: Sequence[Item]) -> LabelledSlice:
        """Label the chosen solutions of every problem, then search planted errors; raises EngineError."""
        open_items = [item for item in items if item.chosen]
        strategy = await self._strategy(items, open_items)
        self.bench.progress.unit = "problems"
        labelled = await self.bench.run(lambda item: self.label(item, strategy), open_items)
        return LabelledSlice(labelled, strategy, await self._audit(items, strategy))

    async def label(self, item: Item, strategy: Strategy) -> LabelledProblem:
        """Label the chosen solutions of one problem; raises EngineError."""
        return await label(
            item.problem,
            item.attempts,
            item.chosen,
            sampler=self.bench.sampler,
            checker=self.bench.checker,
            rule=self.rule,
            config=self.config,
            strategy=strategy,
        )

    async def _strategy(self, items: Sequence[Item], open_items: Sequence[Item]) -> Strategy:
        """The strategy of the settings; a sequential test learns its priors from a pilot first."""
        strategy = self.config.settings.initial_strategy
        if not isinstance(strategy, SequentialTest):
            return strategy
        self.bench.progress.unit = "problems of the pilot"
        self.bench.say("searching the pilot, from which the priors of the slice are learnt")
        return await calibrated(
            strategy,
            open_items,
            attempts=attempt_counts(items, self.rule),
            label=self.label,
            pilot=self.config.settings.pilot,
            window=self.bench.window,
            watch=self.bench.progress,
        )

    async def _audit(self, items: Sequence[Item], strategy: Strategy) -> tuple[Audited, ...]:
        """Plant an error in one right solution of each of the first problems that have one, and search it."""
        config = PlantedConfig(
            sampling=self.config.sampling,
            max_tokens=self.config.max_tokens,
            max_steps=self.config.settings.max_steps,
        )
        right = [
            (item, attempt)
            for item in items
            if (attempt := next((a for a in item.attempts if a.verdict.is_right), None)) is not None
        ][: self.config.settings.audit]

        async def audit(pair: tuple[Item, Attempt]) -> Audited | None:
            item, attempt = pair
            planted = await plant(
                item.problem,
                attempt,
                sampler=self.bench.sampler,
                checker=self.bench.checker,
                rule=self.rule,
                config=config,
            )
            if not isinstance(planted, PlantedSolution):
                return None
            labelled = await self.label(replace(item, chosen=(planted.attempt,)), strategy)
            return Audited(planted, labelled.solutions[0]) if labelled.solutions else None

        self.bench.progress.unit = "planted errors"
        audited = await self.bench.run(audit, right)
        return tuple(row for row in audited.rows if row is not None)


def attempt_counts(items: Sequence[Item], rule: AnswerRule) -> list[tuple[int, int]]:
    """The right and the decided attempts of every problem, those that are always right included."""
    outcomes = [[rule.is_right(attempt.verdict) for attempt in item.attempts] for item in items]
    decided = [[outcome for outcome in of_problem if outcome is not None] for of_problem in outcomes]
    return [(sum(of_problem), len(of_problem)) for of_problem in decided]
