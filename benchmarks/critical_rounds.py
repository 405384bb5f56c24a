"""Wrong solutions on the simulated policy whose critical token is known, for `benchmarks.critical_tokens`.

The rounds are those of `benchmarks.label_rounds` with filler words in every step and without the base rate of 0.2. The
truth follows from the law: the first token from which on every prefix is worth less than 5 %. In the flat rounds that
is the total of the planted step; in the rising ones with a recovery rate it may come later than the first wrong total.

No pair of models stands behind the scores here. Each is a normal draw through the logistic function, the critical
token's `SEPARATION` standard deviations below the others': one of the others is lower with a probability of 8 %.
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
    """A round, and its solutions whose base rate is at least 0.3."""
    made = make_round(variant, recovery_rate, n_problems, fillers=FILLERS)
    law = made.policy().law
    kept = [item for item in made.items if law.base_rate(item.problem.prompt) >= LEAST_BASE]
    return made, [Case(item.problem, item.attempts, item.solution) for item in kept]


def true_position(engine: SimulatedPolicy, case: Case) -> int:
    """The critical token by the law; the last token of a wrong solution is worth nothing, so there is always one."""
    prompt, response = case.solution.prompt_token_ids, case.solution.token_ids
    position = len(response) - 1
    while position and engine.value(prompt + response[:position]) < NEVER:
        position -= 1
    return position


def stand_in_scores(case: Case, critical: int) -> Sequence[float]:
    """Scores of the stated quality."""
    draw = random.Random(f"scores/{case.problem.problem_id}")
    places = range(len(case.solution.token_ids))
    means = [-SEPARATION / 2 if place == critical else SEPARATION / 2 for place in places]
    return [1 / (1 + exp(-draw.gauss(mean, 1.0))) for mean in means]
