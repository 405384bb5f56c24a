"""Decides whether a final answer is right, with a typed verdict rather than a bool.

Nothing else decides about answers. It takes a response and one or several gold answers and returns a decision.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from filters.answers.algebra.symbolic import admits
from filters.answers.algebra.zeros import settle
from filters.answers.exact import Outcome, compare_exactly
from filters.answers.extraction import extract_answer, find_answer, gold_value
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Decision, Verdict
from filters.answers.workers import SymbolicWorkers, WorkerLimits

__all__ = ["AnswerChecker", "AnswerRule", "Decision", "Verdict", "WorkerLimits", "extract_answer"]

log = logging.getLogger(__name__)

Golds = str | Sequence[str]
_CACHE_SIZE = 100_000
_SHOWN = 200  # characters of an answer that a log line shows


class AnswerChecker:
    """Checks answers without raising or blocking the event loop: cheap tiers first, algebra in worker processes last.

    A context manager: the workers start with the first answer that needs algebra and stop when the block ends. Whatever
    a tier or a worker raises is the verdict `error` of that one answer, with the reason in the log. Decisions are
    cached per answer, gold answer and rule, except errors.
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

    async def check(self, response: str, gold: Golds, *, rule: AnswerRule = DEFAULT_RULE) -> Decision:
        """Decide whether a response's final answer equals a gold answer; without a final answer, `no_answer`."""
        try:
            found = find_answer(response, rule)
            golds = gold_value(gold) if isinstance(gold, str) else [gold_value(accepted) for accepted in gold]
        except Exception as error:
            return _failed(error, "find an answer in", response)
        if found is None:
            return Decision(verdict=Verdict.NO_ANSWER)
        decision = await self.compare(found.text, golds, rule=rule)
        return decision if decision.extracted is None else replace(decision, found_by=found.found_by)

    async def compare(self, answer: str, gold: Golds, *, rule: AnswerRule = DEFAULT_RULE) -> Decision:
        """Decide whether an extracted answer equals the gold answer; swapping the two never changes the verdict.

        Of several accepted gold answers, one equal to the answer makes it `equal`; else one that is undecided leaves
        it so; else it is `different`.
        """
        if not answer.strip():
            return Decision(verdict=Verdict.NO_ANSWER)
        golds = (gold,) if isinstance(gold, str) else tuple(gold)
        if not golds:
            return _failed(ValueError("gold must hold at least one answer, got none"), "compare", answer)
        decisions = []
        for accepted in golds:
            decision = await self._compare_one(answer, accepted, rule)
            if decision.verdict is Verdict.EQUAL:
                return decision
            decisions.append(decision)
        return next((decision for decision in decisions if decision.verdict.is_undecided), decisions[0])

    async def _compare_one(self, answer: str, gold: str, rule: AnswerRule) -> Decision:
        key = (answer, gold, rule)
        decision = self._cache.get(key)
        if decision is None:
            try:
                decision = await self._decide(answer, gold, rule)
            except Exception as error:
                return _failed(error, f"compare with {gold[:_SHOWN]!r}", answer)
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
        """Settle the pending pairs one by one, by a worker if need be, until one is not equal."""
        for answer, gold in outcome.pending:
            verdict = settle(answer, gold)
            if verdict is None:
                is_admitted = admits(answer) and admits(gold)
                verdict = await self._decide_once(answer, gold) if is_admitted else Verdict.UNPARSED
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


def _failed(error: Exception, action: str, text: str) -> Decision:
    """The decision on a text that a tier failed on; the log says why."""
    log.warning("Could not %s %r: %s: %s", action, text[:_SHOWN], type(error).__name__, error)
    return Decision(verdict=Verdict.ERROR)
