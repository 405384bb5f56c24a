import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.rules import apply_rules
from filters.texts.lengths import no_length_outliers


def judged(lengths, **percentiles):
    """The lengths that are kept, and the count of each reason."""
    frame = pl.DataFrame({"text": ["x" * length for length in lengths]}, schema={"text": pl.String})
    made = apply_rules(frame, no_length_outliers("text", **percentiles))
    return made.kept["text"].str.len_chars().to_list(), made.counts()


@pytest.mark.parametrize(
    ("lengths", "percentiles", "kept", "counts"),
    [
        (range(1, 202), (1, 99), range(3, 200), {"unusually_short": 2, "unusually_long": 2}),
        (range(1, 202), (0, 99), range(1, 200), {"unusually_long": 2}),
        (range(1, 202), (1, 100), range(3, 202), {"unusually_short": 2}),
        (range(201, 0, -1), (1, 99), range(199, 2, -1), {"unusually_short": 2, "unusually_long": 2}),
        (range(1, 12), (10, 90), range(2, 11), {"unusually_short": 1, "unusually_long": 1}),
        ([1, 1000], (1, 99), [1, 1000], {}),
        ([7], (1, 99), [7], {}),
        ([5] * 300, (1, 99), [5] * 300, {}),
        ([5] * 299 + [900], (1, 99), [5] * 299, {"unusually_long": 1}),
        ([], (1, 99), [], {}),
    ],
)
def test_rows_outside_of_the_percentiles_are_dropped_and_few_or_equal_rows_are_not(lengths, percentiles, kept, counts):
    lower, upper = percentiles
    assert judged(lengths, lower=lower, upper=upper) == (list(kept), counts)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=201))
def test_up_to_201_rows_all_pass_by_default(lengths):
    assert judged(lengths) == (lengths, {})


@given(st.lists(st.integers(0, 500), min_size=1, max_size=400), st.integers(0, 49), st.integers(51, 100))
def test_no_more_rows_go_than_the_percentiles_say(lengths, lower, upper):
    kept, counts = judged(lengths, lower=lower, upper=upper)
    assert kept
    assert counts.get("unusually_short", 0) <= lower / 100 * len(lengths)
    assert counts.get("unusually_long", 0) <= (1 - upper / 100) * len(lengths) + 1e-9


@pytest.mark.parametrize(
    ("percentiles", "message"),
    [
        ({"lower": 50}, "lower must be at least 0 and below 50, got 50"),
        ({"upper": 101}, "upper must be above 50 and at most 100, got 101"),
    ],
)
def test_percentiles_out_of_bounds_are_refused_by_name(percentiles, message):
    with pytest.raises(ValueError, match=message):
        no_length_outliers("text", **percentiles)
