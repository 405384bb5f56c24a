"""The labels of one slice: strategy, pilot, solutions, and the audit by planted errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from filters.answers.checker import AnswerRule
from generators.process_labels.audit.planted import PlantedConfig, PlantedSolution, plant
from generators.process_labels.choosing import Attempts, Item
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import NOTHING_HELD, Held, LabelledProblem, ProcessLabelsConfig, label
from generators.records import Attempt, LabelledSolution, Problem
from generators.sampling.runner import Failure
from generators.sampling.workbench import Workbench
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Audited:
    """A solution with a planted error, and its labels."""

    planted: PlantedSolution
    labelled: LabelledSolution


@dataclass(frozen=True, slots=True)
class LabelledSlice:
    """The problems that the engine refused, the strategy with the priors that it used, and the audit."""

    failures: tuple[Failure[Item], ...]
    strategy: Strategy
    audited: tuple[Audited, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labeller:
    """Labels items through one workbench; what is `held` in the ledger counts in the labels, not in pilot and audit."""

    bench: Workbench
    attempts: Attempts
    rule: AnswerRule
    config: ProcessLabelsConfig
    held: Held = field(default_factory=dict)

    async def label_slice(self, items: Sequence[Item], take: Callable[[LabelledProblem], None]) -> LabelledSlice:
        """Label the chosen solutions of every problem, then search planted errors; raises EngineError.

        `take` gets each labelled problem, in the order of the items.
        """
        open_items = [item for item in items if item.chosen]
        strategy = await self._strategy(items, open_items)
        self.bench.progress.unit = "problems"
        failures = await self.bench.each(lambda item: self.label(item, strategy, self.held), open_items, take)
        return LabelledSlice(failures, strategy, await self._audit(items, strategy))

    async def label(self, item: Item, strategy: Strategy, held: Held = NOTHING_HELD) -> LabelledProblem:
        """Label the chosen solutions of one problem; raises EngineError."""
        attempts = self.attempts.of(item.problem.problem_id)
        by_index = {attempt.attempt_index: attempt for attempt in attempts}
        return await self._label(item.problem, attempts, [by_index[index] for index in item.chosen], strategy, held)

    async def _label(
        self,
        problem: Problem,
        attempts: Sequence[Attempt],
        chosen: Sequence[Attempt],
        strategy: Strategy,
        held: Held = NOTHING_HELD,
    ) -> LabelledProblem:
        return await label(
            problem,
            attempts,
            chosen,
            sampler=self.bench.sampler,
            checker=self.bench.checker,
            rule=self.rule,
            config=self.config,
            strategy=strategy,
            held=held,
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
            tried=[item.tried for item in items],
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
        right = [item for item in items if item.first_right is not None][: self.config.settings.audit]

        async def audit(item: Item) -> Audited | None:
            attempts = self.attempts.of(item.problem.problem_id)
            planted = await plant(
                item.problem,
                next(attempt for attempt in attempts if attempt.attempt_index == item.first_right),
                sampler=self.bench.sampler,
                checker=self.bench.checker,
                rule=self.rule,
                config=config,
            )
            if not isinstance(planted, PlantedSolution):
                return None
            labelled = await self._label(item.problem, attempts, [planted.attempt], strategy)
            return Audited(planted, labelled.solutions[0]) if labelled.solutions else None

        self.bench.progress.unit = "planted errors"
        audited = await self.bench.run(audit, right)
        return tuple(row for row in audited.rows if row is not None)
