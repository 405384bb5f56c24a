"""Solutions drawn from the priors themselves: what a belief says of them must then be true as often as it says."""

import numpy as np
import pytest

from generators.search.belief import Belief
from generators.search.chain import Chain
from generators.search.priors import BASE_RATES, RECOVERY_RATES, Priors

PRIORS = Priors(rise=1.0, closing=1.0, even=0.3, spread=60.0, trust=60.0)
N_SOLUTIONS, N_ATTEMPTS, CAP, CONFIDENCE = 300, 16, 80, 0.94


def drawn(rng, n_steps, base, recovery):
    """The states of the prefixes of one solution, and its first wrong step."""
    chain = Chain.of(n_steps, PRIORS, np.array([base]))
    first = int(rng.choice(n_steps + 1, p=[*chain.first[:, recovery], chain.none[recovery]]))
    states = [True] * min(first, n_steps)
    for step in range(first, n_steps):
        is_first, was_right = step == first, bool(states and states[-1])
        turns = chain.breaks if was_right else chain.mends
        states.append(not is_first and was_right != (rng.random() < turns[step, recovery]))
    return chain, states, -1 if first == n_steps else first


def searched(rng):
    """A solution of the priors, searched: (belief, its true first error, the true values, rollouts)."""
    n_steps, ends_right = int(rng.integers(3, 8)), bool(rng.random() < 0.25)
    base, recovery = rng.choice(len(BASE_RATES), p=PRIORS.base), rng.choice(len(RECOVERY_RATES), p=PRIORS.recovery)
    chain, states, first = drawn(rng, n_steps, base, recovery)
    while states[-1] != ends_right:
        chain, states, first = drawn(rng, n_steps, base, recovery)
    family = np.where(states[:-1], chain.right[:, recovery], chain.wrong[:, recovery])
    values = rng.beta(PRIORS.spread * family, PRIORS.spread * (1 - family))
    n_right = int(rng.binomial(N_ATTEMPTS, BASE_RATES[base]))
    belief = Belief(n_steps, ends_right=ends_right, n_right=n_right, n_attempts=N_ATTEMPTS, priors=PRIORS)
    spent = 0
    while spent < CAP and belief.confidence < CONFIDENCE:
        step, _ = belief.most_informative()
        belief.add(step, bool(rng.random() < values[step]))
        spent += 1
    return belief, first, values, spent


@pytest.fixture(scope="module")
def solutions():
    rng = np.random.default_rng(5)
    return [searched(rng) for _ in range(N_SOLUTIONS)]


def test_who_is_sure_is_right_as_often_as_it_says(solutions):
    right = [belief.first_error == first for belief, first, _, _ in solutions if belief.confidence >= CONFIDENCE]
    assert len(right) > N_SOLUTIONS / 2
    assert np.mean(right) >= 0.9


def test_confidence_is_the_share_of_right_answers_where_it_is_low_too(solutions):
    found = np.array([(belief.confidence, belief.first_error == first) for belief, first, _, _ in solutions])
    unsure = found[found[:, 0] < CONFIDENCE]
    assert len(unsure) > 20
    assert unsure[:, 0].mean() == pytest.approx(unsure[:, 1].mean(), abs=0.2)


def test_intervals_cover_the_true_values_as_often_as_they_say(solutions):
    covered = []
    for belief, _, values, _ in solutions:
        found = belief.values()
        bounds = zip(values, found.low, found.high, strict=False)  # the last step's value is its outcome
        covered += [low <= value <= high for value, low, high in bounds]
    assert len(covered) > 1000
    assert 0.9 <= np.mean(covered) <= 0.99


def test_soft_values_are_right_on_average(solutions):
    means = [mean for belief, _, _, _ in solutions for mean in belief.values().mean[:-1]]
    truths = [value for _, _, values, _ in solutions for value in values]
    assert np.mean(means) == pytest.approx(np.mean(truths), abs=0.03)


def test_a_wrong_answer_of_a_strong_policy_is_located_in_fewer_rollouts_than_a_scan_of_every_step():
    rng = np.random.default_rng(8)
    spent = []
    for _ in range(40):
        belief = Belief(8, ends_right=False, n_right=13, n_attempts=16, priors=PRIORS)
        first, n = int(rng.integers(8)), 0
        while n < CAP and belief.confidence < CONFIDENCE:
            step, _ = belief.most_informative()
            belief.add(step, bool(rng.random() < (0.85 if step < first else 0.02)))
            n += 1
        spent.append(n)
    assert np.mean(spent) < 7 * 8 / 2
