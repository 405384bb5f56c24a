"""The section `[step_preference_pairs]`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from generators.search.margins import MarginTest
from generators.section import KNOB, Section

Localiser = Literal["labels", "judge"]


class Settings(Section):
    """Which errors become pairs, and how many rollouts a pair may cost."""

    localiser: Annotated[Localiser, KNOB] = Field("labels", description="what names the first wrong step")
    candidates: Annotated[int, KNOB] = Field(16, ge=1, description="continuations of a prefix that are tried")
    pairs_per_error: Annotated[int, KNOB] = Field(2, ge=1, description="pairs of one prefix at most")
    misses: int = Field(2, ge=1, description="chosen steps whose margin fails before an error is given up")
    min_margin: Annotated[float, KNOB] = Field(0.1, gt=0, lt=1, description="least difference of the two step values")
    lot: int = Field(4, ge=1, description="rollouts that the test draws at a time")
    cap: Annotated[int, KNOB] = Field(32, ge=1, description="rollouts by which one step is tested at most")
    published_rollouts: int = Field(
        8, ge=1, description="rollouts of each step of a kept pair, drawn after its test, that its values come from"
    )
    least_pass_rate: float = Field(0.01, gt=0, lt=1, description="lowest pass rate of a problem")
    most_pass_rate: float = Field(0.99, gt=0, lt=1, description="highest pass rate of a problem")
    longest_step: int = Field(2000, ge=1, description="characters of a step at most")

    @property
    def margin_test(self) -> MarginTest:
        """The test of one pair."""
        return MarginTest(least=self.min_margin, lot=self.lot, cap=self.cap)

    @model_validator(mode="after")
    def _in_order(self) -> "Settings":
        if self.most_pass_rate < self.least_pass_rate:
            raise ValueError(f"most_pass_rate must be at least least_pass_rate ({self.least_pass_rate})")
        _ = self.margin_test  # a cap below the lot raises
        return self
