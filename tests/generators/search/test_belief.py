from dataclasses import replace
from itertools import product
from math import lgamma, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.records import StepCounts
from generators.search.belief import Belief
from generators.search.chain import Chain
from generators.search.priors import BASE_RATES, RECOVERY_RATES, ByLength, Priors


def only(rate):
    """Weights with nothing but one of the recovery rates."""
    return tuple(float(place == rate) for place in range(len(RECOVERY_RATES)))


NO_RECOVERY = Priors(recovery=only(0), rise=0.0, even=1.0)
OFTEN = Priors(recovery=only(10), rise=1.0, closing=1.0, even=0.0)
PRIORS = [Priors(), NO_RECOVERY, OFTEN, Priors(rise=0.0, closing=1.0, spread=10.0), Priors(even=0.5, trust=30.0)]
COUNT = st.tuples(st.integers(0, 6), st.integers(0, 6))
COUNTS = st.lists(COUNT, min_size=1, max_size=7)
CASES = st.tuples(COUNTS, st.booleans(), st.tuples(st.integers(0, 4), st.integers(0, 4)), st.sampled_from(PRIORS))
few = settings(max_examples=40, deadline=None)


def fresh(n_steps, *, ends_right=False, n_right=2, n_wrong=2, priors=NO_RECOVERY):
    return Belief(n_steps, ends_right=ends_right, n_right=n_right, n_attempts=n_right + n_wrong, priors=priors)


def behind(case):
    """The belief behind (right, wrong) rollouts of every step but the last, told at once."""
    counts, ends_right, (n_right, n_wrong), priors = case
    told = [StepCounts(n_correct=right, n_rollouts=right + wrong, n_undecided=0) for right, wrong in counts]
    own = StepCounts(n_correct=int(ends_right), n_rollouts=1, n_undecided=0)
    return Belief.of([*told, own], n_right=n_right, n_attempts=n_right + n_wrong, priors=priors)


def outcomes(counts):
    return [(step, ended) for step, (right, wrong) in enumerate(counts) for ended in [True] * right + [False] * wrong]


def one_by_one(case, told):
    counts, ends_right, (n_right, n_wrong), priors = case
    belief = fresh(len(counts) + 1, ends_right=ends_right, n_right=n_right, n_wrong=n_wrong, priors=priors)
    for step, ended_right in told:
        belief.add(step, ended_right)
    return belief


def test_without_rollouts_every_step_of_a_wrong_solution_is_as_likely_the_first_wrong_one():
    belief = fresh(4)
    assert belief.sound == pytest.approx((0.75, 0.5, 0.25, 0.0), abs=1e-3)
    assert belief.unknown == pytest.approx(log(4), abs=1e-3)
    assert belief.confidence == pytest.approx(0.25, abs=1e-3)


def test_a_right_solution_whose_policy_recovers_may_have_gone_wrong_before():
    often, hardly = fresh(6, ends_right=True, priors=OFTEN), fresh(6, ends_right=True)
    assert often.sound[-1] < 0.8
    assert hardly.sound == pytest.approx((1.0,) * 6, abs=1e-3)
    assert (hardly.first_error, hardly.confidence) == (-1, pytest.approx(1.0, abs=1e-3))
    assert hardly.unknown == pytest.approx(0.0, abs=0.01)


def test_without_rollouts_the_base_rate_is_what_the_attempts_say():
    weights = fresh(4, n_right=1, n_wrong=3).base_weights
    expected = [rate * (1 - rate) ** 3 for rate in BASE_RATES]
    assert weights == pytest.approx([share / sum(expected) for share in expected], abs=1e-6)


def test_a_solution_cut_at_a_refuted_step_keeps_the_base_rate_of_its_whole_length():
    even = tuple(1 / len(BASE_RATES) for _ in BASE_RATES)
    priors = Priors(by_length=ByLength(base=even, length=8, slope=-0.3))
    cut = Belief(3, ends_right=False, n_right=0, n_attempts=0, priors=priors, whole=12)
    whole = Belief(12, ends_right=False, n_right=0, n_attempts=0, priors=priors)
    short = Belief(3, ends_right=False, n_right=0, n_attempts=0, priors=priors)
    rates = np.array(BASE_RATES)
    assert cut.base_weights @ rates == pytest.approx(whole.base_weights @ rates, abs=0.02)
    assert short.base_weights @ rates > cut.base_weights @ rates + 0.2


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_right_rollout_makes_an_error_before_it_nearly_impossible_without_recovery(step):
    belief = fresh(4)
    belief.add(step, True)
    assert belief.sound[step] > 0.99
    assert belief.sound[-1] == pytest.approx(0.0)


def test_wrong_rollouts_move_the_first_error_before_them():
    belief = fresh(5, n_right=6)
    for _ in range(12):
        belief.add(2, False)
    assert belief.first_error <= 2
    assert belief.sound[2] < 0.01


def test_right_rollouts_before_and_wrong_ones_behind_a_step_name_it():
    belief = fresh(6, n_right=4)
    for _ in range(10):
        belief.add(2, True)
        belief.add(3, False)
    assert belief.first_error == 3
    assert belief.confidence > 0.99


def test_where_wrong_prefixes_recover_a_right_rollout_says_less():
    sure, doubting = fresh(4), fresh(4, priors=Priors(recovery=only(11), rise=0.0, even=1.0))
    for belief in (sure, doubting):
        belief.add(1, True)
    assert doubting.sound[1] < sure.sound[1]


def brute_force(case):
    """The share of each first error (the last: none), from every path through the states and all rates."""
    counts, ends_right, (n_right, n_wrong), priors = case
    n_steps, spread = len(counts) + 1, min(priors.spread, priors.trust)
    rates = np.array(BASE_RATES)
    base = np.array(priors.base) * rates**n_right * (1 - rates) ** n_wrong
    cells = np.outer(base, priors.recovery).ravel()
    chain = Chain.of(n_steps, priors, np.arange(len(rates)))
    shares, outcome = np.zeros((n_steps + 1, len(cells))), np.zeros(len(cells))
    for states in product([True, False], repeat=n_steps):
        if states[-1] != ends_right:
            continue
        first = states.index(False) if False in states else n_steps
        path = chain.none.copy() if first == n_steps else chain.first[first].copy()
        for step in range(first + 1, n_steps):
            turns = chain.mends[step] if not states[step - 1] else chain.breaks[step]
            path *= turns if states[step] != states[step - 1] else 1 - turns
        outcome += path
        for step, (right, wrong) in enumerate(counts):
            values = (chain.right if states[step] else chain.wrong)[step].clip(0.0005, 0.9995)
            path *= [beta_binomial(right, wrong, spread * value, spread * (1 - value)) for value in values]
        shares[first] += path
    errors = (shares * cells / outcome).sum(1)
    return errors / errors.sum()


def beta_binomial(right, wrong, alpha, beta):
    rising = lgamma(alpha + right) - lgamma(alpha) + lgamma(beta + wrong) - lgamma(beta)
    return np.exp(rising + lgamma(alpha + beta) - lgamma(alpha + beta + right + wrong))


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(
        st.lists(COUNT, min_size=0, max_size=4),
        st.booleans(),
        st.tuples(st.integers(0, 4), st.integers(0, 4)),
        st.sampled_from(PRIORS),
    )
)
def test_the_first_error_is_that_of_all_paths_through_the_states(case):
    errors = brute_force(case)
    sound = 1 - errors[:-1].cumsum()
    assert behind(case).sound == pytest.approx(tuple(sound), abs=0.04)  # values are put on a grid


@few
@given(CASES)
def test_counts_told_at_once_say_what_they_say_one_by_one(case):
    at_once, single = behind(case), one_by_one(case, outcomes(case[0]))
    assert at_once.counts == single.counts
    assert at_once.sound == pytest.approx(single.sound, abs=1e-5)
    assert at_once.log_evidence == pytest.approx(single.log_evidence, abs=1e-4)
    assert at_once.most_informative()[1] == pytest.approx(single.most_informative()[1], abs=1e-5)
    assert at_once.values().mean == pytest.approx(single.values().mean, abs=1e-5)


@few
@given(CASES, st.floats(0, 1))
def test_one_belief_tells_how_probable_its_counts_are_for_every_share_of_even_solutions(case, even):
    *seen, priors = case
    other = behind((*seen, replace(priors, even=even)))
    (by_recovery,) = behind(case).log_recovery([even])
    with np.errstate(divide="ignore"):
        total = np.logaddexp.reduce(by_recovery + np.log(priors.recovery))
    assert total == pytest.approx(other.log_evidence, abs=1e-6)


@few
@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_rollouts_is_no_matter(case, random):
    told = outcomes(case[0])
    shuffled = random.sample(told, len(told))
    one, other = one_by_one(case, told), one_by_one(case, shuffled)
    assert one.sound == pytest.approx(other.sound, abs=1e-6)
    assert one.log_evidence == pytest.approx(other.log_evidence, abs=1e-6)


@few
@given(CASES)
def test_soundness_never_rises_and_loses_at_each_step_what_the_first_error_has_there(case):
    belief = behind(case)
    assert list(belief.sound) == sorted(belief.sound, reverse=True)
    assert all(0 <= share <= 1 for share in belief.sound)
    masses = [before - here for before, here in zip((1.0, *belief.sound), belief.sound, strict=False)]
    if belief.first_error >= 0:
        assert masses[belief.first_error] == pytest.approx(belief.confidence, abs=1e-6)
    else:
        assert belief.sound[-1] == pytest.approx(belief.confidence, abs=1e-6)
    assert max(*masses, belief.sound[-1]) == pytest.approx(belief.confidence, abs=1e-6)


@few
@given(CASES)
def test_an_interval_holds_95_percent_and_none_over_whole_cells_is_shorter(case):
    belief = behind(case)
    values = belief.values()
    for low, high, density in zip(values.low, values.high, belief.densities(), strict=False):
        below = np.append(0.0, density.cumsum())
        edges = np.linspace(0, 1, len(below))
        assert np.interp(high, edges, below) - np.interp(low, edges, below) >= 0.95 - 1e-6
        ends = np.searchsorted(below, below + 0.95 - 1e-9)
        shortest = min(edges[end] - edges[start] for start, end in enumerate(ends) if end < len(edges))
        assert high - low <= shortest + 2 * edges[1]  # an end in an outermost cell is 0 or 1


@few
@given(CASES)
def test_a_value_lies_in_its_interval_give_or_take_the_tails_and_the_last_one_is_the_outcome(case):
    values = behind(case).values()
    own = float(case[1])
    assert len(values.mean) == len(values.low) == len(values.high) == len(case[0]) + 1
    assert (values.mean[-1], values.low[-1], values.high[-1]) == (own, own, own)
    for low, mean, high in zip(values.low, values.mean, values.high, strict=True):
        assert 0 <= low <= high <= 1
        assert low - 0.05 <= mean <= high + 0.05  # a state of less than 5 % lies outside and still pulls the mean


@few
@given(CASES)
def test_the_most_informative_rollout_is_never_behind_the_last_step_and_never_tells_less_than_nothing(case):
    step, gain = behind(case).most_informative()
    assert 0 <= step < len(case[0])
    assert -1e-6 <= gain <= log(2) + 1e-6


@pytest.mark.parametrize("ends_right", [True, False])
def test_a_single_step_is_worth_its_outcome_and_leaves_nothing_to_ask(ends_right):
    belief = fresh(1, ends_right=ends_right)
    assert belief.values().mean == belief.values().low == belief.values().high == (float(ends_right),)
    assert belief.sound == pytest.approx((float(ends_right),))
    assert belief.confidence == pytest.approx(1.0)
    assert belief.first_error == (-1 if ends_right else 0)


@pytest.mark.parametrize(
    ("n_steps", "n_right", "n_attempts", "message"),
    [
        (0, 0, 0, "n_steps must be at least 1, got 0"),
        (3, 5, 4, r"n_right must be from 0 to n_attempts \(4\), got 5"),
        (3, -1, 4, r"n_right must be from 0 to n_attempts \(4\), got -1"),
    ],
)
def test_impossible_counts_are_refused(n_steps, n_right, n_attempts, message):
    with pytest.raises(ValueError, match=message):
        Belief(n_steps, ends_right=False, n_right=n_right, n_attempts=n_attempts, priors=Priors())
