import polars as pl
import pytest

from generators.step_preference_pairs.dataset import sides_verified

# pairs that held, reasons of those that did not, and whether the sides count as verified
VERIFIED = [
    (2, ["margin_too_small", "right_answer"], True),
    (1, ["margin_too_small", "margin_not_sure"], False),
    (0, [], False),
]


@pytest.mark.parametrize(("held", "reasons", "passed"), VERIFIED)
def test_the_sides_are_verified_where_at_least_half_of_the_measured_pairs_hold(held, reasons, passed):
    frame = pl.DataFrame({"value_margin": [0.5] * held})
    assert sides_verified(frame, pl.DataFrame({"reason": reasons}, schema={"reason": pl.String})).passed is passed
