"""The section `[coverage]`."""

from typing import Annotated

from pydantic import Field

from generators.section import KNOB, Section


class Settings(Section):
    """Which attempts the curves come from."""

    draws: Annotated[int, KNOB] = Field(256, ge=1, description="first attempts at a problem that are read")
