"""The sections `[[sources]]` and `[[evaluation_sets]]`: problems of some kind, and how they are taken.

Knows problem sources and filters; nothing of what is made of the problems.
"""

from typing import Any, Literal

from pydantic import ConfigDict, Field, SkipValidation, TypeAdapter, field_validator, model_validator, with_config

from dagster_project.long_cot_settings import LongCotTracesSettings
from filters.answers.checker import AnswerRule
from filters.answers.verdicts import Lists, Percent, Units
from filters.texts.contamination import Match
from filters.texts.duplicates import DuplicateSettings
from filters.texts.language import check_language
from generators.attempts import chain_sum
from generators.problems.evaluation import EvaluationSet
from generators.problems.files import FileProblems
from generators.problems.hub import HubProblems
from generators.problems.multi_step import MultiStepProblems
from generators.problems.procedural import ProceduralProblems
from generators.problems.prompt import Example
from generators.problems.simulated import SimulatedSource
from generators.problems.source import ProblemSource
from generators.section import Section

Kind = Literal["procedural", "multi_step", "file", "hub", "simulated"]
_strict = with_config(ConfigDict(extra="forbid"))
KINDS: dict[str, type[ProblemSource]] = {
    "procedural": _strict(ProceduralProblems),
    "file": _strict(FileProblems),
    "hub": _strict(HubProblems),
    "multi_step": _strict(MultiStepProblems),
    "simulated": _strict(SimulatedSource),
}


class _OverProblems(Section):
    """A section whose further settings are those of a problem source of some kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: Kind
    problems: SkipValidation[ProblemSource]

    @model_validator(mode="before")
    @classmethod
    def _read_problems(cls, table: dict[str, Any]) -> dict[str, Any]:
        own = {key: value for key, value in table.items() if key in cls.model_fields}
        rest = {key: value for key, value in table.items() if key not in cls.model_fields}
        kind = KINDS.get(str(own.get("kind")))
        if kind is None:
            return table
        return {**own, "problems": TypeAdapter(kind).validate_python(rest)}


class EvaluationSetSettings(_OverProblems):
    """A set that no problem may repeat, and what counts as a repeat."""

    match: Match = "near"

    @property
    def set(self) -> EvaluationSet:
        """The set as the problems are screened against it."""
        return EvaluationSet(self.problems, self.match)


class Source(_OverProblems):
    """A problem source: how it is read, into how many slices it is cut, how its answers are written, its licence."""

    shards: int = Field(1, ge=1)
    licence: str | None = None
    bare_last_number: bool = False
    percent: Percent = "undecided"
    units: Units = "optional"
    lists: Lists = "undecided"
    worked_examples: Literal["none", "chain_sum"] = "none"
    max_unverified_share: float = Field(0.05, ge=0, le=1)
    near_duplicates: float | None = Field(None, ge=0.3, le=1)
    language: str | None = None
    query_mix: Literal["pass_rate", "criteria"] = "pass_rate"

    @field_validator("language")
    @classmethod
    def _is_known(cls, language: str | None) -> str | None:
        if language is not None:
            check_language(language)
        return language

    @model_validator(mode="after")
    def _can_be_mixed(self) -> "Source":
        if self.query_mix == "pass_rate" and not self.has_answers:
            raise ValueError(
                f"query_mix of source {self.name} must be 'criteria', since problems without answers "
                "(columns.answer_format = 'none') have no pass rate, got 'pass_rate'"
            )
        return self

    @property
    def has_answers(self) -> bool:
        """Whether its problems have answers to verify by."""
        return self.problems.has_answers

    @property
    def duplicates(self) -> DuplicateSettings | None:
        """From which similarity a problem repeats another; problems that are made up resemble each other by nature."""
        if self.near_duplicates is None:
            return DuplicateSettings() if self.kind in ("file", "hub") else None
        return DuplicateSettings(threshold=self.near_duplicates)

    def near_examples(self, asked: LongCotTracesSettings) -> Match:
        """What counts as a copy of a worked example; problems that are made up differ in their numbers only."""
        return asked.near_examples or ("near" if self.kind in ("file", "hub") else "verbatim")

    @property
    def name(self) -> str:
        """The source's name, as its problems carry it."""
        return self.problems.name

    @property
    def answer_rule(self) -> AnswerRule:
        """How answers to this source's problems are read."""
        return AnswerRule(
            bare_last_number=self.bare_last_number, percent=self.percent, units=self.units, lists=self.lists
        )

    @property
    def examples(self) -> tuple[Example, ...]:
        """The worked examples that stand before each problem."""
        return chain_sum.EXAMPLES if self.worked_examples == "chain_sum" else ()
