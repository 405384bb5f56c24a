"""When a server that takes no more requests right now says to come back."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 60.0  # a longer wait is asked for again after this one


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """The seconds from 0 to 60 that a Retry-After header asks for, as a number or as a date; None if it has neither."""
    if value is None or not (text := value.strip()):
        return None
    seconds = float(text) if text.isascii() and text.replace(".", "", 1).isdigit() else _until(text, now)
    return None if seconds is None else min(LONGEST_S, max(0.0, seconds))


def _until(text: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
