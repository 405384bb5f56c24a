"""The section `[process_labels]`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy
from generators.section import KNOB, Section

RefutedSteps = Literal["wrong", "keep"]
StrategyName = Literal["sequential_test", "exhaustive", "omegaprm"]


class Settings(Section):
    """Which solutions are labelled, how rollouts find their first wrong step, and how labels follow from counts."""

    strategy: Annotated[StrategyName, KNOB] = Field(
        "sequential_test", description="how rollouts are spread over the steps"
    )
    confidence: float = Field(0.94, gt=0.5, lt=1, description="sequential_test: soundness from which a step is right")
    cap: Annotated[int, KNOB] = Field(256, ge=1, description="sequential_test: rollouts per solution at most")
    ahead: int = Field(4, ge=0, description="sequential_test: rollouts that may be drawn before they are needed")
    pilot: int = Field(192, ge=1, description="sequential_test: problems of a slice that the priors are fitted to")
    rollouts_per_step: Annotated[int, KNOB] = Field(8, ge=1, description="exhaustive, omegaprm: rollouts per step")
    budget: int = Field(200, ge=1, description="omegaprm: rollouts per problem at most")
    audit: Annotated[int, KNOB] = Field(32, ge=0, description="right solutions that the audit plants an error in")
    held_out: float = Field(
        0.02, ge=0, lt=1, description="rollouts that only check the labels, as a share of those that make them"
    )
    solutions_per_problem: Annotated[int, KNOB] = Field(2, ge=1, description="solutions of a problem that are labelled")
    min_steps: int = Field(2, ge=1, description="steps of a solution at least")
    max_steps: int = Field(32, ge=1, description="steps of a solution at most")
    hard_threshold: float = Field(
        0.0, ge=0, lt=1, description="exhaustive, omegaprm: share of right rollouts above which a step is right"
    )
    refuted_steps: RefutedSteps = Field(
        "wrong",
        description="a step that states a false equation: wrong without a rollout, as all after it, or as rollouts say",
    )
    label_ratio: float | None = Field(
        None, ge=1, description="in training configs, how many times as frequent one label may be as the other"
    )

    @property
    def initial_strategy(self) -> Strategy:
        """The strategy with its default priors, before a pilot fits them."""
        if self.strategy == "exhaustive":
            return Exhaustive(rollouts_per_step=self.rollouts_per_step)
        if self.strategy == "omegaprm":
            return OmegaPRM(k=self.rollouts_per_step, budget=self.budget)
        return SequentialTest(confidence=self.confidence, cap=self.cap, ahead=self.ahead)

    @model_validator(mode="after")
    def _in_order(self) -> "Settings":
        if self.max_steps < self.min_steps:
            raise ValueError(f"max_steps must be at least min_steps ({self.min_steps})")
        return self
