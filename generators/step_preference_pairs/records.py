"""The records of step pairs: located errors, and the two sides of a pair.

Every record is immutable.
"""

from dataclasses import dataclass

from generators.records import Margin, Problem
from generators.tokens import Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedError:
    """A finished wrong solution of a problem, and the index of its first wrong step.

    `pass_rate` is the share of right ones among all decided attempts at the problem.
    """

    problem_id: str
    attempt_index: int
    prompt_token_ids: Ids
    token_ids: Ids
    step_index: int
    pass_rate: float

    def __post_init__(self) -> None:
        if self.step_index < 0:
            raise ValueError(f"step_index must be at least 0, got {self.step_index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSide:
    """One side of a pair: a step in text and tokens, and the whole text from there to the end of its solution."""

    text: str
    full_text: str
    token_ids: Ids
    is_final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPair:
    """A right next step and a wrong one after the same prefix, both valued by rollouts.

    `chosen_index` is the rollout from the prefix whose first step was chosen. `prefix_token_ids` are the prompt's and
    those of the steps before; `initial_reason_steps` is the text of these steps, `templated_prompt` that of all. By
    the margin `tested` the pair was kept; `margin` is by held-out rollouts and is published.
    `is_stable` says whether tokenising the texts gives the same ids.
    """

    problem: Problem
    error: LocatedError
    chosen_index: int
    prefix_token_ids: Ids
    templated_prompt: str
    initial_reason_steps: str
    chosen: StepSide
    rejected: StepSide
    tested: Margin
    margin: Margin
    is_stable: bool
