"""Decides whether a final answer is right, with a typed verdict rather than a bool.

Nothing else decides about answers. It takes a response and a gold answer and returns a decision.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from filters.answers.exact import Outcome, compare_exactly
from filters.answers.extraction import extract_answer, find_answer, gold_value
from filters.answers.symbolic import admits
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Decision, Verdict
from filters.answers.workers import SymbolicWorkers, WorkerLimits

__all__ = ["AnswerChecker", "AnswerRule", "Decision", "Verdict", "WorkerLimits", "extract_answer"]

_CACHE_SIZE = 100_000


class AnswerChecker:
    """Checks answers without raising or blocking the event loop: cheap tiers first, algebra in worker processes last.

    A context manager: the workers start with the first answer that needs algebra and stop when the block ends.
    Decisions are cached per answer, gold answer and rule, except those that a failed worker left open.
    """

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self._workers = SymbolicWorkers(limits or WorkerLimits())
        self._cache: OrderedDict[tuple[str, str, AnswerRule], Decision] = OrderedDict()
        self._in_flight: dict[frozenset[str], asyncio.Future[Verdict]] = {}

    def __enter__(self) -> Self:
        self._workers.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.__exit__(kind, error, trace)

    async def check(self, response: str, gold: str | Sequence[str], *, rule: AnswerRule = DEFAULT_RULE) -> Decision:
        """Decide whether a response's final answer equals a gold answer; without a final answer, `no_answer`."""
        found = find_answer(response, rule)
        if found is None:
            return Decision(verdict=Verdict.NO_ANSWER)
        golds = gold_value(gold) if isinstance(gold, str) else [gold_value(accepted) for accepted in gold]
        decision = await self.compare(found.text, golds, rule=rule)
        return decision if decision.extracted is None else replace(decision, found_by=found.found_by)

    async def compare(self, answer: str, gold: str | Sequence[str], *, rule: AnswerRule = DEFAULT_RULE) -> Decision:
        """Decide whether an extracted answer equals one of the accepted gold answers.

        If it equals none and one of them is undecided, so is the answer. Swapping the answer and a single gold answer
        never changes the verdict.
        """
        if not answer.strip():
            return Decision(verdict=Verdict.NO_ANSWER)
        golds = (gold,) if isinstance(gold, str) else tuple(gold)
        if not golds:
            raise ValueError("gold must hold at least one accepted answer, got none")
        decisions: list[Decision] = []
        for accepted in golds:
            decisions.append(await self._compare_one(answer, accepted, rule))
            if decisions[-1].verdict.is_right:
                return decisions[-1]
        return next((decision for decision in decisions if decision.verdict.is_undecided), decisions[0])

    async def _compare_one(self, answer: str, gold: str, rule: AnswerRule) -> Decision:
        key = (answer, gold, rule)
        decision = self._cache.get(key)
        if decision is None:
            decision = await self._decide(answer, gold, rule)
            if decision.verdict is not Verdict.ERROR:
                self._store(key, decision)
        return decision

    async def _decide(self, answer: str, gold: str, rule: AnswerRule) -> Decision:
        outcome = compare_exactly(answer, gold, rule)
        verdict = outcome.verdict
        if verdict is None:
            verdict = await self._decide_pending(outcome)
        return Decision(verdict=verdict, extracted=answer, tier="symbolic" if outcome.pending else outcome.tier)

    async def _decide_pending(self, outcome: Outcome) -> Verdict:
        """Send the pending pairs to a worker one by one, until one is not equal."""
        if not all(admits(a) and admits(g) for a, g in outcome.pending):
            return Verdict.UNPARSED
        for answer, gold in outcome.pending:
            verdict = await self._decide_once(answer, gold)
            if verdict is not Verdict.EQUAL:
                return verdict
        return Verdict.EQUAL

    async def _decide_once(self, answer: str, gold: str) -> Verdict:
        """Send a pair to a worker, or wait for the worker that already has it."""
        pair = frozenset((answer, gold))
        future = self._in_flight.get(pair)
        if future is None:
            future = asyncio.ensure_future(self._workers.decide(answer, gold))
            self._in_flight[pair] = future
            future.add_done_callback(lambda _: self._in_flight.pop(pair, None))
        return await asyncio.shield(future)  # cancelling one waiter must not cancel the comparison for the others

    def _store(self, key: tuple[str, str, AnswerRule], decision: Decision) -> None:
        self._cache[key] = decision
        if len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
