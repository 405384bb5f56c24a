"""The rollouts of one problem: drawn through the sampler, verified, and cut into steps on request.

`Rollouts` provides the `draw` and the `cut` that `generators.search.strategy` defines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.engine.protocol import Limits, Sampling
from generators.records import Attempt, Problem, Rollout
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends, step_texts
from generators.sampling.tasks import gather
from generators.search.strategy import Continuation, Path, open_steps
from generators.search.tree import Node, Outcome, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollouts:
    """One problem's tree, and what is needed to continue from its nodes; a solution has at most `max_tokens` tokens."""

    problem: Problem
    tree: Tree
    sampler: Sampler
    checker: AnswerChecker
    rule: AnswerRule
    sampling: Sampling
    max_tokens: int

    async def draw(self, node: Node, *, start: int, n: int, ahead: int = 0) -> tuple[Continuation, ...]:
        """Rollouts `start` to `start + n - 1` from `node`, verified; raises EngineError."""
        return await self.continuations_of(node.prefix[len(self.tree.root.token_ids) :], start=start, n=n, ahead=ahead)

    async def continuations_of(
        self, head: Sequence[int], *, start: int, n: int, ahead: int = 0
    ) -> tuple[Continuation, ...]:
        """Rollouts `start` to `start + n - 1` of the solution that begins with `head`, verified; raises EngineError."""
        prefix = (*self.tree.root.token_ids, *head)
        limits = Limits(max_tokens=self.max_tokens - len(head))
        rollouts = await self.sampler.draw(prefix, n=n, start=start, sampling=self.sampling, limits=limits, ahead=ahead)
        return await gather(self._verified(head, rollout) for rollout in rollouts)

    async def take_in(self, path: Path, held: Sequence[int]) -> dict[str, int]:
        """Record on the open steps of a searched path the stored rollouts that its search left; raises EngineError.

        `held` says for each step how many the ledger has from index 0 on. The result says by node how many were left.
        """
        left: dict[str, int] = {}
        for node, n in zip(open_steps(path), held, strict=False):
            start = len(node.outcomes)
            if start < n:
                for continuation in await self.draw(node, start=start, n=n - start):
                    continuation.record_on(node)
                left[node.node_id] = n - start
        return left

    async def _verified(self, head: Sequence[int], rollout: Rollout) -> Continuation:
        verdict = await self._verdict((*head, *rollout.token_ids))
        return Continuation(rollout, self.rule.is_right(verdict), no_answer=verdict is Verdict.NO_ANSWER)

    async def outcome(self, solution: Sequence[int]) -> Outcome:
        """Whether a whole solution ends right; None if its answer is undecided."""
        return self.rule.is_right(await self._verdict(solution))

    async def _verdict(self, solution: Sequence[int]) -> Verdict:
        text = self.sampler.tokenizer.decode(solution)
        return (await self.checker.check(text, self.problem.golds, rule=self.rule)).verdict

    def cut(self, node: Node, rollout: Rollout, outcome: Outcome) -> Path:
        """The path from the root to the end of a rollout from a node."""
        head = node.prefix[len(self.tree.root.token_ids) :]
        return self.solution((*head, *rollout.token_ids), outcome)

    def next_step(self, node: Node, continuation: Continuation) -> Node:
        """The node at the end of the first step of a rollout from `node`; leading blank lines belong to that step."""
        token_ids = tuple(continuation.rollout.token_ids)
        ends = step_ends(token_ids, self.sampler.tokenizer)
        first = token_ids[: ends[0]] if ends else token_ids
        step = self.tree.child(node, first, self.text_after(node, first))
        if len(ends) <= 1 and continuation.rollout.finish_reason == "eos":
            step.is_end, step.own_outcome = True, continuation.outcome
        return step

    def text_after(self, node: Node, token_ids: Sequence[int]) -> str:
        """The text that `token_ids` add to the solution that has reached `node`."""
        head = node.prefix[len(self.tree.root.token_ids) :]
        decode = self.sampler.tokenizer.decode
        return decode((*head, *token_ids))[len(decode(head)) :]

    def attempted(self, attempt: Attempt) -> Path:
        """The path of an attempt."""
        return self.solution(attempt.token_ids, self.rule.is_right(attempt.verdict))

    def solution(self, token_ids: Sequence[int], outcome: Outcome) -> Path:
        """The path of a whole solution with its own outcome."""
        ends = step_ends(token_ids, self.sampler.tokenizer)
        path = self.tree.path(token_ids, ends, step_texts(token_ids, ends, self.sampler.tokenizer))
        path[-1].is_end, path[-1].own_outcome = True, outcome
        return path
