"""The parts of panels: meters of a value with its interval, chips, verdicts, the scale of the colours."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from filters.answers.verdicts import Verdict
from generators.view import Counts, Interval
from releases.picturing.canvas import Canvas
from releases.picturing.colours import Rgb, declared, tone, washed
from releases.picturing.flow import Run, Style, broken, draw_lines
from releases.picturing.fonts import BOLD, CODE_SMALL, SMALL, Font

Row = Mapping[str, Any]
_STRONG = Font(11.5, is_bold=True)
_CHIP = 40  # characters of a value in a chip
_STRETCHES = 40  # of the scale of colours


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A value with its interval and counts, as far as they are known."""

    share: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    n_right: int | None = None

    @property
    def counts(self) -> str:
        """The counts in words, and the interval."""
        known = [] if self.n is None else [f"{self.n_right} of {self.n} right" if self.n else "no rollouts"]
        if self.low is not None and self.high is not None:
            known.append(f"{self.low:.2f} – {self.high:.2f}")
        return " · ".join(known)


def measured(declared_as: Counts | Interval | None, row: Row, index: int = 0) -> Measured | None:
    """What was measured of a row, or of the item `index` of its lists; None if nothing is declared or known."""
    if declared_as is None:
        return None

    def at(name: str | None) -> Any:
        value = row.get(name) if name else None
        return (value[index] if index < len(value) else None) if isinstance(value, list) else value

    n, right = (at(declared_as.n), at(declared_as.n_right)) if isinstance(declared_as, Counts) else (None, None)
    share, low, high = at(declared_as.share), at(declared_as.low), at(declared_as.high)
    if share is None and n:
        share = right / n
    return Measured(share=share, low=low, high=high, n=n, n_right=right) if share is not None or n is not None else None


def meter(canvas: Canvas, x: float, y: float, width: float, value: Measured, notes: str = "") -> float:
    """A value as a figure and on a line from 0 to 1, with its interval, its counts and notes below."""
    ink, sheet = declared()["ink"], declared()["sheet"]
    colour, left, middle = tone(value.share), x + 42, y + 10
    canvas.write(x, y + 2, "–" if value.share is None else f"{value.share:.2f}", BOLD, ink)
    span = width - 42 - 6
    canvas.line((left, middle), (left + span, middle), washed(ink, 0.18), 1.5)
    if value.low is not None and value.high is not None:
        low, high = (left + span * min(1.0, max(0.0, edge)) for edge in (value.low, value.high))
        canvas.line((low, middle), (max(high, low + 3), middle), washed(colour, 0.6), 6)
    if value.share is not None:
        canvas.dot(left + span * min(1.0, max(0.0, value.share)), middle, 5.5, colour, sheet)
    y += 20
    for text in filter(None, (value.counts, notes)):
        y = small(canvas, left, y, text, span + 6, most=2)
    return y


def small(canvas: Canvas, x: float, y: float, text: str, width: float, *, most: int = 1) -> float:
    """A dim note, cut where it does not fit."""
    return draw_lines(canvas, x, y, broken([Run(text, Style(colour=declared()["dim"]))], SMALL, width, most), SMALL)


def written(canvas: Canvas, x: float, y: float, width: float, runs: Sequence[Run], *, font: Font, most: int) -> float:
    """A text in styles, cut after some lines."""
    return draw_lines(canvas, x, y, broken(runs, font, width, most), font)


def chip(canvas: Canvas, x: float, y: float, name: str, value: object, *, is_gold: bool = False) -> float:
    """A short value with its name; returns its right end."""
    dim, ink, line, gold = (declared()[key] for key in ("dim", "ink", "line", "right"))
    font, text, colour, ground = CODE_SMALL, brief(value), gold if is_gold else ink, None
    if name == "verdict":
        font, (text, colour, ground) = _STRONG, spoken(value, ink)
    left = canvas.write(x + 10, y + 4, name, Font(12), dim) + (10 if ground else 7)
    right = canvas.write(left, y + 4.5, text, font, colour)
    if ground:
        canvas.box(left - 5, y + 3.5, right - left + 10, 16, face=ground, radius=3, order=2)
    canvas.box(x, y, right + 10 - x, 23, edge=gold if is_gold else line, radius=11)
    return right + 10


def chip_width(name: str, value: object) -> float:
    """How wide a chip gets at most."""
    return 44 + Font(12).width(name) + CODE_SMALL.width(CODE_SMALL.seen(brief(value)))


def spoken(verdict: object, unsure: Rgb) -> tuple[str, Rgb, Rgb | None]:
    """A verdict in words, with its colour and ground."""
    if verdict in (Verdict.EQUAL, Verdict.DIFFERENT):
        is_right = verdict == Verdict.EQUAL
        colour = declared()["right" if is_right else "wrong"]
        return f"{'right' if is_right else 'wrong'} answer", colour, washed(colour, 0.14)
    return words(str(verdict)), unsure, None


def scale(canvas: Canvas, x: float, y: float) -> float:
    """The colours from 0 to 1, and what they stand for."""
    left, width = canvas.write(x, y + 3, "0", SMALL, declared()["dim"]) + 7, 110 / _STRETCHES
    for number in range(_STRETCHES):
        colour = tone((number + 0.5) / _STRETCHES)
        canvas.box(left + number * width, y + 6, width + 0.4, 8, face=colour)
    text = "1   value: the share of rollouts from there that end right; the bar is its 95 % interval"
    return small(canvas, left + 117, y + 1, text, 560)


def words(name: str) -> str:
    """A name as it is read."""
    return name.replace("_", " ")


def brief(value: object, longest: int = _CHIP) -> str:
    """A short value in one line."""
    if isinstance(value, float):
        return f"{value:.3g}"
    text = " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def notes_of(names: Sequence[str], row: Row, index: int = 0, prefix: str = "") -> str:
    """Short values in words, a text without its column's name; a count of nothing is left out."""
    shown = []
    for name in names:
        value = row.get(name)
        item = (value[index] if index < len(value) else None) if isinstance(value, list) else value
        if item is None or (item == 0 and name.startswith("n_")):
            continue
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            figure = f"{item:.2f}" if isinstance(item, float) and not item.is_integer() else f"{item:.0f}"
            shown.append(f"{words(name.removeprefix(prefix).removeprefix('n_'))} {figure}")
        else:
            shown.append(words(brief(item)))
    return " · ".join(shown)
