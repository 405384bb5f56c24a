"""Held-out rollouts: no decision looks at them, so what is published of them is free of every stopping rule.

Whatever decides (a search, a test, a choice) draws rollouts from index 0 on. A value that decided whether it is
published is too large on average: a test that may stop at a lucky lot keeps more lucky lots (Whitehead, "On the bias of
maximum likelihood estimation following a sequential test", Biometrika 73, 1986). Estimators that correct for the test
itself (Emerson and Fleming, Biometrika 77, 1990) do not correct for the search that named the step, which looked at the
same rollouts. So the sample is split (Cox, "A note on data-splitting", Biometrika 62, 1975): held-out rollouts have
indexes from `HELD_OUT` on, and their number is fixed before the first is drawn. Given all that decided, the share of
right ones is an unbiased estimate of the value.
"""

from dataclasses import replace

from generators.records import Evidence, StepCounts
from generators.search.strategy import Draw
from generators.search.tree import Node

# Far above the indexes of searches and of planted errors: held-out rollouts do not depend on how many others there are,
# and no other recipe draws them.
HELD_OUT = 2_000_000
_NO_ROLLOUTS = StepCounts(n_correct=0, n_rollouts=0, n_undecided=0)


def evidence_of(node: Node) -> Evidence:
    """The evidence of a node's rollouts; the outcome of a node that ends a solution does not count as one."""
    if node.is_end:
        return Evidence(counts=_NO_ROLLOUTS, own_outcome=node.own_outcome)
    return Evidence(counts=node.counts)


async def held_out(node: Node, *, n: int, draw: Draw) -> Evidence:
    """The evidence of the first `n` held-out rollouts of a node, which stay off the node; raises EngineError."""
    if node.is_end:
        return evidence_of(node)
    apart = replace(node, outcomes={}, unanswered=set())
    for continuation in await draw(node, start=HELD_OUT, n=n):
        continuation.record_on(apart)
    return evidence_of(apart)
