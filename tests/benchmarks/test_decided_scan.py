import asyncio

import pytest

from benchmarks.decided_scan import DecidedScan
from benchmarks.token_scan import critical_position
from generators.search.exhaustive import Exhaustive
from tests.scripted_rollouts import ScriptedRollouts, planted, tried

WHOLE = Exhaustive(rollouts_per_step=64)


def scanned(strategy, worth):
    tree = tried(8, 8)
    path = planted(tree, (*range(1, len(worth) + 1), 0), False)
    rollouts = ScriptedRollouts(tree, lambda node: worth[node.depth - 1])
    asyncio.run(strategy.search(tree, [path], draw=rollouts.draw, cut=rollouts.cut))
    return critical_position([node.counts.n_correct for node in path]), len(rollouts.asked)


@pytest.mark.parametrize(
    ("worth", "position"),
    [
        ((0.6, 0.5, 0.5, 0.0, 0.0), 3),
        ((0.0, 0.5, 0.0), 2),
        ((0.4, 0.03, 0.02, 0.0), 3),
        ((0.7, 0.6), 2),
        ((0.0, 0.0), 0),
    ],
)
def test_the_verdict_is_that_of_the_whole_scan_for_fewer_rollouts(worth, position):
    whole, all_rollouts = scanned(WHOLE, worth)
    decided, rollouts = scanned(DecidedScan(whole=WHOLE, tolerated=3), worth)
    assert (whole, decided) == (position, position)
    assert all_rollouts == 64 * len(worth)
    assert (rollouts < all_rollouts) == (max(worth) > 0.3)
