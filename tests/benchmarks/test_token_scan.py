import asyncio

import pytest

from benchmarks.token_scan import critical_position, scan
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.search.exhaustive import Exhaustive
from tests.wrong_solutions import tools, wrong_solution

# right ones of 64 rollouts from the end of each token, and the critical position
COUNTS = [
    ([40, 30, 0, 0, 0], 2),
    ([40, 30, 0, 3, 0], 2),  # three of 64 are below 5 %
    ([40, 30, 0, 4, 0], 4),  # four are not: look again
    ([40, 0, 9, 0, 2, 0], 3),
    ([40, 0, 9, 1, 1], 1),  # no later token without a right rollout: the last candidate
    ([0, 9, 0, 9, 5], 2),
    ([0, 0, 0], 0),
    ([40, 3, 1, 0], 3),
    ([40, 3, 1, 2], None),
    ([], None),
]


@pytest.mark.parametrize(("n_correct", "position"), COUNTS)
def test_the_critical_position_is_the_first_from_which_hardly_a_rollout_ends_right(n_correct, position):
    assert critical_position(n_correct) == position


def test_what_is_tolerated_follows_the_number_of_rollouts():
    assert critical_position([9, 0, 1, 0]) == 1
    assert critical_position([9, 0, 1, 0], tolerated=0) == 3


def test_the_scan_finds_the_wrong_total(tmp_path):
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.6,), recovery_rate=0.0))
    case = wrong_solution(policy)

    async def scanned():
        with tools(tmp_path, policy, case) as (rollouts, _, sampler):
            counts = await scan(rollouts, case.solution, strategy=Exhaustive(rollouts_per_step=16))
            return counts, sampler.counts.drawn

    counts, drawn = asyncio.run(scanned())
    assert drawn == 16 * (len(case.solution.token_ids) - 1)
    assert critical_position(counts, tolerated=0) == case.critical
    assert counts[-1] == 0
    assert all(counts[: case.critical])
