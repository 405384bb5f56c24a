"""The section `[contrast_pairs]`."""

from typing import Annotated, Literal

from pydantic import Field

from generators.section import KNOB, Section

RightSide = Literal["random", "shortest"]
Undecided = Literal["left_out", "wrong"]


class Settings(Section):
    """Which attempts are set against each other, and how undecided ones count."""

    draws: Annotated[int, KNOB] = Field(
        16, ge=2, description="first attempts at a problem that rates, advantages and pairs come from"
    )
    pairs_per_problem: Annotated[int, KNOB] = Field(
        1, ge=1, le=4, description="pairs of a problem at most; no attempt is in two of them"
    )
    right_side: Annotated[RightSide, KNOB] = Field(
        "random", description="which right attempts come first: by lot, or those with the fewest tokens"
    )
    undecided: Undecided = Field(
        "left_out", description="how an attempt without a verdict counts: not at all, or as wrong (OREAL's rule)"
    )
