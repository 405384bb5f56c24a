import asyncio

import numpy as np
import polars as pl
import pytest

from benchmarks.law_slice import LawSlice
from generators.attempts.settings import Settings as AttemptsSettings
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.held_out import (
    EACH,
    HELD_OUT_STEPS,
    chosen_steps,
    held_out_figures,
    held_out_row,
    labels_are_true,
    predictions,
)
from generators.process_labels.settings import Settings
from generators.search.belief import MIDDLES
from generators.search.exhaustive import Exhaustive
from generators.search.strategy import REFUTED


def solution(problem, n_rollouts, *, reasons=None, values=None):
    n = len(n_rollouts)
    return {
        "problem_id": problem,
        "attempt_index": 0,
        "n_rollouts": n_rollouts,
        "n_further": [0] * n,
        "values": values or [0.5] * n,
        "stop_reasons": reasons or ["sure"] * n,
        "hard_labels": [True] * n,
    }


def labelled(*rows):
    return pl.DataFrame(rows, schema_overrides={"values": pl.List(pl.Float64)})


def held(*rows):
    names = ("label", "value", "n_correct", "n_rollouts", "place")
    places = {"problem_id": "p", "attempt_index": 0}
    return HELD_OUT_STEPS.frame(
        [{**places, "step": step, **dict(zip(names, row, strict=True))} for step, row in enumerate(rows)]
    )


def point(value):
    """A posterior with nothing but one value."""
    nearest = np.abs(MIDDLES - value).argmin()
    return (np.arange(len(MIDDLES)) == nearest).astype(float)


@pytest.mark.parametrize(("share", "n_steps"), [(0.0, 0), (0.01, 1), (0.1, 3), (0.9, 23)])
def test_as_many_steps_are_chosen_as_the_share_of_the_rollouts_pays_for(share, n_steps):
    rows = labelled(*[solution(f"p{number}", [4, 4, 2, 1]) for number in range(10)])  # 100 rollouts
    assert len(chosen_steps(rows, share)) == n_steps


def test_a_step_without_value_the_last_step_and_what_is_refuted_are_not_chosen():
    rows = labelled(
        solution("p", [9, 9, 9, 1], values=[0.5, None, 0.5, 1.0], reasons=["sure", "sure", REFUTED, REFUTED]),
        solution("q", [9, 1]),
    )
    assert sorted(chosen_steps(rows, 0.99)) == [("p", 0, 0), ("q", 0, 0)]


def test_the_choice_knows_nothing_of_counts_and_order():
    rows = [solution(f"p{number}", [8, 8, 8, 1]) for number in range(10)]
    other = [row | {"values": [0.9] * 4, "n_rollouts": [2, 7, 25, 1], "n_further": [0, 1, 9, 0]} for row in rows[::-1]]
    assert chosen_steps(labelled(*rows), 0.1) == chosen_steps(labelled(*other), 0.1)


@pytest.mark.parametrize(
    ("value", "n_right", "low", "high"),
    [(0.5, 0, 0.0, 1 / 16), (0.5, 4, 15 / 16, 1.0), (0.5, 2, 5 / 16, 11 / 16), (0.999, 0, 0.0, 1e-6)],
)
def test_the_place_of_a_number_lies_within_its_share_of_the_prediction(value, n_right, low, high):
    row = held_out_row(solution("p", [1, 1]), 0, point(value), n_right, 4)
    assert low - 0.01 <= row["place"] <= high + 0.01


def test_places_of_true_labels_are_even_and_those_of_labels_that_are_too_sure_lie_at_the_ends():
    rng = np.random.default_rng(3)
    wide = np.exp(-(((MIDDLES - 0.5) / 0.2) ** 2) / 2)
    wide /= wide.sum()
    places = {"true": [], "too sure": []}
    for number in range(600):
        n_right = int(rng.binomial(EACH, rng.choice(MIDDLES, p=wide)))
        for kind, density in (("true", wide), ("too sure", point(0.5))):
            places[kind].append(held_out_row(solution(f"p{number}", [1, 1]), 0, density, n_right, EACH)["place"])
    inside = {kind: np.mean([0.025 <= place <= 0.975 for place in found]) for kind, found in places.items()}
    assert np.mean(places["true"]) == pytest.approx(0.5, abs=0.04)
    assert inside["true"] == pytest.approx(0.95, abs=0.03)
    assert inside["too sure"] < 0.92


def test_shares_predict_what_their_counts_leave_open():
    row = solution("p", [8, 0, 1]) | {"n_correct": [6, 0, 1], "n_undecided": [0, 0, 0], "sound": None}
    densities = predictions(row, Exhaustive())
    assert densities @ MIDDLES == pytest.approx([7 / 10, 0.5], abs=1e-3)


def test_the_figures_are_those_of_all_steps_and_of_each_label():
    figures = held_out_figures(held((True, 0.9, 4, 4, 0.5), (True, 0.7, 2, 4, 0.01), (None, 0.3, 1, 2, 0.6)))
    assert set(figures) == {"all", "right", "not sure"}
    assert figures["all"]["steps"] == 3
    assert figures["right"]["stated"] == pytest.approx(0.8)
    assert figures["right"]["measured"] == pytest.approx(6 / 8)
    assert (figures["right"]["inside"], figures["not sure"]["inside"]) == (0.5, 1.0)
    assert held_out_figures(held()) == {}


@pytest.mark.parametrize(("n_outside", "n", "passed"), [(0, 0, True), (1, 20, True), (5, 20, False), (12, 100, False)])
def test_the_check_warns_where_too_many_steps_lie_outside_to_be_chance(n_outside, n, passed):
    rows = [(True, 0.5, 2, 4, 0.0)] * n_outside + [(True, 0.5, 2, 4, 0.5)] * (n - n_outside)
    check = labels_are_true(held(*rows))
    assert (check.passed, check.blocks) == (passed, False)


def test_a_slice_draws_its_held_out_rollouts_once_and_no_label_sees_them(tmp_path):
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.5, 0.7)), keeps_log=False)
    slice = LawSlice(engine=policy, questions=[policy.problem(index) for index in range(16)], folder=tmp_path)

    def made(share):
        (tmp_path / "process_labels.parquet").unlink(missing_ok=True)  # without all evidence
        asyncio.run(slice.make("process_labels", Settings(audit=0, held_out=share)))
        return slice.table("process_labels"), slice.table("held_out_steps"), policy.counts.sequences

    asyncio.run(slice.make("attempts", AttemptsSettings(max_tokens=400)))
    labels, nothing, n_before = made(0.0)
    assert nothing.is_empty()
    same_labels, drawn, n_drawn = made(0.1)
    again, same_drawn, n_again = made(0.1)
    assert labels.equals(same_labels)
    assert labels.equals(again)
    assert n_drawn - n_before == EACH * drawn.height == drawn["n_rollouts"].sum() > 0
    assert n_again == n_drawn
    assert drawn.equals(same_drawn)
