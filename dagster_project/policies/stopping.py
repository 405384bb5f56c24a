"""When a loop ends: all its rounds are made, its policies gain nothing any more, or they have lost diversity."""

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.settings.loop import LoopSettings
from generators.evaluation.figures import PASS_AT_1, PASS_AT_K, Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the policies of a loop came: the index of the best one, and why the loop ends, None if it goes on.

    Index 0 is the policy that drew the first round.
    """

    best: int
    why: str | None


def progress(evaluations: Sequence[Evaluation], loop: LoopSettings) -> Progress:
    """Judge the policies of a loop, the first one included, in their order.

    The best policy is replaced by one that gains over it. So small gains add up until they show.
    """
    best = idle = 0
    for number, evaluation in enumerate(evaluations[1:], start=1):
        gain = evaluation.less(evaluations[best])[PASS_AT_1]
        best, idle = (number, 0) if gain.low > loop.least_gain else (best, idle + 1)
        lost = evaluation.less(evaluations[0])[PASS_AT_K]
        if lost.high < -loop.most_lost_pass_at_k:
            why = f"pass@{loop.evaluation.k} of round {number} is {lost.negative} below the first policy's"
            return Progress(best=best, why=f"{why}: raise loop.most_lost_pass_at_k to go on")
        if idle >= loop.patience:
            why = f"pass@1 has not gained more than {loop.least_gain:g} over round {best} in {idle} rounds"
            return Progress(best=best, why=f"{why}: raise loop.patience to go on")
    n_rounds = len(evaluations) - 1
    if n_rounds >= loop.rounds:
        return Progress(best=best, why=f"{n_rounds} of {loop.rounds} rounds are made")
    return Progress(best=best, why=None)
