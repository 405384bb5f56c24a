"""A section of the settings file: frozen once it is read, and strict about the fields that it knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from filters.schema import SchemaError


@dataclass(frozen=True, slots=True)
class Knob:
    """Marks a field that the Launchpad shows: `cap: Annotated[int, KNOB] = Field(32, ge=1, description=...)`."""


KNOB = Knob()


@dataclass(frozen=True, slots=True)
class FilePath:
    """Marks a field that is a path relative to the settings file, or a URL."""


FILE_PATH = FilePath()


class Section(BaseModel):
    """The base of every section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """The fields that the Launchpad shows, by name."""
        return {name: field for name, field in cls.model_fields.items() if KNOB in field.metadata}

    @classmethod
    def paths(cls) -> list[str]:
        """The fields that are paths relative to the settings file."""
        return [name for name, field in cls.model_fields.items() if FILE_PATH in field.metadata]

    def recipe(self) -> dict[str, Any]:
        """The settings as JSON, without those that name paths on one machine (`exclude=True`)."""
        return self.model_dump(mode="json")

    def require(self, others: "OtherSections") -> None:
        """Raise ValueError when other sections of the settings file do not allow what this one needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSections:
    """What a section may require of the others.

    `open_ended` names the sources without answers, `rated` those whose problems a judge rates.
    """

    open_ended: Sequence[str]
    rated: Sequence[str]
    has_judge: bool


S = TypeVar("S", bound=Section)


class NoSettings(Section):
    """The section of a stage that takes no settings."""


def stored(section: type[S], recipe: Mapping[str, Any], stage: str) -> S:
    """The section that a recipe keeps; raises SchemaError where another stepmill wrote it."""
    try:
        return section.model_validate(recipe["settings"])
    except ValidationError as unlike:
        raise SchemaError(
            f"the recipe of {stage} holds other settings than this stepmill knows: materialise {stage} again ({unlike})"
        ) from unlike


def merged(section: Section, changes: Mapping[str, Any]) -> Any:
    """The section with some fields changed, validated again; raises ValidationError."""
    values = {name: getattr(section, name) for name in type(section).model_fields}
    return type(section).model_validate(values | dict(changes))
