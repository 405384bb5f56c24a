"""The section `[attempts]`."""

from typing import Annotated

from pydantic import Field

from generators.section import KNOB, Section


class Settings(Section):
    """How many solutions of each problem to draw, and how."""

    n: Annotated[int, KNOB] = Field(8, ge=1, description="solutions per problem")
    temperature: Annotated[float, KNOB] = Field(0.8, ge=0, description="sampling temperature")
    top_p: Annotated[float, KNOB] = Field(1.0, gt=0, le=1, description="nucleus sampling")
    max_tokens: Annotated[int, KNOB] = Field(512, ge=1, description="tokens of a solution at most")
