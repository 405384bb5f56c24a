"""The methods that `benchmarks.critical_tokens` compares, and the cost of each on one solution.

A method's cost counts every rollout it looked at, whether or not another method shares it, and includes the label
search if the method starts from labels. Drawing one replacement token counts as a rollout. `search without labels`
considers all tokens of the response at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.decided_scan import DecidedScan
from benchmarks.token_scan import PAPER, TOLERATED, critical_position, scan
from filters.answers.checker import AnswerChecker, AnswerRule
from generators.critical_token_pairs.tokens.nominees import CriticalTokensConfig, critical_tokens
from generators.critical_token_pairs.tokens.paths import wrong_step
from generators.engine.protocol import Limits, Sampling
from generators.process_labels.recipe import LabelledProblem, ProcessLabelsConfig, label
from generators.records import Attempt, LabelledSolution, Problem, Rollout
from generators.sampling.ledger import LedgerKey
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.rollouts import Rollouts
from generators.search.strategy import Strategy
from generators.search.tree import Tree
from generators.section import merged

METHODS = ("scores", "search", "both", "search without labels")
Cost = dict[tuple[str, int], int]  # the tokens of each rollout, by key and index


@dataclass(frozen=True, slots=True)
class Case:
    """A wrong solution, with all attempts at its problem."""

    problem: Problem
    attempts: tuple[Attempt, ...]
    solution: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """The critical token of one solution by one method, and the cost."""

    method: str
    position: int | None
    nominees: tuple[int, ...]
    reasons: tuple[str, ...]
    rollouts: int
    tokens: int
    label_rollouts: int


class CountedSampler(Sampler):
    """A sampler that records the rollouts it returned, drawn or replayed from the ledger."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.cost: Cost = {}

    async def draw(
        self, prefix: Sequence[int], *, n: int, sampling: Sampling, limits: Limits, start: int = 0, ahead: int = 0
    ) -> tuple[Rollout, ...]:
        drawn = await super().draw(prefix, n=n, sampling=sampling, limits=limits, start=start, ahead=ahead)
        digest = LedgerKey(policy=self.policy, prefix=tuple(prefix), sampling=sampling).digest()
        self.cost |= {(digest, rollout.index): len(rollout.token_ids) for rollout in drawn}
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Labels a solution, searches it by every method, and scans it."""

    sampler: Callable[[], CountedSampler]
    checker: AnswerChecker
    labels: ProcessLabelsConfig
    tokens: CriticalTokensConfig
    rule: AnswerRule = field(default_factory=AnswerRule)

    async def label(self, case: Case, strategy: Strategy) -> LabelledProblem:
        """The process labels of the solution."""
        return (await self._labelled(case, strategy))[0]

    async def results(self, case: Case, strategy: Strategy, scores: Sequence[float] | None) -> list[MethodResult]:
        """The critical token by every method; without scores, the methods that need them are skipped."""
        labelled, spent = await self._labelled(case, strategy)
        (solution,) = labelled.solutions
        methods = [method for method in METHODS if scores is not None or method.startswith("search")]
        return [await self._by(method, case, labelled.tree, solution, spent, scores) for method in methods]

    async def scanned(self, case: Case, strategy: Exhaustive) -> tuple[int | None, int]:
        """The critical position by the scan, and the rollouts of a whole scan.

        Rollouts that cannot change the position are not drawn.
        """
        tolerated = TOLERATED * strategy.rollouts_per_step // PAPER.rollouts_per_step
        decided = DecidedScan(whole=strategy, tolerated=tolerated)
        counts = await scan(self._rollouts(case, self.sampler()), case.solution, strategy=decided)
        return critical_position(counts, tolerated=tolerated), strategy.rollouts_per_step * (len(counts) - 1)

    async def _labelled(self, case: Case, strategy: Strategy) -> tuple[LabelledProblem, Cost]:
        sampler = self.sampler()
        labelled = await label(
            case.problem,
            case.attempts,
            [case.solution],
            sampler=sampler,
            checker=self.checker,
            rule=self.rule,
            config=self.labels,
            strategy=strategy,
        )
        return labelled, sampler.cost

    async def _by(
        self,
        method: str,
        case: Case,
        labels: Tree,
        solution: LabelledSolution,
        label_cost: Cost,
        scores: Sequence[float] | None,
    ) -> MethodResult:
        sampler = self.sampler()
        uses_labels = method in ("search", "both")
        settings = merged(self.tokens.settings, {"search": method != "scores"})
        critical = await critical_tokens(
            case.problem,
            case.solution,
            step_range=wrong_step(solution) if uses_labels else None,
            scores=scores if method in ("scores", "both") else None,
            tree=labels if uses_labels else self._attempts_alone(case),
            sampler=sampler,
            checker=self.checker,
            rule=self.rule,
            config=replace(self.tokens, settings=settings),
        )
        cost = sampler.cost | (label_cost if uses_labels else {})
        return MethodResult(
            method=method,
            position=critical.critical.position if critical.critical else None,
            nominees=(*(token.position for token in critical.tokens), *(position for position, _ in critical.dropped)),
            reasons=tuple(reason for _, reason in critical.dropped),
            rollouts=len(cost),
            tokens=sum(cost.values()),
            label_rollouts=len(label_cost) if uses_labels else 0,
        )

    def _rollouts(self, case: Case, sampler: Sampler) -> Rollouts:
        return Rollouts(
            problem=case.problem,
            tree=self._attempts_alone(case),
            sampler=sampler,
            checker=self.checker,
            rule=self.rule,
            sampling=self.labels.sampling,
            max_tokens=self.labels.max_tokens,
        )

    def _attempts_alone(self, case: Case) -> Tree:
        """A tree with the attempts and no labels."""
        tree = Tree(case.problem.problem_id, case.solution.prompt_token_ids)
        for attempt in case.attempts:
            tree.root.record(attempt.attempt_index, None if attempt.verdict.is_undecided else attempt.verdict.is_right)
        return tree
