"""What a release tells about its own making, besides its rows.

Knows nothing of files or cards: these are the facts that the manifest keeps and the card words.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from filters.answers.verdicts import DEFAULT_RULE, AnswerRule
from releases.licences import Handling, Terms, terms_of

Figures = Mapping[str, Mapping[str, float | None]]  # a row of figures by name for each thing


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """Where problems came from: the source's name, its licence when known, and how many problems it gave.

    By `answer_rule` the answers to its problems were verified, and can be verified again; `terms` follow from the
    licence.
    """

    name: str
    licence: str | None = None
    problems: int
    answer_rule: AnswerRule = DEFAULT_RULE
    terms: Terms | None = None

    def __post_init__(self) -> None:
        if self.terms is None:
            object.__setattr__(self, "terms", terms_of(self.licence))
        if self.problems < 0:
            raise ValueError(f"problems must be at least 0, got {self.problems}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """What one stage kept, and what it dropped, as a count per named reason."""

    name: str
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for reason, count in {"kept": self.kept, **self.dropped}.items():
            if count < 0:
                raise ValueError(f"{reason} of stage {self.name} must be at least 0, got {count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """Policy, round, sources, yields, tokens, settings, seeds and audit of a release.

    `tokens` counts by kind (`generated`, `prompt`, `cached`); `settings` is nested plain data, as JSON can hold it, and
    its `export` holds all that the rows are derived and split with besides what was measured;
    `licence` is the identifier that the card shows (`other` when None). `audit` has figures by name for each kind of
    planted error, `all` among them. `figures` are further tables by their titles. `licences` says whether sources that
    forbid redistribution or commercial use are refused or marked.
    """

    policy: str
    round: str
    sources: Sequence[SourceFacts]
    stages: Sequence[StageFacts]
    tokens: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    licence: str | None = None
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
        except (TypeError, ValueError) as unplain:
            raise ValueError(f"settings must be plain JSON data, got {self.settings!r}: {unplain}") from unplain
