"""The section `[long_cot_traces]`: how problems are chosen and asked, what is kept, what a format is worth.

Knows recipes and filters; nothing of the settings beside it.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from filters.texts.contamination import MATCHES, Match
from filters.texts.thoughts import Tags
from generators.long_cot_traces.mix import Shares
from generators.long_cot_traces.prompt import Layout, LongCotPrompt, load_examples
from generators.long_cot_traces.selection import LongCotBounds
from generators.section import Section

Shown = Literal["general", "short", "none", "attempts"]
Difficulty = Literal["easy", "medium", "hard"]


class LongCotTracesSettings(Section):
    """How many samples a problem gets, behind which worked examples, and which of them become rows.

    `examples` "none" asks for thoughts without showing any, as a policy is asked that was trained on traces;
    "attempts" asks as the attempts did, at their sampling settings: what they drew is not drawn again. With
    `close_thoughts` the closing tag is put behind an answer that ended inside of its thoughts, and the policy goes on.
    Shares make the mix of problems, by difficulty or topic; without them all fit ones are asked. `judge_behaviours` has
    the judge count the behaviours of every trace besides the rules.
    """

    n: int = Field(8, ge=1)
    temperature: float = Field(0.8, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(2048, ge=1)
    examples: Shown = "general"
    per_prompt: int = Field(3, ge=1)
    layout: Layout = "turns"
    instruct: bool = True
    prefill: bool = True
    opening: str = "<think>"
    closing: str = "</think>"
    close_thoughts: bool = False
    least_pass_rate: float = Field(0.0, ge=0, le=1)
    most_pass_rate: float = Field(1.0, ge=0, le=1)
    difficulty_shares: Mapping[Difficulty, float] | None = None
    least_criteria: int = Field(5, ge=0, le=7)
    topic_shares: Mapping[str, float] | None = None
    percentile: float = Field(30.0, ge=0, lt=100)
    near_examples: Match | None = None
    judge_behaviours: bool = False
    format_reward: float = Field(1.0, ge=0)

    @field_validator("difficulty_shares", "topic_shares")
    @classmethod
    def _add_up(cls, shares: Mapping[str, float] | None) -> Mapping[str, float] | None:
        if shares is not None:
            Shares(of=shares)
        return shares

    @model_validator(mode="after")
    def _fit_together(self) -> "LongCotTracesSettings":
        if self.most_pass_rate < self.least_pass_rate:
            raise ValueError(f"most_pass_rate must be at least least_pass_rate ({self.least_pass_rate})")
        self.prompt(seed=0)
        return self

    @property
    def tags(self) -> Tags:
        """What stands around thoughts."""
        return Tags(opening=self.opening, closing=self.closing)

    def prompt(self, seed: int) -> LongCotPrompt:
        """How a problem is asked, with the examples drawn by `seed`."""
        shown = load_examples(self.examples) if self.examples in ("general", "short") else ()
        return LongCotPrompt(
            examples=shown,
            per_prompt=self.per_prompt,
            seed=seed,
            tags=self.tags,
            instruct=self.instruct,
            prefill=self.prefill,
            layout=self.layout,
        )

    def bounds(self, match: Match) -> LongCotBounds:
        """Which samples become rows, where a copy of an example is found as `match` says."""
        return LongCotBounds(percentile=self.percentile, near_examples=MATCHES[match])
