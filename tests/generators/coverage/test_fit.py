"""The estimators on populations whose law is known, beside what one would write first."""

import numpy as np
import polars as pl
import pytest

from generators.coverage.curves import pass_at_k, sizes_up_to
from generators.coverage.dataset import extrapolates
from generators.coverage.fit import PLUG_IN, fit, mean_curves
from generators.coverage.release import CURVES, FIT, more_facts
from generators.coverage.table import derived
from generators.rows import Rows

N = 64


def population(rates, n, seed=1):
    return np.random.default_rng(seed).binomial(n, rates)


def coverage(rates, n, sizes):
    rights = population(rates, n)
    return [float(np.mean([pass_at_k(n, int(right), k) for right in rights])) for k in sizes]


def test_coverage_is_unbiased_where_the_plug_in_estimate_is_far_off():
    rates = np.random.default_rng(7).beta(0.5, 2.0, size=4000)
    rights = population(rates, N)
    for k in (1, 4, 16, 64):
        truth = 1 - (1 - rates) ** k
        ours = np.array([pass_at_k(N, int(right), k) for right in rights]) - truth
        plug_in = 1 - (1 - rights / N) ** k - truth
        error = ours.std() / len(rates) ** 0.5
        print(f"k = {k}: bias {ours.mean():+.4f} (standard error {error:.4f}), plug-in {plug_in.mean():+.4f}")
        assert abs(ours.mean()) < 3 * error
        assert (k == 1) == (plug_in.mean() > -3 * error)
        assert k < 16 or plug_in.mean() < -0.01


def beta_rates(size):
    """The quantiles of Beta(1/2, 1/2), in equal shares."""
    return np.sin(np.pi / 2 * (np.arange(size) + 0.5) / size) ** 2


def test_the_fit_extrapolates_on_a_smooth_population_and_says_where_it_does_not():
    sizes = sizes_up_to(256)
    smooth = beta_rates(1000)
    hopeless = np.concatenate([np.zeros(200), np.random.default_rng(3).beta(2, 2, size=800)])
    misses = {}
    for name, rates in {"smooth": smooth, "hopeless": hopeless}.items():
        law = fit(sizes, coverage(rates, 256, sizes))
        assert (law.fitted_up_to, law.k) == (32, 256)
        misses[name] = law.miss
        print(name, law.sentence)
        assert extrapolates(law).passed == (name == "smooth")
        assert law.sentence.endswith("extrapolates" if name == "smooth" else "does not extrapolate")
    assert abs(misses["smooth"]) <= 0.02
    assert misses["hopeless"] > 0.1


@pytest.mark.parametrize("curve", [[], [0.2], [0.2, 0.3, 0.4], [0.0] * 9, [1.0] * 9])
def test_too_few_points_give_no_fit_and_nothing_to_warn_of(curve):
    law = fit([2**place for place in range(len(curve))], curve)
    assert law is None
    assert extrapolates(law).passed and "too few" in extrapolates(law).why


def test_eight_attempts_are_predicted_from_four():
    law = fit([1, 2, 4, 8], [np.exp(-0.7 * k**-0.4) for k in (1, 2, 4, 8)])
    assert (law.fitted_up_to, law.k) == (4, 8)
    assert (law.a, law.b, law.miss) == pytest.approx((-0.7, -0.4, 0.0))


def rows(*outcomes):
    made = [derived({"answer_numbers": answers, "n_tokens": [9] * len(answers)}) for answers in outcomes]
    return pl.DataFrame(made)


def test_means_are_over_the_problems_that_reach_the_largest_k():
    curves = mean_curves(rows([0, 1, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], [0]))
    assert (curves.sizes, curves.n_problems) == ((1, 2, 4), 3)
    assert curves.means["pass_at_k"] == pytest.approx((0.25, (0.5 + 5 / 6) / 3, 2 / 3))
    assert curves.means[PLUG_IN][2] == pytest.approx((2 - 0.75**4 - 0.5**4) / 3)


def test_no_problem_gives_no_curve():
    curves = mean_curves(rows([0]).clear())
    assert (curves.sizes, curves.n_problems) == ((), 0)


def test_the_card_says_whether_the_curve_extrapolates():
    rates = np.concatenate([np.zeros(20), np.full(20, 0.3), np.full(20, 0.6)])
    outcomes = [[0] * int(right) + [1] * (N - int(right)) for right in population(rates, N)]
    figures = more_facts(None, Rows.of(rows(*outcomes).with_columns(problem_id=pl.lit("p"))), {}).figures
    assert list(figures[CURVES]) == ["k = 01", "k = 02", "k = 04", "k = 08", "k = 16", "k = 32", "k = 64"]
    assert figures[CURVES]["k = 64"]["pass_at_k"] == pytest.approx(2 / 3)
    (verdict, law), *_ = figures[FIT].items()
    assert verdict == "does not extrapolate"
    assert law["predicted"] - law["measured"] == pytest.approx(law["miss"]) and law["miss"] > 0.1
    few = more_facts(None, Rows.of(rows([0, 1]).with_columns(problem_id=pl.lit("p"))), {}).figures
    assert list(few) == [CURVES]
