r"""Sets of real numbers with exact bounds: unions and intersections of intervals, and points taken out.

`[0,1] \cup [1,2]` is `[0,2]`. A bound with a root or a letter in it makes no region here.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from filters.answers.kinds.calls import exact_value
from filters.answers.kinds.containers import split
from filters.answers.kinds.tolerances import number_near

Bound = Fraction | float  # a float is one of the infinities
_INTERVAL = re.compile(r"([(\[])(.*)([)\]])", re.DOTALL)
_POINTS = re.compile(r"\\\{(.*)\\\}", re.DOTALL)
_NEAR = 1e-6
_INFINITE = {r"\infty": float("inf"), r"+\infty": float("inf"), r"-\infty": float("-inf")}
MAX_PIECES = 32


class Piece(NamedTuple):
    """An interval with its bounds and whether they belong to it."""

    low: Bound
    has_low: bool
    high: Bound
    has_high: bool


Region = tuple[Piece, ...]
LINE: Region = (Piece(float("-inf"), False, float("inf"), False),)


def read_region(text: str) -> Region | None:
    r"""Read `A \cup B`, `A \cap B`, `A \setminus \{1\}`, an interval or a set of numbers; None for any other text."""
    if len(parts := split(text, r"\cup")) > 1:
        regions = [read_region(part) for part in parts[:MAX_PIECES]]
        known = [region for region in regions if region is not None]
        return _union(known) if len(known) == len(parts) else None
    if len(parts := split(text, r"\cap")) > 1:
        return _combined(parts, _intersection)
    if len(parts := split(text.replace(r"\backslash", r"\setminus"), r"\setminus")) == 2:
        return _combined(parts, lambda one, other: _intersection(one, _complement(other)))
    return _interval(text) or _points(text)


def have_same_integers(left: str, right: str) -> bool:
    """Whether two unlike regions whose bounds are whole numbers have the same whole numbers in them."""
    ours, theirs = read_region(left), read_region(right)
    if ours is None or theirs is None or ours == theirs:
        return False
    bounds = [bound for piece in (*ours, *theirs) for bound in (piece.low, piece.high) if isinstance(bound, Fraction)]
    return all(bound.denominator == 1 for bound in bounds) and _closed(ours) == _closed(theirs)


def are_unlike(left: str, right: str) -> bool:
    r"""Whether two unions of intervals, with bounds such as `\sqrt{2}`, certainly have other bounds."""
    ours, theirs = _measured(left), _measured(right)
    if ours is None or theirs is None:
        return False
    if len(ours) != len(theirs):
        return True
    pairs = [pair for one, other in zip(ours, theirs, strict=True) for pair in ((one[0], other[0]), (one[2], other[2]))]
    return any(one != other and abs(one - other) > _NEAR for one, other in pairs)


def _measured(text: str) -> list[tuple[float, bool, float, bool]] | None:
    """The intervals by their bounds in double precision; None where two may touch, or for any other text."""
    pieces = []
    for part in split(text, r"\cup")[:MAX_PIECES]:
        match = _INTERVAL.fullmatch(part)
        bounds = [_size(bound) for bound in split(match[2], ",")] if match else []
        if match is None or len(bounds) != 2 or bounds[0] is None or bounds[1] is None:
            return None
        pieces.append((bounds[0], match[1] == "[", bounds[1], match[3] == "]"))
    pieces.sort()
    ends = [end for low, _, high, _ in pieces for end in (low, high)]
    is_apart = all(after - before > _NEAR for before, after in pairwise(ends))
    return pieces if is_apart else None


def _size(text: str) -> float | None:
    infinite = _INFINITE.get("".join(text.split()))
    value = complex(infinite) if infinite is not None else number_near(text)
    return None if value is None or value.imag else value.real


def _closed(region: Region) -> Region:
    """The region of whole numbers, with the bounds that belong to it."""
    pieces = [
        Piece(
            piece.low if piece.has_low else piece.low + 1, True, piece.high if piece.has_high else piece.high - 1, True
        )
        for piece in region
    ]
    return tuple(piece for piece in pieces if piece.low <= piece.high)


def _combined(parts: list[str], combine: Callable[[Region, Region], Region]) -> Region | None:
    region = read_region(parts[0])
    for part in parts[1:MAX_PIECES]:
        other = read_region(part)
        if region is None or other is None:
            return None
        region = combine(region, other)
    return region if len(parts) <= MAX_PIECES else None


def _interval(text: str) -> Region | None:
    if text.strip() == r"\mathbb{R}":
        return LINE
    match = _INTERVAL.fullmatch(text.strip())
    bounds = split(match[2], ",") if match else []
    if match is None or len(bounds) != 2:
        return None
    low, high = (_bound(bound) for bound in bounds)
    if low is None or high is None or low >= high:
        return None
    return (Piece(low, match[1] == "[" and low != float("-inf"), high, match[3] == "]" and high != float("inf")),)


def _points(text: str) -> Region | None:
    match = _POINTS.fullmatch(text.strip())
    values = [exact_value(item) for item in split(match[1], ",")] if match else [None]
    known = [value for value in values if value is not None]
    return _union([(Piece(value, True, value, True),) for value in known]) if len(known) == len(values) else None


def _bound(text: str) -> Bound | None:
    return _INFINITE.get("".join(text.split())) or exact_value(text)


def _union(regions: list[Region]) -> Region:
    """The pieces in order, with those that touch joined."""
    pieces = sorted((piece for region in regions for piece in region), key=lambda p: (p.low, not p.has_low))
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and (piece.low < last.high or (piece.low == last.high and (piece.has_low or last.has_high))):
            high, has_high = max((last.high, last.has_high), (piece.high, piece.has_high))
            joined[-1] = last._replace(high=high, has_high=has_high)
        else:
            joined.append(piece)
    return tuple(joined)


def _intersection(one: Region, other: Region) -> Region:
    pieces: list[Region] = []
    for ours in one:
        for theirs in other:
            low, lacks_low = max((ours.low, not ours.has_low), (theirs.low, not theirs.has_low))
            high, has_high = min((ours.high, ours.has_high), (theirs.high, theirs.has_high))
            if low < high or (low == high and not lacks_low and has_high):
                pieces.append((Piece(low, not lacks_low, high, has_high),))
    return _union(pieces)


def _complement(region: Region) -> Region:
    pieces: list[Piece] = []
    low, has_low = LINE[0].low, False
    for piece in region:
        if low < piece.low or (low == piece.low and has_low and not piece.has_low):
            pieces.append(Piece(low, has_low, piece.low, not piece.has_low and piece.low != float("-inf")))
        low, has_low = piece.high, not piece.has_high
    if low < LINE[0].high:
        pieces.append(Piece(low, has_low, LINE[0].high, False))
    return tuple(pieces)
