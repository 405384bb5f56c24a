"""A section of the settings file: fixed once it is read, and no field that it does not know.

Knows no section.
"""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """What every section is."""

    model_config = ConfigDict(frozen=True, extra="forbid")
