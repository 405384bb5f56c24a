"""The panels of a row as its dataset's view declares them, each drawn into a width and cut where it gets long."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from generators.view import Chat, Learnt, Prose, Steps, Turns
from releases.picturing.canvas import Canvas
from releases.picturing.colours import Rgb, declared, kinds, tone, washed
from releases.picturing.elements import Row, measured, meter, notes_of, scale, small, spoken, words, written
from releases.picturing.flow import Run, Style
from releases.picturing.fonts import BOLD, CODE, PLAIN, SMALL, Font

MOST_STEPS = 8
STEP_LINES = 5
TEXT_LINES = 12
_SIDE = 226  # the width of a step's meter
_FLAG = Font(11.5, is_bold=True)

Drawn = tuple[str, str, Callable[[float, float, float], float]]  # title, aside, and what draws the panel at a place


def steps_panel(canvas: Canvas, panel: Steps, row: Row) -> Drawn:
    """A solution in steps, each in the colour of its value or label."""
    texts: Sequence[str] = row.get(panel.texts) or []
    first = row.get(panel.first_wrong) if panel.first_wrong else None
    found = "first error not sure" if first is None else "no error" if first < 0 else f"first error in step {first + 1}"

    def draw(x: float, y: float, width: float) -> float:
        for index, text in enumerate(texts[:MOST_STEPS]):
            y = _step(canvas, panel, row, index, text, (x, y, width)) + 3
        if len(texts) > MOST_STEPS:
            y = small(canvas, x, y + 4, f"… {len(texts) - MOST_STEPS} more steps", width)
        return scale(canvas, x, y + 6) if panel.values else y

    return "Solution in steps", found if panel.first_wrong else "", draw


def _step(canvas: Canvas, panel: Steps, row: Row, index: int, text: str, at: tuple[float, float, float]) -> float:
    x, y, width = at
    ink, dim, wrong, sheet = (declared()[name] for name in ("ink", "dim", "wrong", "sheet"))
    value = measured(panel.values, row, index)
    labels = row.get(panel.labels) if panel.labels else None
    label = labels[index] if labels is not None and index < len(labels) else None
    colour = tone(value.share if value else None if label is None else float(label))
    is_first = panel.first_wrong is not None and row.get(panel.first_wrong) == index
    canvas.write(x + 16, y + 8, str(index + 1), PLAIN, dim)
    if labels is not None:
        canvas.write(x + 32, y + 8, "?" if label is None else "✓" if label else "✗", BOLD, ink)
    side = _SIDE if value else 0
    flag = _FLAG.width("first error") + 22 if is_first else 0
    room = width - 58 - side - flag - 22
    bottom = written(canvas, x + 58, y + 7, room, [Run(text, Style(colour=ink))], font=CODE, most=STEP_LINES)
    if is_first:
        left = x + width - side - flag - 10
        canvas.box(left, y + 7, flag - 8, 19, face=wrong, radius=4, order=2)
        canvas.write(left + 7, y + 9.5, "first error", _FLAG, sheet)
    if value:
        notes = notes_of(panel.notes, row, index)
        bottom = max(bottom, meter(canvas, x + width - side - 8, y + 6, side, value, notes))
    bottom += 6
    canvas.box(x, y, width, bottom - y, face=washed(colour, 0.11), order=1)
    canvas.box(x, y, 6, bottom - y, face=colour, order=2)
    if is_first:
        canvas.box(x, y, width, bottom - y, edge=wrong, line=2, order=3)
    return bottom


def turns_panel(canvas: Canvas, panel: Turns, row: Row) -> Drawn:
    """Attempts and what stands between them, with masked stretches struck."""
    parts: Sequence[str] = row.get(panel.parts) or []
    between: Sequence[str] = row.get(panel.between) or []
    marks = _marks(panel.masked, row)
    note = "struck: masked, so that no model learns it" if marks else "nothing is masked"

    def draw(x: float, y: float, width: float) -> float:
        offset = 0
        for place, part in enumerate(parts):
            here = [(start - offset, end - offset, kind) for start, end, kind in marks]
            y = _attempt(canvas, panel, row, place, _marked(part, here), (x, y, width)) + 9
            trigger = between[place] if place < len(between) else ""
            offset += len(part) + len(trigger)
            if trigger:
                y = _trigger(canvas, trigger.strip(), x + 24, y, width - 24) + 9
        return y - 9

    return "Response", note, draw


def _attempt(
    canvas: Canvas, panel: Turns, row: Row, place: int, runs: Sequence[Run], at: tuple[float, float, float]
) -> float:
    x, y, width = at
    dim = declared()["dim"]
    left = canvas.write(x + 14, y + 8, f"attempt {place + 1}", Font(12, is_bold=True), dim) + 10
    if panel.verdicts:
        text, colour, ground = spoken(row[panel.verdicts][place], dim)
        if ground:
            canvas.box(left - 4, y + 7, Font(11.5, is_bold=True).width(text) + 8, 17, face=ground, radius=3)
        left = canvas.write(left, y + 8.5, text, Font(11.5, is_bold=True), colour) + 12
    answer = row[panel.answers][place] if panel.answers else None
    if answer is not None:
        small(canvas, left, y + 6.5, f"answer {answer}", x + width - left - 14)
    bottom = written(canvas, x + 14, y + 28, width - 28, runs, font=CODE, most=TEXT_LINES) + 8
    canvas.box(x, y, width, bottom - y, edge=declared()["line"], radius=7)
    return bottom


def _trigger(canvas: Canvas, text: str, x: float, y: float, width: float) -> float:
    ink, accent, soft = (declared()[name] for name in ("ink", "accent", "soft"))
    canvas.write(x + 16, y + 7, "trigger", Font(12, is_bold=True), accent)
    font = Font(13, is_mono=True, is_italic=True)
    bottom = written(canvas, x + 16, y + 23, width - 30, [Run(text, Style(colour=ink))], font=font, most=5) + 7
    canvas.box(x, y, width, bottom - y, face=soft, radius=6)
    canvas.box(x, y, 4, bottom - y, face=accent, order=2)
    return bottom


def prose_panel(canvas: Canvas, panel: Prose, row: Row) -> Drawn:
    """A text with its highlighted stretches; the key names their kinds."""
    text = row.get(panel.text)
    marks = _marks(panel.spans, row)
    if isinstance(text, list):
        return chat_panel(canvas, Chat(messages=panel.text), row)
    known = sorted({kind for _, _, kind in marks if kind})

    def draw(x: float, y: float, width: float) -> float:
        left = x
        for kind in known:
            label = f"{words(kind)} {sum(one == kind for _, _, one in marks)}"
            ground = washed(_colour(kind, known), 0.26)
            canvas.box(left, y, SMALL.width(label) + 16, 18, face=ground, radius=4)
            left = canvas.write(left + 8, y + 2, label, SMALL, declared()["ink"]) + 16
        return written(
            canvas, x, y + (26 if known else 0), width, _marked(text or "", marks, known), font=CODE, most=TEXT_LINES
        )

    return words(panel.text).capitalize(), "", draw


def chat_panel(canvas: Canvas, panel: Chat, row: Row) -> Drawn:
    """Messages with their roles."""

    def draw(x: float, y: float, width: float) -> float:
        for message in (row.get(panel.messages) or [])[:6]:
            canvas.write(x, y + 1, str(message.get("role") or ""), Font(12, is_bold=True), declared()["accent"])
            text = Run(str(message.get("content") or ""), Style(colour=declared()["ink"]))
            y = written(canvas, x, y + 17, width, [text], font=CODE, most=8) + 8
        return y - 8

    return "Chat" if panel.messages == "messages" else words(panel.messages).capitalize(), "", draw


def learnt_panel(canvas: Canvas, panel: Learnt, row: Row) -> Drawn:
    """Tokens; those that are not learnt after the first learnt one are struck."""
    pieces, learnt = row.get(panel.ids) or [], row.get(panel.labels) or []
    first = learnt.index(True) if True in learnt else len(learnt)
    ink, dim, wrong = (declared()[name] for name in ("ink", "dim", "wrong"))
    styles = [
        Style(colour=ink) if is_learnt else Style(colour=dim) if place < first else _struck(wrong)
        for place, is_learnt in enumerate(learnt)
    ]
    texts = [one if isinstance(one, str) else f"{one} " for one in pieces]
    runs = [Run(text, style) for text, style in zip(texts, styles, strict=True)]

    def draw(x: float, y: float, width: float) -> float:
        return written(canvas, x, y, width, runs, font=CODE, most=TEXT_LINES)

    return "Tokens to learn", f"{sum(learnt)} of {len(learnt)} are learnt", draw


def _struck(wrong: Rgb) -> Style:
    return Style(colour=wrong, ground=washed(wrong, 0.12), strike=wrong)


def _colour(kind: str, known: Sequence[str]) -> Rgb:
    return kinds()[known.index(kind) % len(kinds())]


def _marks(spans: Any, row: Row) -> list[tuple[int, int, str | None]]:
    if spans is None:
        return []
    starts, ends = row.get(spans.starts) or [], row.get(spans.ends) or []
    names = row.get(spans.kinds) if spans.kinds else None
    return list(zip(starts, ends, names or [None] * len(starts), strict=True))


def _marked(text: str, marks: Sequence[tuple[int, int, str | None]], known: Sequence[str] = ()) -> list[Run]:
    """A text in runs: stretches of a kind in its colour, those without one struck."""
    edges = sorted({0, len(text), *(min(max(0, edge), len(text)) for mark in marks for edge in mark[:2])})
    runs = []
    for start, end in pairwise(edges):
        mark = next((one for one in marks if one[0] <= start and one[1] >= end), None)
        ink, wrong = declared()["ink"], declared()["wrong"]
        style = Style(colour=ink)
        if mark is not None and mark[2]:
            colour = _colour(mark[2], known)
            style = Style(colour=ink, ground=washed(colour, 0.26), underline=colour)
        elif mark is not None:
            style = _struck(wrong)
        runs.append(Run(text[start:end], style))
    return runs
