import numpy as np
import pytest

from generators.records import StepCounts
from generators.search.chain import clock, values_at
from generators.search.prior_fit import Attempted, PilotSolution, fit_base, fit_pilot
from generators.search.priors import BASE_RATES, RECOVERY_RATES, Priors

ROLLOUTS = 24
START = Priors()


def mean_base(priors):
    return float(np.dot(priors.base, BASE_RATES))


def mean_recovery(priors, n_steps=8):
    """What a wrong prefix is worth on average: recovery rate and clock can only be told apart together."""
    wrong = [values_at(time)[1].mean(0) for time in clock(n_steps, priors.rise, priors.closing)[1:-1]]
    return float((np.array(wrong) @ np.array(priors.recovery)).mean())


def attempts_of(rng, rates, n=16):
    return [Attempted(int(rng.binomial(n, rate)), n) for rate in rates]


def seen(rng, *, base, recovery, rise, n_steps=8, n_attempts=16):
    """A wrong solution as exhaustive rollouts see it: its first error is drawn evenly, wrong prefixes recover late."""
    first = int(rng.integers(n_steps))
    left = [1 - (step + 1) / n_steps for step in range(n_steps - 1)]
    values = [base ** (share**rise) if step < first else recovery for step, share in enumerate(left)]
    counts = [
        StepCounts(n_correct=int(rng.binomial(ROLLOUTS, value)), n_rollouts=ROLLOUTS, n_undecided=0) for value in values
    ]
    own = StepCounts(n_correct=0, n_rollouts=1, n_undecided=0)
    return PilotSolution((*counts, own), n_steps, int(rng.binomial(n_attempts, base)), n_attempts)


def pilot(seed, *, n=24, **truth):
    rng = np.random.default_rng(seed)
    return [seen(rng, base=float(rng.choice([0.4, 0.6, 0.8])), **truth) for _ in range(n)]


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_base_rates_are_found_in_the_attempts(rate):
    fitted = fit_base(attempts_of(np.random.default_rng(1), [rate] * 200))
    assert mean_base(fitted) == pytest.approx(rate, abs=0.02)
    near = [weight for weight, place in zip(fitted.base, BASE_RATES, strict=True) if abs(place - rate) < 0.1]
    assert sum(near) > 0.9
    assert sum(fitted.base) == pytest.approx(1)


def test_two_kinds_of_problems_are_told_apart():
    fitted = fit_base(attempts_of(np.random.default_rng(2), [0.1] * 150 + [0.9] * 150))
    weights = dict(zip(BASE_RATES, fitted.base, strict=True))
    assert sum(weight for rate, weight in weights.items() if 0.3 < rate < 0.7) < 0.1
    assert sum(weight for rate, weight in weights.items() if rate < 0.3) == pytest.approx(0.5, abs=0.05)


def test_problems_that_are_always_right_count_too():
    missed = [Attempted(4, 8)] * 20
    assert mean_base(fit_base(missed)) == pytest.approx(0.5, abs=0.03)
    assert mean_base(fit_base([*missed, *[Attempted(8, 8)] * 60])) == pytest.approx(0.87, abs=0.05)


def test_no_base_rate_becomes_impossible():
    assert min(fit_base([Attempted(8, 8)] * 50).base) > 0


@pytest.mark.parametrize("attempts", [[], [Attempted(0, 0), Attempted(0, 0)]])
def test_without_attempts_the_start_stays(attempts):
    start = Priors(rise=0.3)
    assert fit_base(attempts, start) == start
    assert fit_base(attempts) == Priors()


def test_problems_without_a_decided_attempt_change_nothing():
    tried = [Attempted(3, 8), Attempted(5, 8), Attempted(8, 8)]
    none = Attempted(0, 0)
    assert fit_base([none, *tried, none]) == fit_base(tried)


@pytest.mark.parametrize("slope", [-0.2, 0.2])
def test_base_rates_that_go_with_length_are_found(slope):
    rng = np.random.default_rng(3)
    lengths = rng.integers(5, 15, 300)
    tried = [
        Attempted(int(rng.binomial(8, 1 / (1 + np.exp(-slope * (length - 10))))), 8, float(length))
        for length in lengths
    ]
    fitted = fit_base(tried)
    for n_steps in (6, 10, 14):
        mean = float(fitted.base_of(n_steps) @ np.array(BASE_RATES))
        assert mean == pytest.approx(1 / (1 + np.exp(-slope * (n_steps - 10))), abs=0.05)
    assert mean_base(fitted) == pytest.approx(0.5, abs=0.05)


def test_base_rates_that_do_not_go_with_length_are_taken_to_be_the_same_everywhere():
    rng = np.random.default_rng(4)
    tried = [Attempted(int(rng.binomial(8, rng.choice([0.3, 0.7]))), 8, float(rng.integers(5, 15))) for _ in range(300)]
    assert fit_base(tried).by_length is None
    assert fit_base([Attempted(n_right, 8, 7.0) for n_right in range(9)]).by_length is None  # all have one length


def test_problems_of_unknown_length_teach_base_rates_all_the_same():
    known = [Attempted(7, 8, 5.0)] * 40 + [Attempted(1, 8, 15.0)] * 40
    fitted = fit_base([*known, *[Attempted(4, 8)] * 40])
    assert fitted.by_length is not None
    assert fitted.by_length.length == 10.0
    assert fitted.by_length.slope < 0


def test_without_a_pilot_the_start_stays():
    start = Priors(rise=0.3, even=0.1)
    assert fit_pilot([], start) == start


@pytest.mark.parametrize("recovery", [0.0, 0.05, 0.2])
def test_what_wrong_prefixes_are_worth_is_learnt(recovery):
    fitted = fit_pilot(pilot(3, recovery=recovery, rise=0.0), START)
    assert mean_recovery(fitted) == pytest.approx(recovery, abs=0.03)
    assert sum(fitted.recovery) == pytest.approx(1)
    assert min(fitted.recovery) > 0


def test_values_that_stay_the_same_along_a_right_prefix_have_no_rise():
    assert fit_pilot(pilot(4, recovery=0.05, rise=0.0), START).rise == 0.0


def test_values_that_rise_along_a_right_prefix_have_one():
    assert fit_pilot(pilot(5, recovery=0.05, rise=1.0), START).rise >= 0.6


def test_a_pilot_teaches_no_base_rate_and_leaves_trust_as_it_is():
    start = Priors(trust=40.0)
    fitted = fit_pilot(pilot(6, n=6, recovery=0.05, rise=0.0), start)
    assert (fitted.base, fitted.trust) == (start.base, 40.0)


def test_a_pilot_without_recoveries_makes_them_unlikely_but_not_impossible():
    fitted = fit_pilot(pilot(7, recovery=0.0, rise=0.0), START)
    assert np.dot(fitted.recovery, RECOVERY_RATES) < np.dot(START.recovery, RECOVERY_RATES) / 2
    assert min(fitted.recovery) > 0


@pytest.mark.parametrize(("anywhere", "least", "most"), [(True, 0.5, 1.0), (False, 0.0, 0.2)])
def test_where_first_errors_are_is_learnt(anywhere, least, most):
    rng = np.random.default_rng(9)
    there = []
    for _ in range(40):
        first, n_steps = int(rng.integers(8)) if anywhere else 7, 8
        values = [0.7 if step < first else 0.0 for step in range(n_steps - 1)]
        right = [int(rng.binomial(ROLLOUTS, value)) for value in values]
        counts = [StepCounts(n_correct=k, n_rollouts=ROLLOUTS, n_undecided=0) for k in right]
        own = StepCounts(n_correct=0, n_rollouts=1, n_undecided=0)
        there.append(PilotSolution((*counts, own), n_steps, int(rng.binomial(16, 0.7)), 16))
    assert least <= fit_pilot(there, START).even <= most


def test_the_order_of_a_pilot_is_no_matter():
    there = pilot(8, n=8, recovery=0.1, rise=0.0)
    one, other = fit_pilot(there, START), fit_pilot(there[::-1], START)
    shapes = [(fitted.rise, fitted.closing, fitted.even, fitted.spread) for fitted in (one, other)]
    assert shapes[0] == shapes[1]
    assert one.recovery == pytest.approx(other.recovery)
