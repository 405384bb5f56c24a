"""The checks of a slice's table: what is measured, the bound, a sentence with both, and a remedy.

A check that blocks and fails stops the stages that read the table, and keeps their datasets from being released.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import polars as pl
from pydantic import Field, model_validator

from filters.answers.verdicts import Verdict
from generators.section import Section

Share = Annotated[float, Field(ge=0, le=1)]
_NO_VERDICT = (Verdict.TIMEOUT.value, Verdict.ERROR.value)


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """A check as a stage declares it: the sentence says when it passes. One that does not block only warns."""

    name: str
    description: str
    blocks: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of a check: the sentence that a blocked release repeats, and what to do if it failed."""

    name: str
    passed: bool
    why: str
    remedy: str
    blocks: bool = True
    figures: Mapping[str, float] = field(default_factory=dict)


class CheckBounds(Section):
    """The bounds that the checks of several stages share."""

    least_right: Share = Field(0.01, description="share of right attempts, at least")
    most_right: Share = Field(0.99, description="share of right attempts, at most")
    least_label: float = Field(0.01, ge=0, le=0.5, description="share of the rarer label among labelled steps")
    least_planted: Share = Field(
        0.5, description="share of planted errors among the steps that the audit's labels name, at least"
    )
    few_planted: int = Field(8, ge=1, description="named steps from which `least_planted` blocks; fewer only warn")
    most_contaminated: Share = Field(0.5, description="share of a source's problems that repeat an evaluation item")
    most_failed: Share = Field(0.05, description="share of an asset's items that the engine may refuse")
    max_no_answer_share: Share = Field(
        0.5, description="share of attempts that may end without a recognised answer before more rollouts are drawn"
    )
    most_timeouts: Share = Field(0.05, description="share of answers without a verdict because of time or an error")

    @model_validator(mode="after")
    def _rates_in_order(self) -> "CheckBounds":
        if self.most_right < self.least_right:
            raise ValueError(f"most_right must be at least least_right ({self.least_right})")
        return self


def share_in_bounds(
    name: str, count: int, total: int, *, least: float = 0.0, most: float = 1.0, what: str, remedy: str
) -> Check:
    """Passes while `count` of `total` is a share from `least` to `most`; the share of nothing is 0."""
    share = count / total if total else 0.0
    why = f"{count} of {total} {what} is {share:.3f}, bounds {least:g} to {most:g}"
    figures = {"count": count, "total": total, "share": share}
    return Check(name=name, passed=least <= share <= most, why=why, remedy=remedy, figures=figures)


TIMEOUTS = CheckSpec("timeouts", "Few enough answers lack a verdict because of a timeout or an error.")


def timeouts(verdicts: pl.Series, most: float) -> Check:
    """Passes while few enough answers lack a verdict because of time or an error."""
    present = verdicts.drop_nulls()
    late = int(present.is_in(_NO_VERDICT).sum())
    return share_in_bounds(
        TIMEOUTS.name,
        late,
        len(present),
        most=most,
        what="answers without a verdict in time",
        remedy="Look for unusual answers among the rows, or raise `most_timeouts` of [checks].",
    )
