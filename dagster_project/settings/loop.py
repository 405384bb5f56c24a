"""The section `[loop]`: what trains the next policy, what it is evaluated on, and when the loop ends."""

from typing import Literal, Self

from pydantic import Field, model_validator

from generators.evaluation.recipe import GROUP
from generators.section import Section
from generators.training.phases import PhaseSettings


class EvaluationSettings(Section):
    """Which evaluation problems the policies of a loop solve, and how often; they are sampled as attempts are."""

    sets: tuple[str, ...] = Field((), description="the evaluation sets whose problems are solved; unset: all of them")
    prompted_as: str | None = Field(
        None, description="the source whose worked examples and answer rule the problems get; unset: the first source"
    )
    samples: int = Field(16, ge=GROUP, description="solutions per problem; each eight of them vote together")
    k: int = Field(16, ge=1, description="the k of pass@k, at most `samples`; below it the estimate is less noisy")

    @model_validator(mode="after")
    def _k_is_drawn(self) -> Self:
        if self.k > self.samples:
            raise ValueError(f"k must be at most samples ({self.samples}), got {self.k}: draw more, or lower k")
        return self


class LoopSettings(Section):
    """A loop: the releases of a round train the next policy, which is evaluated and draws the next round.

    Rounds are called `<name>-1`, `<name>-2`, ... A policy gains if its pass@1, less that of the best policy so far and
    paired by problem, lies above `least_gain` with its whole 95 % interval.
    """

    name: str = Field("loop", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="the name of the loop")
    rounds: int = Field(3, ge=1, description="rounds at most; `stepmill loop --rounds` overrides it")
    training: tuple[PhaseSettings, ...] = Field(min_length=1)
    start_from: Literal["base", "previous"] = Field(
        "base", description="the weights that a training begins with: of the first policy, or of the one before"
    )
    rank: int | None = Field(
        None, ge=1, description="the rank of a LoRA adapter that is trained and merged; unset: all weights are trained"
    )
    evaluation: EvaluationSettings = EvaluationSettings()
    least_gain: float = Field(0.0, ge=0, lt=1, description="what a policy must gain in pass@1 to count as better")
    patience: int = Field(2, ge=1, description="rounds without a gain after which the loop ends")
    most_lost_pass_at_k: float = Field(
        0.1, ge=0, le=1, description="the loop ends once pass@k is by its interval further below the first policy's"
    )

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets that train, each once."""
        return tuple(dict.fromkeys(phase.dataset for phase in self.training))
