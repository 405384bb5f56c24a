"""Which row is pictured: the first that shows most of what its view can show, and is neither long nor empty."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from generators.view import Pair, Panel, Prose, Steps, Turns
from releases.picturing.elements import Row, measured
from releases.picturing.fonts import CODE
from releases.picturing.panels import MOST_STEPS
from releases.viewing.shown import PROBLEM_TEXTS

LOOKED_AT = 400  # rows; what is instructive is found early, and a release of any size is drawn in the same time
LEAST, MOST = 60, 900  # characters of a row of moderate length
_KINDS = 3  # more kinds of highlights than these make a row no better


def chosen(rows: pl.DataFrame, panels: Sequence[Panel], facts: Sequence[str]) -> int:
    """The number of the row to picture; `rows` must not be empty."""
    texts = [*PROBLEM_TEXTS, *(name for panel in panels for name in panel.columns())]
    names = [name for name in dict.fromkeys((*texts, *facts)) if name in rows.columns]
    looked_at = rows.select(names).head(LOOKED_AT)

    def rank(number_and_row: tuple[int, Row]) -> tuple[bool, bool, int, int, int]:
        number, row = number_and_row
        written = list(_texts(row[name] for name in names if name in texts))
        length = sum(map(len, written))
        signs = sum(_signs(panel, row) for panel in panels) + sum(row[name] is not None for name in facts)
        too_long = max(0, length - MOST)
        return (
            any(map(CODE.lacks, written)),
            too_long > 0 or _has_many_steps(panels, row),
            -signs,
            max(too_long, LEAST - length, 0),
            number,
        )

    return min(enumerate(looked_at.iter_rows(named=True)), key=rank)[0]


def _texts(values: Iterator[Any] | list[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _texts(list(value.values()))
        elif isinstance(value, list):
            yield from _texts([item for item in value if not isinstance(item, (int, float))])


def _has_many_steps(panels: Sequence[Panel], row: Row) -> bool:
    return any(isinstance(panel, Steps) and len(row[panel.texts] or []) > MOST_STEPS for panel in panels)


def _signs(panel: Panel, row: Row) -> int:
    """How many of the things that a panel can show are there to be seen."""
    match panel:
        case Steps():
            return _signs_of_steps(panel, row)
        case Pair():
            return _signs_of_pair(panel, row)
        case Turns():
            return int(len(row[panel.parts] or []) > 1) + int(bool(panel.masked and row[panel.masked.starts]))
        case Prose() if panel.spans:
            return min(_KINDS, len(set(row[panel.spans.kinds or panel.spans.starts] or [])))
        case _:
            return 0


def _signs_of_steps(panel: Steps, row: Row) -> int:
    texts = row[panel.texts] or []
    if panel.labels:
        labels = [label for label in row[panel.labels] or [] if label is not None]
    else:
        values = [measured(panel.values, row, index) for index in range(len(texts))]
        labels = [value.share >= 0.5 for value in values if value is not None and value.share is not None]
    first = row[panel.first_wrong] if panel.first_wrong else None
    return len(set(labels)) + int(first is not None and first >= 1) + int(len(texts) >= 3)


def _signs_of_pair(panel: Pair, row: Row) -> int:
    signs = int(bool(panel.before and row[panel.before]))
    for side in (panel.chosen, panel.rejected):
        if side.tokens is not None:
            tested = side.tokens.tested
            signs += len(set(row[side.tokens.weights] or [])) > 1
            signs += bool(tested and any(row[tested.confirmed] or []))
        signs += bool(side.whole and row[side.whole] != row[side.text])
        signs += row[side.text] is not None
    return signs
