"""The process labels of one slice in the making: strategy, pilot, solutions, and the audit by planted errors.

Knows settings, workbench and recipes; nothing of assets, tables on disk or what a person sees.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from dagster_project.dataset_settings import ProcessLabelsSettings
from dagster_project.workbench import Workbench
from filters.answers.checker import AnswerRule
from generators.process_labels.audit.planted import PlantedConfig, PlantedSolution, plant
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import LabelledProblem, ProcessLabelsConfig, label
from generators.records import Attempt, LabelledSolution, Problem
from generators.sampling.runner import Outcome, run_recipe
from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Item:
    """A problem, all attempts at it, and those of them that are to be labelled."""

    problem: Problem
    attempts: tuple[Attempt, ...]
    chosen: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """A solution with a planted error, and its labels."""

    planted: PlantedSolution
    labelled: LabelledSolution


@dataclass(frozen=True, slots=True)
class Labelled:
    """What became of a slice: the labelled problems, the strategy as it was used, and the audit."""

    made: Outcome[Item, LabelledProblem]
    strategy: Strategy
    audited: tuple[Audited, ...]

    @property
    def solutions(self) -> list[LabelledSolution]:
        """The labelled solutions, problem by problem."""
        return [solution for problem in self.made.rows for solution in problem.solutions]


def strategy_of(settings: ProcessLabelsSettings) -> Strategy:
    """The strategy that the settings name."""
    if settings.strategy == "exhaustive":
        return Exhaustive(rollouts_per_step=settings.rollouts_per_step)
    if settings.strategy == "omegaprm":
        return OmegaPRM(k=settings.rollouts_per_step, budget=settings.budget)
    return SequentialTest(confidence=settings.confidence, cap=settings.cap, ahead=settings.ahead)


async def label_slice(
    items: Sequence[Item],
    bench: Workbench,
    *,
    settings: ProcessLabelsSettings,
    rule: AnswerRule,
    config: ProcessLabelsConfig,
    window: int,
) -> Labelled:
    """Label the chosen solutions of every problem; raises EngineError."""
    work = partial(_label, bench=bench, rule=rule, config=config)
    open_items = [item for item in items if item.chosen]
    strategy = strategy_of(settings)
    if isinstance(strategy, SequentialTest):
        bench.say("searching the pilot, which teaches the priors of the round")
        strategy = await calibrated(
            strategy, open_items, attempts=_tried(items), label=work, pilot=settings.pilot, window=window
        )
    used = strategy
    made = await run_recipe(lambda item: work(item, used), open_items, window=window, on_done=bench.progress.update)
    audited = await _audit(items, bench, settings=settings, rule=rule, config=config, strategy=used, window=window)
    return Labelled(made, used, audited)


async def _label(
    item: Item, strategy: Strategy, *, bench: Workbench, rule: AnswerRule, config: ProcessLabelsConfig
) -> LabelledProblem:
    return await label(
        item.problem,
        item.attempts,
        item.chosen,
        sampler=bench.sampler,
        checker=bench.checker,
        rule=rule,
        config=config,
        strategy=strategy,
    )


def _tried(items: Sequence[Item]) -> list[tuple[int, int]]:
    """Right and decided attempts of every problem, the ones that are always right included."""
    decided = [[one.verdict.is_right for one in item.attempts if not one.verdict.is_undecided] for item in items]
    return [(sum(outcomes), len(outcomes)) for outcomes in decided]


async def _audit(
    items: Sequence[Item],
    bench: Workbench,
    *,
    settings: ProcessLabelsSettings,
    rule: AnswerRule,
    config: ProcessLabelsConfig,
    strategy: Strategy,
    window: int,
) -> tuple[Audited, ...]:
    """Plant an error in one right solution of each of the first problems that have one, and search for it."""
    planting = PlantedConfig(sampling=config.sampling, max_tokens=config.max_tokens, max_steps=config.max_steps)
    right = [
        (item, attempt)
        for item in items
        if (attempt := next((one for one in item.attempts if one.verdict.is_right), None)) is not None
    ][: settings.audit]

    async def one(pair: tuple[Item, Attempt]) -> Audited | None:
        item, attempt = pair
        planted = await plant(
            item.problem, attempt, sampler=bench.sampler, checker=bench.checker, rule=rule, config=planting
        )
        if not isinstance(planted, PlantedSolution):
            return None
        searched = replace(item, chosen=(planted.attempt,))
        found = await _label(searched, strategy, bench=bench, rule=rule, config=config)
        return Audited(planted, found.solutions[0]) if found.solutions else None

    done = await run_recipe(one, right, window=window)
    return tuple(row for row in done.rows if row is not None)
