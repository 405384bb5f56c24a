"""The section `[long_cot_traces]`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from filters.texts.contamination import Match
from filters.texts.thoughts import DEFAULT_TAGS, Tags
from generators.long_cot_traces.mix import Shares
from generators.long_cot_traces.query_criteria import CRITERIA
from generators.long_cot_traces.query_topic import TOPICS, bare_name
from generators.long_cot_traces.worked_examples import Example, load_examples
from generators.section import KNOB, OtherSections, Section

Examples = Literal["general", "short", "none", "attempts"]
Layout = Literal["turns", "one_message"]
Difficulty = Literal["easy", "medium", "hard"]


class Settings(Section):
    """Which problems are chosen, which worked examples the prompt shows, and which samples become rows."""

    n: Annotated[int, KNOB] = Field(8, ge=1, description="samples per problem")
    temperature: Annotated[float, KNOB] = Field(0.8, ge=0, description="sampling temperature")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus sampling")
    max_tokens: Annotated[int, KNOB] = Field(2048, ge=1, description="tokens of a sample at most")
    examples: Examples = Field(
        "general",
        description="worked examples of many fields, `short` ones of sums, or `none`; `attempts`: ask as those did, at "
        "their sampling",
    )
    per_prompt: int = Field(3, ge=1, description="worked examples in a prompt")
    layout: Layout = Field("turns", description="worked examples as turns of the chat, or all in one message")
    instruct: bool = Field(True, description="whether the prompt says how to think")
    prefill: bool = Field(True, description="whether the prompt ends with the opening tag")
    opening: str = Field(DEFAULT_TAGS.opening, description="the tag before the thoughts")
    closing: str = Field(DEFAULT_TAGS.closing, description="the tag after the thoughts")
    close_thoughts: bool = Field(
        False, description="whether an answer that ends inside its thoughts gets the closing tag and is continued"
    )
    least_pass_rate: float = Field(0.0, ge=0, le=1, description="lowest pass rate of a problem")
    most_pass_rate: float = Field(1.0, ge=0, le=1, description="highest pass rate of a problem")
    difficulty_shares: Mapping[Difficulty, float] | None = Field(
        None, description="share of each difficulty in the mix; unset: every fit problem"
    )
    least_criteria: int = Field(
        5, ge=0, le=len(CRITERIA), description="criteria of seven that a problem rated by the judge must meet"
    )
    topic_shares: Mapping[str, float] | None = Field(
        None, description="share of each topic among rated problems; unset: every fit problem"
    )
    percentile: Annotated[float, KNOB] = Field(30.0, ge=0, lt=100, description="scores below it are dropped")
    near_examples: Match | None = Field(
        None,
        description="how copies of worked examples are recognised; unset: `verbatim` for problems that a program "
        "writes, `near` for others",
    )
    judge_behaviours: bool = Field(False, description="whether the judge counts behaviours besides the rules")
    format_reward: float = Field(
        1.0, ge=0, description="reward in a pair for thoughts that the policy closed itself, beside the score"
    )

    @property
    def tags(self) -> Tags:
        """The tags around the thoughts."""
        return Tags(opening=self.opening, closing=self.closing)

    @property
    def worked_examples(self) -> tuple[Example, ...]:
        """The worked examples that prompts choose from."""
        return load_examples(self.examples) if self.examples in ("general", "short") else ()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that the judge may name."""
        return tuple(self.topic_shares) if self.topic_shares else TOPICS

    def require(self, others: OtherSections) -> None:
        """Require a judge for ratings and judged behaviours, and our own prompt for problems without answers."""
        if others.rated and not others.has_judge:
            raise ValueError(f"query_mix = 'criteria' needs a section [judge], got none for {', '.join(others.rated)}")
        if self.judge_behaviours and not others.has_judge:
            raise ValueError(
                "long_cot_traces.judge_behaviours must be false without a section [judge], got true: add the section"
            )
        if others.open_ended and self.examples == "attempts":
            raise ValueError(
                "long_cot_traces.examples must be 'general', 'short' or 'none', since problems without answers "
                f"({', '.join(others.open_ended)}) are not attempted, got 'attempts'"
            )

    @field_validator("difficulty_shares", "topic_shares")
    @classmethod
    def _add_up(cls, shares: Mapping[str, float] | None) -> Mapping[str, float] | None:
        if shares is not None:
            Shares(of=shares)
        return shares

    @field_validator("topic_shares")
    @classmethod
    def _differ(cls, shares: Mapping[str, float] | None) -> Mapping[str, float] | None:
        if shares is not None and len({bare_name(topic) for topic in shares}) < len(shares):
            raise ValueError(f"topics must have different names, got {', '.join(shares)}")
        return shares

    @model_validator(mode="after")
    def _fit_together(self) -> "Settings":
        if self.most_pass_rate < self.least_pass_rate:
            raise ValueError(f"most_pass_rate must be at least least_pass_rate ({self.least_pass_rate})")
        if self.worked_examples and self.per_prompt > len(self.worked_examples):
            raise ValueError(
                f"per_prompt must be from 1 to the number of examples ({len(self.worked_examples)}), "
                f"got {self.per_prompt}"
            )
        _ = self.tags  # raises if the tags are ambiguous
        return self
