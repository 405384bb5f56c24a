"""A scripted policy for strategies: it knows what every prefix is worth, and can answer in any order."""

import asyncio
from collections.abc import Callable
from random import Random

from generators.records import Rollout
from generators.search.strategy import Continuation, Path
from generators.search.tree import Node, Outcome, Tree


class ScriptedRollouts:
    """A `draw` whose rollout `index` from a node always comes to the same, right with probability `value(node)`.

    A rollout of value None stays undecided. It ends with the steps `tail(node, index)`, one token each, after
    `turns(node, index)` turns of the event loop. Remembers what was asked, and how many might have been drawn ahead.
    """

    def __init__(
        self,
        tree: Tree,
        value: Callable[[Node], float | None],
        *,
        turns: Callable[[Node, int], int] = lambda node, index: 0,
        tail: Callable[[Node, int], tuple[int, ...]] = lambda node, index: (100 + index, 0),
        finish_reason: str = "eos",
    ) -> None:
        self.tree = tree
        self.asked: list[tuple[Node, int]] = []
        self.ahead: list[int] = []
        self._value, self._turns, self._tail, self._finish_reason = value, turns, tail, finish_reason

    async def draw(self, node: Node, *, start: int, n: int, ahead: int = 0) -> tuple[Continuation, ...]:
        self.ahead.append(ahead)
        return tuple([await self._one(node, index) for index in range(start, start + n)])

    async def _one(self, node: Node, index: int) -> Continuation:
        self.asked.append((node, index))
        turns = self._turns(node, index)
        for _ in range(turns):
            await asyncio.sleep(0)
        rollout = Rollout(
            key=node.node_id,
            index=index,
            token_ids=self._tail(node, index),
            text="",
            finish_reason=self._finish_reason,
        )
        return Continuation(rollout, self.outcome(node, index))

    def outcome(self, node: Node, index: int) -> Outcome:
        value = self._value(node)
        return None if value is None else Random(f"{node.node_id}/{index}").random() < value

    def cut(self, node: Node, rollout: Rollout, outcome: Outcome) -> Path:
        head = node.prefix[len(self.tree.root.token_ids) :]
        return planted(self.tree, (*head, *rollout.token_ids), outcome)


def planted(tree: Tree, token_ids: tuple[int, ...], outcome: Outcome) -> Path:
    """A solution of one token a step."""
    path = tree.path(token_ids, range(1, len(token_ids) + 1), [f"{token_id}" for token_id in token_ids])
    path[-1].is_end, path[-1].own_outcome = True, outcome
    return path


def tried(n_right: int, n_wrong: int, problem_id: str = "p") -> Tree:
    """A tree whose root knows its attempts; the prompt is the problem's name."""
    tree = Tree(problem_id, tuple(problem_id.encode()))
    for index in range(n_right + n_wrong):
        tree.root.record(index, index < n_right)
    return tree
