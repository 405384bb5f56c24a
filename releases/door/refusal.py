"""The refusal of a release: one sentence with the file, the field, the bound, the value and the remedy."""

from releases.door.text import quoted
from releases.errors import RefusedRelease

MORE = "more"
REMEDY = "do not use this version, or ask its publisher for a sound one"


def refused(where: object, field: str, bound: str, value: object = None, *, remedy: str = REMEDY) -> RefusedRelease:
    """The error: `field` of the file `where` is `value`, and `bound` says what it may be; MORE is more than it says."""
    said = field if value is None else f"{field} is {MORE if value == MORE else quoted(value)}"
    return RefusedRelease(f"{_place(where)}: {said}; {bound}: {remedy}")


def _place(where: object) -> str:
    text = str(where)
    return text if text.isprintable() else quoted(text)
