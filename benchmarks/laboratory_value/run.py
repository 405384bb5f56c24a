"""The laboratory's benchmark from start to end: data, choices on validation problems, results on test problems."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.laboratory_value.arms import ARMS, grid
from benchmarks.laboratory_value.bench import (
    TEST,
    VALIDATION,
    Bench,
    evaluate_base,
    make_round,
    samples,
    train_and_evaluate,
)
from benchmarks.laboratory_value.choices import chosen_phases, chosen_rates, described
from benchmarks.laboratory_value.crossed import Spread, smallest_gain
from benchmarks.laboratory_value.figures import GAINS, by_problem, of_arms, of_rewards
from benchmarks.laboratory_value.picture import draw
from benchmarks.laboratory_value.report import arms_table, panels, rewards_table, to_json
from benchmarks.laboratory_value.reward_bench import KINDS, RATES, choose_reward_settings, measure_reward_model
from benchmarks.laboratory_value.reward_figures import majorities
from benchmarks.laboratory_value.size import FULL, QUICK
from benchmarks.laboratory_value.work import Pace, Unit, all_done
from generators.models.policy import identify
from generators.training.phases import PhaseSettings

ASSUMED = Spread(seeds=0.02, problems=0.2, rest=0.15)  # of a gain in pass@1, for the power that is said beforehand
_GRID_SEED = 0
_SHARED_GRID = {"right_attempts_for_thoughts": "right_attempts", "right_attempts_for_corrections": "right_attempts"}
# Expected seconds of a unit at the full size on one core.
_ROUND_S, _GRID_S, _ARM_S, _REWARD_S, _SAMPLES_S = 310.0, 15.0, 32.0, 25.0, 20.0


def run(*, model: str, folder: Path, is_quick: bool, seeds: int | None, picture: Path | None) -> None:
    """Measure everything, print tables and JSON, and draw the picture if a path is given.

    More `seeds` than an earlier run of the same folder had add to its results.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    size = QUICK if is_quick else FULL
    size = size if seeds is None else replace(size, seeds=seeds)
    bench = Bench(model=identify(model).model, folder=(folder / ("quick" if is_quick else "full")).resolve(), size=size)
    least = smallest_gain(ASSUMED, seeds=size.seeds, problems=size.test)
    _say(
        f"{size.seeds} seeds, {size.test} test problems: a true gain in pass@1 of {least:.3f} or more is seen with "
        f"probability 0.8, if gains vary by {ASSUMED.seeds} between seeds and {ASSUMED.problems} between problems"
    )
    chosen_arms = [name for name in ARMS if name not in _SHARED_GRID]
    phase_tries = [(name, phase) for name in chosen_arms for phase in grid(ARMS[name], is_short=size.short_grid)]
    reward_tries = [(kind, rate) for kind in KINDS for rate in RATES]
    pace = Pace(
        say=_say,
        ahead=size.seeds * (_ROUND_S + len(ARMS) * _ARM_S + len(KINDS) * _REWARD_S)
        + len(phase_tries) * _GRID_S
        + len(reward_tries) * _REWARD_S
        + 4 * _SAMPLES_S,
    )
    parts = (TEST, VALIDATION)
    first = all_done(
        [
            *(_round(bench, seed) for seed in range(min(2, size.seeds))),
            *(_unit(f"samples of the {part} problems", _SAMPLES_S, samples, bench, part) for part in parts),
        ],
        pace,
    )
    second = iter(
        all_done(
            [
                *(_unit(f"the policy, {part}", _SAMPLES_S, evaluate_base, bench, part) for part in parts),
                *(_try_phase(bench, name, phase) for name, phase in phase_tries),
                *(_try_rate(bench, kind, rate) for kind, rate in reward_tries),
                *(_round(bench, seed) for seed in range(2, size.seeds)),
            ],
            pace,
        )
    )
    base, _ = next(second), next(second)
    phases = chosen_phases([(name, phase, next(second)) for name, phase in phase_tries], _say)
    phases |= {name: phases[other] for name, other in _SHARED_GRID.items()}
    settings = chosen_rates([(kind, rate, next(second)) for kind, rate in reward_tries], _say)
    made = [*first[: size.seeds][:2], *second]
    arm_units = [
        _unit(f"{name}, seed {seed}", _ARM_S, train_and_evaluate, bench, name, phases[name], seed, TEST)
        for name in ARMS
        for seed in range(size.seeds)
    ]
    reward_units = [
        _unit(f"rewards by {kind}, seed {seed}", _REWARD_S, measure_reward_model, bench, kind, seed, *settings[kind])
        for kind in KINDS
        for seed in range(size.seeds)
    ]
    done = iter(all_done([*arm_units, *reward_units], pace))
    results = {name: [next(done) for _ in range(size.seeds)] for name in ARMS}
    rewards = {kind: [next(done) for _ in range(size.seeds)] for kind in KINDS}
    votes = majorities(samples(bench, TEST))
    arms, labels = of_arms(base, results), of_rewards(rewards, votes)
    arm_costs = {
        name: {
            "rows": fmean(each["rows"] for each in of_seeds),
            **{key: fmean(each["cost"][key] for each in of_seeds) for key in ("rollouts", "tokens")},
        }
        for name, of_seeds in results.items()
    }
    label_costs = {
        kind: {key: fmean(each[key] for each in of_seeds) for key in ("solutions", "rollouts", "labelled", "true")}
        for kind, of_seeds in rewards.items()
    }
    base_figures = {name: fmean(by_problem(base, name)) for name in GAINS}
    print(arms_table(base_figures, arms, arm_costs), end="\n\n")
    print(f"Plain majority of the policy: {fmean(votes):.3f}", end="\n\n")
    print(rewards_table(labels, label_costs), end="\n\n")
    if picture is not None:
        draw(panels(arms, labels), picture)
    print(
        json.dumps(
            {
                "policy": bench.policy.name,
                "seeds": size.seeds,
                "test_problems": size.test,
                "smallest_visible_gain": round(least, 4),
                "base": base_figures,
                "majority": fmean(votes),
                "arms": to_json(arms, arm_costs),
                "reward_models": to_json(labels, label_costs),
                "phases": {name: phase.recipe() for name, phase in phases.items()},
                "reward_settings": {
                    kind: {"rate": rate, "aggregate": choice.aggregate, "threshold": choice.threshold}
                    for kind, (rate, choice) in settings.items()
                },
                "data": made,
            }
        )
    )


def _round(bench: Bench, seed: int) -> Unit:
    return _unit(f"data of seed {seed}", _ROUND_S, make_round, bench, seed)


def _try_phase(bench: Bench, name: str, phase: PhaseSettings) -> Unit:
    named = f"{name} with {described(phase)}"
    return _unit(named, _GRID_S, train_and_evaluate, bench, name, phase, _GRID_SEED, VALIDATION)


def _try_rate(bench: Bench, kind: str, rate: float) -> Unit:
    return _unit(f"rewards by {kind}, rate {rate}", _REWARD_S, choose_reward_settings, bench, kind, _GRID_SEED, rate)


def _unit(name: str, weight: float, call: Callable[..., Any], *arguments: Any) -> Unit:
    return Unit(name=name, weight=weight, call=call, arguments=arguments)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
