"""The section `[short_right]`."""

from typing import Annotated

from pydantic import Field

from generators.section import KNOB, Section


class Settings(Section):
    """Which problems have a shortest right attempt, and how much longer a rejected right attempt must be."""

    least_right: Annotated[int, KNOB] = Field(2, ge=1, description="right attempts that a problem must have")
    least_ratio: Annotated[float, KNOB] = Field(
        1.5, gt=1, description="tokens of a rejected right attempt over those of the chosen one, at least"
    )
