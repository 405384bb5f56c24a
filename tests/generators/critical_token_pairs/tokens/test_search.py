import asyncio
from dataclasses import replace

import numpy as np
import pytest

from generators.critical_token_pairs.tokens.search import search_tokens, step_priors
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.records import StepCounts
from generators.search.priors import BASE_RATES, RECOVERY_RATES, Priors
from generators.search.sequential_test import SequentialTest
from tests.wrong_solutions import tools, wrong_solution

SEARCH = SequentialTest(confidence=0.99, cap=96)
UNTRIED = StepCounts(n_correct=0, n_rollouts=0, n_undecided=0)


def mean(weights, rates):
    return float(np.array(weights) @ np.array(rates))


def at(rate, rates):
    nearest = int(np.abs(np.array(rates) - rate).argmin())
    return tuple(float(place == nearest) for place in range(len(rates)))


@pytest.mark.parametrize("nth", [0, 5, 9])
@pytest.mark.parametrize("with_step", [True, False])
def test_the_search_goes_on_down_to_the_wrong_total_with_tens_of_rollouts(tmp_path, nth, with_step):
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.7,), recovery_rate=0.0))
    case = wrong_solution(policy, nth)

    async def searched():
        with tools(tmp_path, policy, case) as (rollouts, _, sampler):
            step = case.step if with_step else None
            found = await search_tokens(rollouts, case.solution, step, search=SEARCH, priors=Priors())
            return found, sampler.counts.drawn

    found, drawn = asyncio.run(searched())
    assert len(found.shares) == len(found.drawn) == len(case.solution.token_ids)
    assert sum(found.shares) == pytest.approx(1.0)
    assert found.shares[case.critical] > 0.9
    assert sum(found.drawn) == drawn <= 60


def test_the_values_of_a_step_are_those_of_its_place():
    priors = Priors(base=at(0.25, BASE_RATES), recovery=at(0.2, RECOVERY_RATES), rise=1.0)
    early, late = (step_priors(priors, UNTRIED, step, 100) for step in ((2, 6), (70, 80)))
    for step in (early, late):
        assert (step.rise, step.even, step.by_step) == (0.0, 1.0, False)
    assert mean(late.recovery, RECOVERY_RATES) == pytest.approx(0.2 * 0.25, abs=0.02)
    fatal = replace(priors, recovery=at(0.0, RECOVERY_RATES))
    early, late = (step_priors(fatal, UNTRIED, step, 100) for step in ((2, 6), (70, 80)))
    assert mean(early.base, BASE_RATES) == pytest.approx(0.25**0.96, abs=0.02)
    assert mean(late.base, BASE_RATES) == pytest.approx(0.25**0.25, abs=0.03)


def test_the_attempts_count_once():
    tried = StepCounts(n_correct=15, n_rollouts=16, n_undecided=0)
    first, later = (step_priors(Priors(rise=0.0), tried, step, 100) for step in ((0, 10), (10, 20)))
    assert mean(first.base, BASE_RATES) == pytest.approx(0.5, abs=0.01)  # they are the rollouts from the step's start
    assert mean(later.base, BASE_RATES) > 0.85
