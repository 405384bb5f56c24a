"""The sections `[rounds]` and `[checks]`: when rounds are opened, and what a slice must be like to be released."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg
from pydantic import Field, field_validator, model_validator

from generators.checks import CheckBounds, Share
from generators.datasets import STAGES
from generators.section import Section

_LEAST_YIELD = {stage.name: stage.least_yield for stage in STAGES}


class RoundsSettings(Section):
    """When rounds are opened; schedule and sensors are off until somebody switches them on in the UI."""

    cron: str = Field("0 3 * * 0", description="when the schedule `weekly_round` opens a round")
    timezone: str = Field("UTC", description="the time zone of `cron`")
    look_s: int = Field(300, ge=30, description="seconds between two looks at the policy and at finished rounds")
    fresh_days: float = Field(8.0, gt=0, description="how old a release may be, in days")

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


class CheckSettings(CheckBounds):
    """The bounds of the checks; a slice outside of one blocks the datasets that are made from it.

    A yield is the share of the slice's problems that have a row; of `problems` it is the share of rows that are kept.
    """

    least_yield: Mapping[str, Share] = Field(
        default_factory=dict,
        description="by asset, the least yield; too low a yield blocks an asset that is named here, and `problems` and "
        "`attempts` in any case; others it warns of",
    )
    most_yield: Mapping[str, Share] = Field(default_factory=dict, description="by asset, the highest yield")
    drift: float = Field(0.5, gt=0, description="how far a figure may be from its mean over other rounds; warns")

    @field_validator("least_yield", "most_yield")
    @classmethod
    def _are_assets(cls, shares: Mapping[str, float]) -> Mapping[str, float]:
        for asset in shares.keys() - _LEAST_YIELD.keys():
            raise ValueError(f"there is no asset {asset}; there are {', '.join(_LEAST_YIELD)}")
        return shares

    @model_validator(mode="after")
    def _yields_in_order(self) -> "CheckSettings":
        for asset in _LEAST_YIELD:
            least, most = self.yield_bounds(asset)
            if most < least:
                raise ValueError(f"most_yield.{asset} must be at least its least yield ({least})")
        return self

    def yield_bounds(self, asset: str) -> tuple[float, float]:
        """The least and the highest yield of an asset."""
        return self.least_yield.get(asset, _LEAST_YIELD[asset]), self.most_yield.get(asset, 1.0)
