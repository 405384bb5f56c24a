"""The settings that did best on the validation problems."""

from collections.abc import Callable, Iterable, Mapping
from statistics import fmean
from typing import Any

from benchmarks.laboratory_value.figures import by_problem
from benchmarks.laboratory_value.reward_figures import Choice
from generators.training.phases import PhaseSettings


def chosen_phases(
    tried: Iterable[tuple[str, PhaseSettings, Mapping[str, Any]]], say: Callable[[str], None]
) -> dict[str, PhaseSettings]:
    """For each arm, the settings with the highest pass@1; of equal ones, the first."""
    best: dict[str, tuple[float, PhaseSettings]] = {}
    for name, phase, result in tried:
        share = fmean(by_problem(result, "pass_at_1"))
        say(f"{name}: pass@1 {share:.3f} on validation with {described(phase)}")
        if name not in best or share > best[name][0]:
            best[name] = (share, phase)
    return {name: phase for name, (_, phase) in best.items()}


def chosen_rates(
    tried: Iterable[tuple[str, float, Mapping[str, Any]]], say: Callable[[str], None]
) -> dict[str, tuple[float, Choice]]:
    """For each kind of labels, the rate with the best order of samples, with its aggregate and threshold."""
    best: dict[str, tuple[float, float, Choice]] = {}
    for kind, rate, result in tried:
        say(f"rewards by {kind}: order {result['order']:.3f} on validation at rate {rate} by the {result['aggregate']}")
        if kind not in best or result["order"] > best[kind][0]:
            choice = Choice(aggregate=result["aggregate"], threshold=result["threshold"])
            best[kind] = (result["order"], rate, choice)
    return {kind: (rate, choice) for kind, (_, rate, choice) in best.items()}


def described(phase: PhaseSettings) -> str:
    """The settings that the grid varies."""
    return f"rate {phase.learning_rate}, {phase.steps} steps, beta {phase.beta}, likelihood {phase.likelihood}"
