from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.engine.retry_after import LONGEST_S, retry_after_s

NOW = datetime(2026, 11, 28, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("0", 0.0),
        ("86400", LONGEST_S),
        ("9" * 400, LONGEST_S),
        ("Sat, 28 Nov 2026 12:00:30 GMT", 30.0),
        ("Sat, 28 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun, 29 Nov 2026 12:00:00 GMT", LONGEST_S),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_seconds_and_dates_are_honoured_within_a_bound(value, seconds):
    assert retry_after_s(value, NOW) == seconds


@given(st.text())
def test_whatever_the_header_holds_the_wait_is_bounded(value):
    wait_s = retry_after_s(value, NOW)
    assert wait_s is None or 0 <= wait_s <= LONGEST_S
