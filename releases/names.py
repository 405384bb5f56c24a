"""Parts of error messages that name what there is instead of an unknown name."""

from collections.abc import Collection
from difflib import get_close_matches

_LEAST_SIMILARITY = 0.7  # at difflib's own 0.6, `columns` would be close to `rounds`


def did_you_mean(name: str, known: Collection[str]) -> str:
    """`; did you mean X?` with the known name closest to `name`, or an empty string if none is close."""
    nearest = get_close_matches(name, known, n=1, cutoff=_LEAST_SIMILARITY)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def instead(name: str, known: Collection[str], *, plural: str) -> str:
    """`there are a, b`, or `there are no <plural>`, and the known name closest to `name`."""
    return f"there are {', '.join(known) or f'no {plural}'}{did_you_mean(name, known)}"
