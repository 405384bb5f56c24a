"""The refusal of a release: one sentence with the file, the field, the bound, the value and the remedy."""

from releases.door.text import quoted
from releases.errors import RefusedRelease

REMEDY = "do not use this version, or ask its publisher for a sound one"


def refused(where: object, field: str, bound: str, value: object = None, *, remedy: str = REMEDY) -> RefusedRelease:
    """The error: `field` of the file `where` has a `value` that is none, as `bound` says what it may be."""
    said = f"{field} is {quoted(value)}" if value is not None else field
    return RefusedRelease(f"{_place(where)}: {said}; {bound}: {remedy}")


def _place(where: object) -> str:
    text = str(where)
    return text if text.isprintable() else quoted(text)
