"""Is the final answer right? The one place that decides, with a typed verdict and never a bare bool.

Knows nothing of policies, prompts or ledgers: a response and a gold answer come in, a decision goes out.
"""

import asyncio
from collections import OrderedDict
from types import TracebackType
from typing import Self

from filters.answers.exact import Outcome, compare_exactly
from filters.answers.extraction import extract_answer
from filters.answers.symbolic import admits
from filters.answers.verdicts import DEFAULT_RULE, AnswerRule, Decision, Verdict
from filters.answers.workers import SymbolicWorkers, WorkerLimits

__all__ = ["AnswerChecker", "AnswerRule", "Decision", "Verdict", "WorkerLimits", "extract_answer"]

_REMEMBERED = 100_000


class AnswerChecker:
    """Decides on answers without ever raising or stopping the event loop; cheap tiers first, algebra in workers last.

    A context manager: the workers start with the first answer that needs algebra, and end with the block. Decisions
    are remembered per pair of answer and gold, save those that a failing worker left open.
    """

    def __init__(self, limits: WorkerLimits | None = None) -> None:
        self._workers = SymbolicWorkers(limits or WorkerLimits())
        self._remembered: OrderedDict[tuple[str, str, AnswerRule], Decision] = OrderedDict()
        self._under_way: dict[frozenset[str], asyncio.Future[Verdict]] = {}

    def __enter__(self) -> Self:
        self._workers.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.__exit__(kind, error, trace)

    async def check(self, response: str, gold: str, *, rule: AnswerRule = DEFAULT_RULE) -> Decision:
        """Decide whether a response's final answer is the gold one; without a final answer, `no_answer`."""
        answer = extract_answer(response, rule)
        return Decision(verdict=Verdict.NO_ANSWER) if answer is None else await self.compare(answer, gold, rule=rule)

    async def compare(self, answer: str, gold: str, *, rule: AnswerRule = DEFAULT_RULE) -> Decision:
        """Decide whether an extracted answer is the gold one; as the gold one to the answer, so the answer to it."""
        if not answer.strip():
            return Decision(verdict=Verdict.NO_ANSWER)
        key = (answer, gold, rule)
        remembered = self._remembered.get(key)
        if remembered is None:
            remembered = await self._decide(answer, gold, rule)
            if remembered.verdict is not Verdict.ERROR:
                self._remember(key, remembered)
        return remembered

    async def _decide(self, answer: str, gold: str, rule: AnswerRule) -> Decision:
        outcome = compare_exactly(answer, gold, rule)
        verdict = outcome.verdict
        if verdict is None:
            verdict = await self._decide_pending(outcome)
        return Decision(verdict=verdict, extracted=answer, tier="symbolic" if outcome.pending else outcome.tier)

    async def _decide_pending(self, outcome: Outcome) -> Verdict:
        """Take every pending pair to a worker, until one of them is not equal."""
        if not all(admits(a) and admits(g) for a, g in outcome.pending):
            return Verdict.UNPARSED
        for answer, gold in outcome.pending:
            verdict = await self._computed_once(answer, gold)
            if verdict is not Verdict.EQUAL:
                return verdict
        return Verdict.EQUAL

    async def _computed_once(self, answer: str, gold: str) -> Verdict:
        """Ask a worker, or wait for the one that was asked the same already."""
        pair = frozenset((answer, gold))
        asked = self._under_way.get(pair)
        if asked is None:
            asked = asyncio.ensure_future(self._workers.decide(answer, gold))
            self._under_way[pair] = asked
            asked.add_done_callback(lambda _: self._under_way.pop(pair, None))
        return await asyncio.shield(asked)  # a waiter that is cancelled must not cancel the others' comparison

    def _remember(self, key: tuple[str, str, AnswerRule], decision: Decision) -> None:
        self._remembered[key] = decision
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)
