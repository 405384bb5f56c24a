"""Wrong solutions of the simulated policy whose critical token is known, for `benchmarks.critical_tokens`.

The rounds are those of `benchmarks.label_rounds`, with filler words in every step and without the base rate of 0.2.
The true critical token follows from the simulated law: it is the first token after which every prefix has a value
below 5 %. In flat rounds that is the total of the planted step. In rising rounds with a recovery rate it may come after
the first wrong total.

The scores here are random, not from a pair of models. Each is a normal draw through the logistic function, and the
critical token's mean is `SEPARATION` standard deviations lower; another token scores lower with a probability of 8 %.
"""

import random
from collections.abc import Sequence
from math import exp

from benchmarks.critical_methods import Case
from benchmarks.label_rounds import Round, make_round
from generators.engine.simulated.policy import SimulatedPolicy

LEAST_BASE, NEVER = 0.3, 0.05
FILLERS = 3.0
SEPARATION = 2.0


def token_round(variant: str, recovery_rate: float, n_problems: int) -> tuple[Round, list[Case]]:
    """A round, and its solutions with a base rate of at least 0.3."""
    simulated_round = make_round(variant, recovery_rate, n_problems, fillers=FILLERS)
    law = simulated_round.policy().law
    kept = [item for item in simulated_round.items if law.base_rate(item.problem.prompt) >= LEAST_BASE]
    return simulated_round, [Case(item.problem, item.attempts, item.solution) for item in kept]


def true_position(engine: SimulatedPolicy, case: Case) -> int:
    """The true critical position; it always exists, since a wrong solution's last prefix has value 0."""
    prompt, response = case.solution.prompt_token_ids, case.solution.token_ids
    position = len(response) - 1
    while position and engine.value(prompt + response[:position]) < NEVER:
        position -= 1
    return position


def stand_in_scores(case: Case, critical: int) -> Sequence[float]:
    """Random scores with the stated separation."""
    draw = random.Random(f"scores/{case.problem.problem_id}")
    positions = range(len(case.solution.token_ids))
    means = [-SEPARATION / 2 if position == critical else SEPARATION / 2 for position in positions]
    return [1 / (1 + exp(-draw.gauss(mean, 1.0))) for mean in means]
