"""The sections `[rounds]` and `[checks]`: when rounds are opened, and what a slice must be like to be released.

Knows the assets by name; nothing of how anything is made or judged.
"""

from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg
from pydantic import Field, field_validator, model_validator

from generators.section import Section

Share = Annotated[float, Field(ge=0, le=1)]
STAGES = (
    "problems",
    "attempts",
    "process_labels",
    "step_preference_pairs",
    "contrastive_models",
    "critical_token_pairs",
    "self_correction_traces",
    "long_cot_traces",
)
LEAST_YIELD = {
    "problems": 0.2,
    "attempts": 0.9,
    "process_labels": 0.1,
    "step_preference_pairs": 0.01,
    "contrastive_models": 0.01,
    "critical_token_pairs": 0.01,
    "self_correction_traces": 0.01,
    "long_cot_traces": 0.1,
}


class RoundsSettings(Section):
    """When the schedule `weekly_round` opens a round, how often the policy is looked at, how old a release may be.

    Schedule and sensors are off until somebody switches them on in the UI.
    """

    cron: str = "0 3 * * 0"
    timezone: str = "UTC"
    look_s: int = Field(300, ge=30)
    fresh_days: float = Field(8.0, gt=0)

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, cron: str) -> str:
        try:
            dg.ScheduleDefinition(name="tried", job_name="slice", cron_schedule=cron)
        except dg.DagsterInvalidDefinitionError as refused:
            raise ValueError("cron must have five fields, such as '0 3 * * 0' for Sundays at three") from refused
        return cron

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError) as unknown:
            raise ValueError("timezone must be a name such as UTC or Europe/Berlin") from unknown
        return timezone


class CheckSettings(Section):
    """The bounds of the checks; a slice outside of one blocks the release of its round.

    A yield is the share of the slice's problems that have a row (of `problems`: the share of the rows that are kept);
    `least_yield` and `most_yield` name assets, and 0 lets one be empty. `least_right` to `most_right` is what the
    policy may be right on of its attempts, `least_label` the share of the rarer label among labelled steps. Of the
    errors that the audit planted and the labels name a step for, `least_planted` must be the planted ones, where there
    are `few_planted` at least (fewer only warn). `most_contaminated` of a source's problems may repeat an evaluation
    item, `most_failed` of an asset's items may have been refused by the engine, `most_timeouts` of the answers may have
    no verdict for want of time or by an error. A figure further than `drift` from its mean over other rounds warns.
    """

    least_yield: Mapping[str, Share] = Field(default_factory=dict)
    most_yield: Mapping[str, Share] = Field(default_factory=dict)
    least_right: Share = 0.01
    most_right: Share = 0.99
    least_label: float = Field(0.01, ge=0, le=0.5)
    least_planted: Share = 0.5
    few_planted: int = Field(8, ge=1)
    most_contaminated: Share = 0.5
    most_failed: Share = 0.05
    most_timeouts: Share = 0.05
    drift: float = Field(0.5, gt=0)

    @field_validator("least_yield", "most_yield")
    @classmethod
    def _are_assets(cls, shares: Mapping[str, float]) -> Mapping[str, float]:
        for asset in shares.keys() - set(STAGES):
            raise ValueError(f"there is no asset {asset}; there are {', '.join(STAGES)}")
        return shares

    @model_validator(mode="after")
    def _in_order(self) -> "CheckSettings":
        if self.most_right < self.least_right:
            raise ValueError(f"most_right must be at least least_right ({self.least_right})")
        for asset in STAGES:
            least, most = self.yield_bounds(asset)
            if most < least:
                raise ValueError(f"most_yield.{asset} must be at least its least yield ({least})")
        return self

    def yield_bounds(self, asset: str) -> tuple[float, float]:
        """The least and the most yield of an asset."""
        return self.least_yield.get(asset, LEAST_YIELD[asset]), self.most_yield.get(asset, 1.0)
