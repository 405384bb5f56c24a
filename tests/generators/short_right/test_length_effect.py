"""The effect of length within problems against the truth of the simulated law, with the pooled number beside it."""

from itertools import combinations
from random import Random
from statistics import pvariance

import numpy as np
import polars as pl
import pytest

from generators.engine.simulated.draw import draw
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.position import Position, Task
from generators.engine.simulated.statement import SimulatedProblems
from generators.engine.simulated.vocabulary import EOS, VALUES
from generators.short_right.length_effect import count_attempts, length_effect, length_effects

R, W = True, False
LONGEST = 400  # fillers of a solution whose share is counted
# Tokens and outcomes of each problem's attempts, and the share of its pairs whose right attempt is shorter.
TABLES = [
    ([([1, 2, 3], [R, W, W])], 1.0),
    ([([1, 2, 3], [W, W, R])], 0.0),
    ([([4, 4], [R, W])], 0.5),
    ([([1, 2, 2, 5], [R, W, R, W])], 3.5 / 4),
    ([([1, 9], [R, W]), ([1, 2, 3, 4, 5], [W, W, W, W, R])], 0.5),  # problems count equally
    ([([1, 2], [R, R]), ([3, 4], [R, W])], 1.0),  # the first problem has no pair
    ([([1, 2, 3], [R, None, W])], 1.0),
]


def table(problems):
    return pl.DataFrame(
        [
            {"problem_id": str(number), "n_tokens": length, "is_right": is_right, "is_cut": False}
            for number, (lengths, outcomes) in enumerate(problems)
            for length, is_right in zip(lengths, outcomes, strict=True)
        ],
        schema={"problem_id": pl.String, "n_tokens": pl.Int64, "is_right": pl.Boolean, "is_cut": pl.Boolean},
    )


@pytest.mark.parametrize(("problems", "share"), TABLES)
def test_the_share_counts_pairs_within_problems_and_ties_half(problems, share):
    assert length_effect(table(problems)).share == pytest.approx(share)


@pytest.mark.parametrize("problems", [[], [([1, 2], [R, R])], [([1, 2], [W, None])]])
def test_without_a_right_and_a_wrong_attempt_at_one_problem_there_is_no_effect(problems):
    effect = length_effect(table(problems))
    assert (effect.share, effect.low, effect.high, effect.n_groups, effect.n_pairs) == (None, None, None, 0, 0)


@pytest.mark.parametrize(("lengths", "right"), [((1, 2, 3, 4, 5), 2), ((1, 2, 2, 2, 7, 7), 3), ((3, 3, 3, 8), 1)])
def test_the_chance_interval_has_the_variance_of_all_permutations(lengths, right):
    shares = []
    for chosen in combinations(range(len(lengths)), right):
        outcomes = [place in chosen for place in range(len(lengths))]
        effect = length_effect(table([(lengths, outcomes)] * 30))
        shares.append(effect.share)
    assert effect.high - 0.5 == pytest.approx(1.96 * (pvariance(shares) / 30) ** 0.5)
    assert effect.low + effect.high == pytest.approx(1)


def test_the_chance_interval_holds_19_of_20_shares_where_length_means_nothing():
    rng, held, n = Random(3), 0, 1000
    for _ in range(n):
        problems = [([rng.randint(1, 9) for _ in range(6)], rng.sample([R, R, W, W, W, None], 6)) for _ in range(12)]
        effect = length_effect(table(problems))
        held += effect.low <= effect.share <= effect.high
    assert 0.93 <= held / n <= 0.97


def drawn(law, *, steps, n_problems=2000, n=8, max_tokens=2000):
    """The lengths of attempts under a law, as the attempts' table gives them."""
    source, rng, rows = SimulatedProblems(min_steps=steps[0], max_steps=steps[1]), Random(5), []
    for index in range(n_problems):
        statement = source.statement(index)
        start = Position(Task.under(law, statement))
        for _ in range(n):
            ids = draw(start, rng, max_tokens)
            is_cut = ids[-1] != EOS
            is_right = None if is_cut else VALUES[ids[-3]] == statement.answer
            rows.append((str(index), len(ids), is_right, is_cut))
    return pl.DataFrame(rows, schema=table([]).schema, orient="row")


def planted(law, n_steps):
    """The true probability that a right solution has fewer fillers than a wrong one, ties counted half."""
    (error,), recovery = law.error_rates, law.recovery_rate
    after = {}
    for right in (True, False):
        one_more = law.filler_rate(right=right)
        after[right] = (1 - one_more) * one_more ** np.arange(LONGEST)
    right, wrong = np.eye(1, LONGEST)[0], np.zeros(LONGEST)
    for _ in range(n_steps):
        longer = (np.convolve(right, after[True])[:LONGEST], np.convolve(wrong, after[False])[:LONGEST])
        right = (1 - error) * longer[0] + recovery * longer[1]
        wrong = error * longer[0] + (1 - recovery) * longer[1]
    right, wrong = right / right.sum(), wrong / wrong.sum()
    return float(right @ (1 - np.cumsum(wrong) + wrong / 2))


def test_a_law_without_an_effect_gives_one_half():
    effect = length_effect(drawn(SimulatedLaw(error_rates=(0.1,)), steps=(6, 6)))
    assert effect.share == pytest.approx(0.5, abs=0.02)
    assert effect.low <= effect.share <= effect.high


@pytest.mark.parametrize("wrong_fillers", [0.5, 5.0, 9.0])
def test_a_planted_effect_is_recovered(wrong_fillers):
    law = SimulatedLaw(error_rates=(0.1,), wrong_fillers=wrong_fillers)
    effect, truth = length_effect(drawn(law, steps=(6, 6))), planted(law, 6)
    assert abs(truth - 0.5) > 0.1
    assert effect.share == pytest.approx(truth, abs=0.03)
    assert not effect.low <= effect.share <= effect.high


def test_where_long_problems_are_hard_the_effect_is_one_half_within_them_and_not_over_all():
    effects = length_effects(drawn(SimulatedLaw(error_rates=(0.1,), recovery_rate=0.0), steps=(2, 20)))
    within, pooled = effects["within_problems"], effects["over_all_problems"]
    assert within.share == pytest.approx(0.5, abs=0.02)
    assert within.low <= within.share <= within.high
    assert pooled.share > 0.7 and pooled.share > pooled.high


def test_attempts_that_were_cut_off_are_apart_and_feign_an_effect_where_they_count_as_wrong():
    effects = length_effects(drawn(SimulatedLaw(error_rates=(0.1,)), steps=(6, 6), max_tokens=52))
    ended, with_cut = effects["within_problems"], effects["within_problems_with_cut_off_ones_as_wrong"]
    assert ended.share == pytest.approx(0.5, abs=0.02)
    assert with_cut.share > 0.6 and with_cut.n_pairs > ended.n_pairs


def test_every_attempt_is_counted_once_and_those_that_were_cut_off_apart():
    lengths = table([([1, 2, 3, 4, 5], [R, W, None, R, W])]).with_columns(is_cut=pl.col("n_tokens") > 3)
    assert count_attempts(lengths) == {"right": 1, "wrong": 1, "undecided": 1, "truncated": 2}
