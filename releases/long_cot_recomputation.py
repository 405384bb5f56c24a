"""What follows from other columns in rows of `long_cot_traces`, derived again.

Knows both measured configs and what a slice was made with; nothing of ledgers or folders.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from filters.answers.verdicts import VERIFIER, Verdict
from filters.texts.contamination import Match
from filters.texts.thoughts import Tags, parse
from generators.long_cot_traces.behaviours import behaviours, count_behaviours
from releases.errors import IncompleteManifest
from releases.facts import ReleaseFacts
from releases.recomputation import close
from releases.splits import SplitShares

SIDES = ("chosen", "rejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """The tags of a slice's thoughts, what its format was worth, and how copies of examples were looked for."""

    tags: Tags
    format_reward: float
    near_examples: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What each slice was made with, by its key, and how problems are split."""

    makings: Mapping[str, Making]
    shares: SplitShares = field(default_factory=SplitShares)

    def facts(self) -> dict[str, Any]:
        """What the manifest keeps."""
        makings = {key: asdict(making) for key, making in sorted(self.makings.items())}
        return {"makings": makings, "validation": self.shares.validation, "test": self.shares.test}

    @classmethod
    def of(cls, facts: ReleaseFacts) -> "Export":
        """What `facts()` gave to the manifest, read back; raises IncompleteManifest."""
        told = facts.settings.get("export", {})
        try:
            makings = {key: Making(**{**one, "tags": Tags(**one["tags"])}) for key, one in told["makings"].items()}
            return cls(makings=makings, shares=SplitShares(validation=told["validation"], test=told["test"]))
        except (KeyError, TypeError, ValueError, AttributeError) as bad:
            raise IncompleteManifest(f"settings.export lacks what the rows are derived with: {bad!r}") from bad

    def making(self, slice_key: str) -> Making:
        """What a slice was made with; raises IncompleteManifest."""
        if slice_key not in self.makings:
            raise IncompleteManifest(f"settings.export.makings lacks the slice {slice_key}, which has rows")
        return self.makings[slice_key]


def recompute_traces(rows: pl.DataFrame, export: Export) -> pl.DataFrame:
    """Messages, score and behaviours, one row for each of `rows`."""
    return _derived(rows, export, _trace)


def recompute_pairs(rows: pl.DataFrame, export: Export) -> pl.DataFrame:
    """Format, score and reward of both sides, and the margin, one row for each of `rows`."""
    return _derived(rows, export, _pair)


def differing(rows: pl.DataFrame, anew: pl.DataFrame) -> list[int]:
    """The numbers of the rows that are not what `anew` derives."""
    pairs = zip(rows.select(anew.columns).iter_rows(), anew.iter_rows(), strict=True)
    return [number for number, (told, expected) in enumerate(pairs) if not close(told, expected)]


def solution_of(row: Mapping[str, Any], side: str, export: Export) -> str | None:
    """The external solution of one side of a pair; None of a malformed answer."""
    return parse(row[side][0]["content"], tags=export.making(row["slice"]).tags).solution if row[side] else None


def _derived(
    rows: pl.DataFrame, export: Export, derive: Callable[[Mapping[str, Any], Making], dict[str, Any]]
) -> pl.DataFrame:
    found = [derive(row, export.making(row["slice"])) for row in rows.iter_rows(named=True)]
    return pl.DataFrame(found, schema={name: rows.schema[name] for name in found[0]}) if found else pl.DataFrame()


def _trace(row: Mapping[str, Any], making: Making) -> dict[str, Any]:
    found = behaviours(row["internal_thoughts"])
    answer = making.tags.join(row["internal_thoughts"], row["external_solution"])
    return {
        "messages": [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": answer}],
        "score": _score(row["scored_by"], row["verdict"], row["score"]),
        **{f"n_{kind}": count for kind, count in count_behaviours(found).items()},
        "behaviours": [one.kind for one in found],
        "behaviour_starts": [one.start for one in found],
        "behaviour_ends": [one.end for one in found],
    }


def _pair(row: Mapping[str, Any], making: Making) -> dict[str, Any]:
    derived: dict[str, Any] = {}
    for side in SIDES:
        malformed = parse(row[side][0]["content"], tags=making.tags).reason if row[side] else "no_text"
        told = None if malformed else row[f"{side}_score"]
        score = _score(row["scored_by"], row[f"{side}_verdict"], told)
        derived[f"{side}_malformed"] = malformed
        derived[f"{side}_score"] = score
        derived[f"{side}_reward"] = _reward(row, side, score, making)
    derived["margin"] = derived["chosen_reward"] - derived["rejected_reward"]
    return derived


def _reward(row: Mapping[str, Any], side: str, score: float | None, making: Making) -> float:
    """A malformed answer is not right; what it gets beside a reward model's scores, other samples tell."""
    if score is not None:
        return score + (making.format_reward if row[f"{side}_thoughts_closed_by"] == "policy" else 0.0)
    return 0.0 if row["scored_by"] == VERIFIER else float(row[f"{side}_reward"])


def _score(scored_by: str, verdict: str | None, told: float | None) -> float | None:
    """1 or 0 by the verdict; what a reward model said cannot be derived."""
    if scored_by != VERIFIER:
        return told
    return None if verdict is None else float(verdict == Verdict.EQUAL.value)
