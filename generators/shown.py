"""What a stage shows about its rows: counts, figures, pictures, sample rows.

`dagster_project.report` draws them. A number or a text needs no type of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

SAMPLES = 3  # rows that are shown


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each kind."""

    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures by name; one without a value is left blank."""

    values: Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class Records:
    """All rows of a small frame."""

    frame: pl.DataFrame


@dataclass(frozen=True, slots=True)
class SampleRows:
    """A few rows of a frame, in these columns."""

    frame: pl.DataFrame
    columns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How values are spread between `bounds`; `x` and `y` are the labels of the axes."""

    values: Sequence[float]
    title: str
    x: str
    y: str
    bounds: tuple[float, float] = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One bar for each count."""

    counts: Mapping[str, int]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """One line for each series; `x` and `y` are the labels of the axes."""

    series: Mapping[str, Sequence[float]]
    title: str
    x: str
    y: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Svg:
    """A picture that the stage drew itself."""

    title: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """A path that a person can open."""

    path: str


Shown = str | int | float | Counts | Facts | Records | SampleRows | Histogram | Bars | Curves | Svg | Folder


def lengths(values: Sequence[int], *, title: str, x: str, y: str) -> Histogram:
    """A histogram of lengths, from 0 to the longest."""
    return Histogram(values=values, title=title, x=x, y=y, bounds=(0, max(1, *values, 0)))
