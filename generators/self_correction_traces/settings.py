"""The section `[self_correction_traces]`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from generators.section import KNOB, Section
from generators.self_correction_traces.triggers import REDO_STEP, RETHINK

Counts = Literal["response", "segment"]
AtMax = Literal["cut", "finish", "trigger"]
Mask = Literal["mistake", "attempt", "none"]
Trigger = Annotated[str, Field(pattern=r"^[^\n]*\S[^\n]*$")]


class Settings(Section):
    """How responses are deepened by triggers, and what a composed correction may cost.

    The fields from `samples` to `triggers` are those of iterative-deepening sampling, those from `redo_triggers` to
    `cap` those of the composition.
    """

    samples: Annotated[int, KNOB] = Field(4, ge=1, description="responses per problem; they begin as the attempts do")
    max_tokens: int | None = Field(
        None, ge=1, description="tokens of a whole response, triggers included; without it those of an attempt"
    )
    first_budget: Annotated[int, KNOB] = Field(
        256, ge=1, description="tokens before the first trigger; no budget exceeds a whole response"
    )
    growth: Annotated[float, KNOB] = Field(2.0, gt=1, description="ratio of each budget to the one before")
    max_budget: Annotated[int, KNOB] = Field(2048, ge=1, description="the largest budget")
    counts: Counts = Field(
        "response", description="whether a budget counts the tokens of the whole response or of its newest segment"
    )
    at_max: AtMax = Field(
        "finish",
        description="what happens at the largest budget: `cut` the response, let it `finish` within max_tokens, or put "
        "one more `trigger` before that",
    )
    triggers_finished: Annotated[bool, KNOB] = Field(True, description="also put triggers after finished responses")
    max_triggers: Annotated[int, KNOB] = Field(2, ge=0, description="triggers per response at most")
    triggers: tuple[Trigger, ...] = Field(
        RETHINK, min_length=1, description="sentences that ask the policy to look again, one line each"
    )
    redo_triggers: tuple[Trigger, ...] = Field(
        REDO_STEP, min_length=1, description="sentences that take back the step before them, one line each"
    )
    extra_steps: int = Field(2, ge=0, description="steps of an attempt that are kept after its wrong one at most")
    lot: int = Field(4, ge=1, description="continuations that are drawn at a time")
    cap: Annotated[int, KNOB] = Field(16, ge=1, description="continuations of a good prefix at most")
    mask: Mask = Field(
        "mistake",
        description="what is masked before the last trigger: every `mistake`, the whole `attempt`, or `none` of it",
    )
    max_broken_share: float = Field(
        0.2, ge=0, le=1, description="share of right answers that triggers may break before a check warns"
    )

    @model_validator(mode="after")
    def _in_order(self) -> "Settings":
        if self.max_budget < self.first_budget:
            raise ValueError(f"max_budget must be at least first_budget ({self.first_budget})")
        if self.cap < self.lot:
            raise ValueError(f"cap must be at least lot ({self.lot})")
        return self
