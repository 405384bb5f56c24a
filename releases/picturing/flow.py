"""Text with styles, broken into lines of a width and cut after some of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from releases.picturing.canvas import Canvas
from releases.picturing.colours import Rgb
from releases.picturing.fonts import Font

LINE_HEIGHT = 1.5
CUT = "…"
_LONGEST = 6000  # characters that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a stretch of text is drawn."""

    colour: Rgb
    ground: Rgb | None = None
    strike: Rgb | None = None
    underline: Rgb | None = None
    frame: Rgb | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style."""

    text: str
    style: Style


def broken(runs: Iterable[Run], font: Font, width: float, most: int) -> list[list[Run]]:
    """The lines of a text, after `most` of them cut with an ellipsis."""
    lines: list[list[tuple[str, int]]] = []
    known = list(runs)
    marked = [(one, number) for number, run in enumerate(known) for one in run.text][:_LONGEST]
    paragraphs = _paragraphs(marked)
    while paragraphs and not paragraphs[-1]:
        paragraphs.pop()
    for paragraph in paragraphs:
        lines += _wrapped([(seen, number) for one, number in paragraph for seen in font.seen(one)], font, width)
        if len(lines) > most:
            break
    if len(lines) > most:
        lines = lines[:most]
        while lines[-1] and font.width("".join(one for one, _ in lines[-1]) + CUT) > width:
            lines[-1].pop()
        lines[-1].append((CUT, lines[-1][-1][1] if lines[-1] else 0))
    return [_joined(line, known) for line in lines]


def draw_lines(canvas: Canvas, x: float, y: float, lines: Sequence[Sequence[Run]], font: Font) -> float:
    """Draw lines below each other; returns where the next thing may stand."""
    height = LINE_HEIGHT * font.px
    for line in lines:
        left = x
        for run in line:
            left = _draw(canvas, left, y, run, font, height)
        y += height
    return y


def _draw(canvas: Canvas, x: float, y: float, run: Run, font: Font, height: float) -> float:
    style, top = run.style, y + (height - 1.2 * font.px) / 2
    end = x + font.width(run.text)
    if style.ground:
        canvas.box(x, y + 1, end - x - 0.7, height - 2, face=style.ground, order=2)
    if style.frame:
        canvas.box(x, y + 1, end - x, height - 2, edge=style.frame, line=2, radius=2, order=2)
    canvas.write(x, top, run.text, font, style.colour)
    if style.strike:
        canvas.line((x, y + height * 0.54), (end, y + height * 0.54), style.strike, 1.5)
    if style.underline:
        canvas.line((x, y + height - 1.5), (end, y + height - 1.5), style.underline, 1.5)
    return end


def _paragraphs(marked: Sequence[tuple[str, int]]) -> list[list[tuple[str, int]]]:
    paragraphs: list[list[tuple[str, int]]] = [[]]
    for one, number in marked:
        if one == "\n":
            paragraphs.append([])
        elif one == "\t":
            paragraphs[-1] += [(" ", number)] * 4
        elif one != "\r":
            paragraphs[-1].append((one, number))
    return paragraphs


def _wrapped(line: list[tuple[str, int]], font: Font, width: float) -> list[list[tuple[str, int]]]:
    """A paragraph in lines, broken at the last space that fits, or within a word that does not fit at all."""
    lines: list[list[tuple[str, int]]] = []
    start, space, used, place = 0, -1, 0.0, 0
    while place < len(line):
        used += font.width(line[place][0])
        if line[place][0] == " ":
            space = place
        if used > width and place > start:
            end = space + 1 if space > start else place
            lines.append(line[start:end])
            start = place = end
            space, used = -1, 0.0
        else:
            place += 1
    return [*lines, line[start:]]


def _joined(line: Sequence[tuple[str, int]], runs: Sequence[Run]) -> list[Run]:
    joined: list[Run] = []
    last = -1
    for one, number in line:
        if number == last:
            joined[-1] = replace(joined[-1], text=joined[-1].text + one)
        else:
            joined.append(Run(one, runs[number].style))
        last = number
    return joined
