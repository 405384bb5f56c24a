"""The sections `[[sources]]`, `[[evaluation_sets]]` and `[quality]`: problems and the filters on them."""

from dataclasses import fields
from typing import Any, Literal

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from pydantic import ConfigDict, Field, SkipValidation, TypeAdapter, field_validator, model_validator, with_config

from filters.answers.checker import AnswerRule
from filters.answers.verdicts import Lists, NoAnswer, Percent, Thoughts, Units
from filters.texts.common import CommonSettings
from filters.texts.contamination import Match
from filters.texts.duplicates import DuplicateSettings
from filters.texts.embeddings import Embeddings, encoder
from filters.texts.language import check_language
from generators.problems.chain_sum import EXAMPLES as CHAIN_SUM
from generators.problems.evaluation import EvaluationSet
from generators.problems.files import FileProblems
from generators.problems.fit import PromptBounds
from generators.problems.hub import HubProblems
from generators.problems.laboratory.problems import LaboratoryProblems
from generators.problems.multi_step import MultiStepProblems
from generators.problems.presets import PRESETS, preset_of
from generators.problems.procedural import ProceduralProblems
from generators.problems.prompt import Example
from generators.problems.simulated import SimulatedSource
from generators.problems.source import ProblemSource
from generators.problems.word_problems import EXAMPLES as WORD_PROBLEMS
from generators.section import Section

Kind = Literal["procedural", "multi_step", "laboratory", "file", "hub", "simulated"]
_EXAMPLES: dict[str, tuple[Example, ...]] = {"none": (), "chain_sum": CHAIN_SUM, "word_problems": WORD_PROBLEMS}
_strict = with_config(ConfigDict(extra="forbid"))
KINDS: dict[str, type[ProblemSource]] = {
    "procedural": _strict(ProceduralProblems),
    "file": _strict(FileProblems),
    "hub": _strict(HubProblems),
    "multi_step": _strict(MultiStepProblems),
    "laboratory": _strict(LaboratoryProblems),
    "simulated": _strict(SimulatedSource),
}


def kind_of(table: dict[str, Any]) -> str:
    """The kind of source in a table of settings, as it says or as its preset does; blank if neither does."""
    known = PRESETS.get(str(table.get("preset")))
    return known.kind(table) if known else str(table.get("kind", ""))


class OverProblems(Section):
    """A section that also accepts the settings of its kind of problem source."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: Kind = Field(description="where problems come from")
    preset: str | None = Field(
        None, description=f"a known set, whose columns, answers and licence are taken: {', '.join(PRESETS)}"
    )
    problems: SkipValidation[ProblemSource]

    @model_validator(mode="before")
    @classmethod
    def _read_problems(cls, table: Any) -> Any:
        if not isinstance(table, dict):
            return table  # the error about it names its type
        if table.get("preset") is not None:
            table = preset_of(str(table["preset"])).under(table, cls.model_fields)
        own = {key: value for key, value in table.items() if key in cls.model_fields}
        rest = {key: value for key, value in table.items() if key not in cls.model_fields}
        kind = KINDS.get(str(own.get("kind")))
        if kind is None:
            return table
        return {**own, "problems": TypeAdapter(kind).validate_python(rest)}


class EvaluationSetSettings(OverProblems):
    """A set that no problem may repeat."""

    match: Match = Field("near", description="what counts as a repeat: `near` also finds reworded copies")

    @property
    def set(self) -> EvaluationSet:
        """The set that problems are screened against."""
        return EvaluationSet(self.problems, self.match)


class Source(OverProblems):
    """A problem source: how it is read and split into slices, how its answers are written, and its licence."""

    shards: int = Field(1, ge=1, description="slices that the source is cut into")
    licence: str | None = Field(None, description="the SPDX expression of the problems' licence")
    bare_last_number: bool = Field(False, description="an unmarked answer is the last number of a response")
    percent: Percent = Field("undecided", description="whether `50%` is `0.5` (`fraction`) or `50` (`number`)")
    units: Units = Field(
        "optional", description="answers in different units: `ignored` may be equal, `converted` are where they measure"
    )
    tolerance: float | None = Field(
        None, gt=0, lt=1, description="how far from the answer a number may be, as a share of it; unset: not at all"
    )
    lists: Lists = Field("undecided", description="whether the order of a list counts")
    unfinished_thoughts: Thoughts = Field(
        "no_answer", description="whether thoughts that never end hold no answer, or are read for one"
    )
    no_answer: NoAnswer = Field("wrong", description="how a response without a recognised answer counts in shares")
    worked_examples: Literal["none", "chain_sum", "word_problems"] = Field(
        "none", description="examples shown before each problem; a small policy needs them"
    )
    max_unverified_share: float = Field(0.05, ge=0, le=1, description="gold answers that may fail to verify")
    near_duplicates: float | None = Field(
        None, ge=0.3, le=1, description="similarity from which a problem repeats another; unset: 0.5 for files and Hub"
    )
    language: str | None = Field(None, description="the language that prompts must have, such as `en`")
    query_mix: Literal["pass_rate", "criteria"] = Field(
        "pass_rate", description="how `long_cot_traces` chooses problems: by pass rate, or by a judge's criteria"
    )

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
    def name(self) -> str:
        """The source's name, as in the `source` column."""
        return self.problems.name

    @property
    def has_answers(self) -> bool:
        """Whether its problems have answers to verify by."""
        return self.problems.has_answers

    @property
    def hub_dataset(self) -> str | None:
        """The id of the Hub dataset that the problems come from; None for other kinds and for a local folder."""
        if not isinstance(self.problems, HubProblems):
            return None
        try:
            validate_repo_id(self.problems.dataset)
        except HFValidationError:
            return None
        return self.problems.dataset

    @property
    def is_generated(self) -> bool:
        """Whether a program writes the problems, which therefore resemble each other."""
        return self.kind not in ("file", "hub")

    @property
    def duplicates(self) -> DuplicateSettings | None:
        """How similar a problem must be to another to count as its repeat; None keeps repeats."""
        if self.near_duplicates is None:
            return None if self.is_generated else DuplicateSettings()
        return DuplicateSettings(threshold=self.near_duplicates)

    @property
    def answer_rule(self) -> AnswerRule:
        """How answers to this source's problems are read."""
        stated = {field.name: getattr(self, field.name) for field in fields(AnswerRule) if hasattr(self, field.name)}
        return AnswerRule(**stated)

    @property
    def examples(self) -> tuple[Example, ...]:
        """The worked examples shown before each problem."""
        return _EXAMPLES[self.worked_examples]


class QualitySettings(Section):
    """Filters on prompts and solutions; similarity is between words, percentiles are of length."""

    longest_prompt: int = Field(8000, ge=1, description="characters of a prompt, at most")
    near_duplicates: float = Field(0.7, ge=0.3, le=1, description="similarity from which a solution repeats another")
    most_per_verdict: int = Field(8, ge=1, description="solutions of a problem with one verdict, at most")
    shortest_percentile: float = Field(0.5, ge=0, lt=50, description="solutions shorter than this are not labelled")
    longest_percentile: float = Field(99.5, gt=50, le=100, description="solutions longer than this are not labelled")
    common_share: float = Field(
        0.2, gt=0, le=1, description="share of a source's prompts that makes words at their start or end a template"
    )
    common_rows: int = Field(10, ge=2, description="prompts that must share such words, at least")
    embedding_model: str | None = Field(
        None, description="id or folder of a sentence-transformers model that finds rephrased copies; unset: none are"
    )
    embedding_similarity: float = Field(0.9, gt=0, le=1, description="cosine from which a prompt rephrases another")

    @property
    def common(self) -> CommonSettings:
        """Which passages of prompts belong to a template."""
        return CommonSettings(share=self.common_share, rows=self.common_rows)

    def embeddings(self) -> Embeddings | None:
        """The embedding model, loaded; None if none is set."""
        if self.embedding_model is None:
            return None
        return Embeddings(encode=encoder(self.embedding_model), threshold=self.embedding_similarity)

    def prompt_bounds(self, source: Source) -> PromptBounds:
        """The bounds on the prompts of a source."""
        return PromptBounds(longest=self.longest_prompt, language=source.language)
