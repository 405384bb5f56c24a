"""The facts about how a release was made, which the manifest stores and the card prints."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from filters.answers.verdicts import DEFAULT_RULE, AnswerRule
from generators.dataset import Figures, StageFacts
from releases.licences import Handling, Terms, joint_licence, terms_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """A source of problems: its name, its licence if known, and how many problems came from it.

    Answers to its problems are verified by `answer_rule`. `terms` follow from the licence. `language` is the code of
    its prompts' language if the settings state it. `hub_dataset` is the id of the Hub dataset that it reads, if any.
    """

    name: str
    licence: str | None = None
    problems: int
    answer_rule: AnswerRule = DEFAULT_RULE
    terms: Terms | None = None
    language: str | None = None
    hub_dataset: str | None = None

    def __post_init__(self) -> None:
        if self.terms is None:
            object.__setattr__(self, "terms", terms_of(self.licence))
        if self.problems < 0:
            raise ValueError(f"problems must be at least 0, got {self.problems}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """Policy, round, sources, yields, tokens, settings, seeds and audit of a release.

    `drawn` counts the rollouts and the generated tokens that the dataset's own stage drew; `tokens` counts what the
    ledger of the round holds, by kind (`generated`, `prompt`, `cached`). `settings` is nested JSON data; its `export`
    holds the parameters that rows are derived and split with. `licence` is the SPDX expression of the rows, None if
    unknown; `policy_licence` that of the policy's weights, None if it is not stated. `audit` has figures by name for
    each kind of planted error and for `all`. `figures` are further tables by title. `licences` says whether sources
    that forbid redistribution or commercial use are refused or marked.
    """

    policy: str
    round: str
    sources: Sequence[SourceFacts]
    stages: Sequence[StageFacts]
    drawn: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    licence: str | None = None
    policy_licence: str | None = None
    audit: Figures = field(default_factory=dict)
    figures: Mapping[str, Figures] = field(default_factory=dict)
    licences: Handling = "refuse"

    def __post_init__(self) -> None:
        for name in ("policy", "round"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty, got {getattr(self, name)!r}")
        for name in ("sources", "stages"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        try:
            json.dumps(self.settings, allow_nan=False)
        except (TypeError, ValueError) as bad:
            raise ValueError(f"settings must be plain JSON data, got {self.settings!r}: {bad}") from bad

    @property
    def joint_licence(self) -> str | None:
        """The licence of the rows by those of the sources and, if it is stated, of the policy."""
        of_policy = () if self.policy_licence is None else (self.policy_licence,)
        return joint_licence((*(source.licence for source in self.sources), *of_policy))
