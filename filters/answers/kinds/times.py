"""Times of day, days of the week and dates: `3:00 PM`, `15:00`, `Tues`, `July 4th`, `4 July 2020`."""

import re
from dataclasses import dataclass

from filters.answers.verdicts import Verdict

_CLOCK = re.compile(
    r"(?:at\s+)?([0-9]{1,2})(?::([0-9]{2}))?(?::([0-9]{2}))?\s*"
    r"(a\.?\s?m\.?|p\.?\s?m\.?|o'?\s?clock|noon|midnight)?(?:\s*in the [a-z]+)?",
    re.IGNORECASE,
)
_HALF = {"a": "am", "p": "pm", "n": "pm", "m": "am"}  # by the first letter: am, pm, noon, midnight
_SPECIAL = {"noon": (12, "pm"), "midday": (12, "pm"), "midnight": (12, "am")}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAY = r"([0-9]{1,2})(?:st|nd|rd|th)?"
_DATE = re.compile(rf"([a-z]{{3,9}})\.?\s+(?:the\s+)?{_DAY}(?:(?:\s*,\s*|\s+)([0-9]{{4}}))?", re.IGNORECASE)
_DATE_BY_DAY = re.compile(
    rf"(?:the\s+)?{_DAY}\s+(?:of\s+)?([a-z]{{3,9}})\.?(?:(?:\s*,\s*|\s+)([0-9]{{4}}))?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Clock:
    """Hour, minute and second as written, and the half of the day where one is said."""

    hour: int
    minute: int
    second: int
    half: str | None
    is_named: bool

    @property
    def of_day(self) -> tuple[int, int, int]:
        """The time on a clock of 24 hours; without a half of the day, as written."""
        hour = self.hour if self.half is None else self.hour % 12 + (12 if self.half == "pm" else 0)
        return hour, self.minute, self.second


def compare_times(left: str, right: str) -> Verdict | None:
    """Compare two times of day, days of the week or dates; None where neither or only one is such a thing."""
    for read, compare in ((_clock, _compare_clocks), (_weekday, _compare_plainly), (_date, _compare_dates)):
        ours, theirs = read(left), read(right)
        if ours is not None and theirs is not None:
            return compare(ours, theirs)  # type: ignore[arg-type]
    return None


def _clock(text: str) -> Clock | None:
    text = text.strip().lower()
    if text in _SPECIAL:
        noon, half_of_day = _SPECIAL[text]
        return Clock(noon, 0, 0, half_of_day, is_named=True)
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    half = _HALF.get(match[4][0]) if match[4] else None
    if minute > 59 or second > 59 or hour > (24 if half is None else 12) or (half and not hour):
        return None
    return Clock(hour, minute, second, half, is_named=bool(match[2] or match[4]))


def _compare_clocks(ours: Clock, theirs: Clock) -> Verdict | None:
    if not (ours.is_named or theirs.is_named):
        return None
    if ours.half and theirs.half:
        return Verdict.EQUAL if ours.of_day == theirs.of_day else Verdict.DIFFERENT
    alike = (ours.hour, ours.minute, ours.second) == (theirs.hour, theirs.minute, theirs.second)
    if ours.of_day == theirs.of_day or (alike and (ours.half or theirs.half)):
        # A half of the day on one side only is no difference; `3` against `3:00` may be a duration.
        return Verdict.EQUAL if (ours.is_named and theirs.is_named) or ours.half or theirs.half else Verdict.UNPARSED
    half_a_day = abs(ours.of_day[0] - theirs.of_day[0]) == 12 and ours.of_day[1:] == theirs.of_day[1:]
    if half_a_day or not (ours.is_named and theirs.is_named) or _same_ratio(ours, theirs):
        return Verdict.UNPARSED
    return Verdict.DIFFERENT


def _same_ratio(ours: Clock, theirs: Clock) -> bool:
    """Whether `10:20` and `20:40` are also the same ratio."""
    return not (ours.half or theirs.half) and ours.hour * theirs.minute == ours.minute * theirs.hour


def _weekday(text: str) -> int | None:
    word = text.strip().rstrip(".").lower()
    return next((n for n, day in enumerate(_DAYS) if word and len(word) > 2 and day.startswith(word)), None)


def _compare_plainly(ours: int, theirs: int) -> Verdict:
    return Verdict.EQUAL if ours == theirs else Verdict.DIFFERENT


def _date(text: str) -> tuple[int, int, int | None] | None:
    """Month, day and year."""
    text = text.strip().lower()
    if match := _DATE.fullmatch(text):
        month, day, year = match.groups()
    elif match := _DATE_BY_DAY.fullmatch(text):
        day, month, year = match.groups()
    else:
        return None
    number = next((n for n, name in enumerate(_MONTHS, start=1) if name.startswith(month)), None)
    return (number, int(day), int(year) if year else None) if number and 1 <= int(day) <= 31 else None


def _compare_dates(ours: tuple[int, int, int | None], theirs: tuple[int, int, int | None]) -> Verdict:
    if ours[:2] != theirs[:2] or (ours[2] and theirs[2] and ours[2] != theirs[2]):
        return Verdict.DIFFERENT
    return Verdict.EQUAL if ours[2] == theirs[2] else Verdict.UNPARSED
