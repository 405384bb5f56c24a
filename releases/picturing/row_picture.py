"""Draws one row of a dataset as `stepmill view` shows it: the problem, and the panels that the dataset declares."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from filters.schema import Column
from generators.dataset import Dataset
from generators.view import Chat, Learnt, Pair, Panel, Prose, Steps, Turns
from releases.figures import DrawnPicture
from releases.picturing.canvas import WIDTH, Canvas
from releases.picturing.choice import chosen
from releases.picturing.colours import declared
from releases.picturing.elements import Row, brief, chip, chip_width, small, words, written
from releases.picturing.flow import Run, Style
from releases.picturing.fonts import BOLD, CODE_SMALL, PROMPT, SMALL, UNKNOWN
from releases.picturing.pairs import pair_panel
from releases.picturing.panels import Drawn, chat_panel, learnt_panel, prose_panel, steps_panel, turns_panel
from releases.viewing.cells import cells
from releases.viewing.shown import PROBLEM_TEXTS, drawn_columns, facts_of, panels_of, show_values
from releases.viewing.tokens import Tokenizers, tokenizers

NAME = "one_row.png"
CAPTION = "One row of this release as `stepmill view` shows it"
_MARGIN, _INSET = 16.0, 20.0
_LEFT, _INNER = _MARGIN + _INSET, WIDTH - 2 * (_MARGIN + _INSET)


def row_picture(
    dataset: Dataset[Any],
    rows: pl.DataFrame,
    columns: Mapping[str, Column],
    *,
    policy: str,
    texts_of: Tokenizers | None = None,
) -> DrawnPicture:
    """The picture of the most instructive short row; `rows` are rows of the main config and must not be empty."""
    panels = panels_of(dataset, frozenset(columns))
    facts = facts_of(dataset, columns, drawn_columns(panels))
    one = rows[chosen(rows, panels, facts)]
    values = {name: cells(one[name]) for name in columns}
    show_values(values, panels, texts_of or tokenizers(), policy)
    row = {name: column[0] for name, column in values.items()}
    canvas = Canvas(ground=declared()["page"])
    bottom = _problem(canvas, row, facts)
    for panel in panels:
        if _has_content(panel, row):
            bottom = _panel(canvas, _drawn(canvas, panel, row), bottom + 12)
    if not panels:
        others = [
            name for name, column in columns.items() if name not in (*PROBLEM_TEXTS, *facts) and not column.tokenwise
        ]
        bottom = _panel(canvas, _columns(canvas, row, others), bottom + 12)
    if canvas.lacked_a_glyph:
        bottom = small(
            canvas, _MARGIN, bottom + 4, f"{UNKNOWN} stands for a character that the picture's font lacks", WIDTH
        )
    return DrawnPicture(name=NAME, caption=CAPTION, png=canvas.png(bottom + _MARGIN))


def _problem(canvas: Canvas, row: Row, facts: Sequence[str]) -> float:
    ink = declared()["ink"]
    prompt, answer = (row.get(name) for name in PROBLEM_TEXTS)
    y = _MARGIN + 12
    if prompt is not None:
        text = prompt if isinstance(prompt, str) else "\n".join(str(one.get("content") or "") for one in prompt)
        y = written(canvas, _LEFT, y, _INNER, [Run(text, Style(colour=ink))], font=PROMPT, most=6) + 8
    chips = [("gold answer", answer)] if answer is not None else []
    x = _LEFT
    for name, value in [*chips, *((words(fact), row[fact]) for fact in facts if row[fact] is not None)]:
        if x > _LEFT and x + chip_width(name, value) > _LEFT + _INNER:
            x, y = _LEFT, y + 30
        x = chip(canvas, x, y, name, value, is_gold=name == "gold answer") + 7
    return _framed(canvas, _MARGIN, y + 23 + 14)


def _panel(canvas: Canvas, drawn: Drawn, top: float) -> float:
    title, aside, draw = drawn
    canvas.write(_LEFT, top + 14, title, BOLD, declared()["ink"])
    if aside:
        canvas.write(_LEFT + _INNER - SMALL.width(aside), top + 15, aside, SMALL, declared()["dim"])
    return _framed(canvas, top, draw(_LEFT, top + 42, _INNER) + 15)


def _framed(canvas: Canvas, top: float, bottom: float) -> float:
    sheet, line = declared()["sheet"], declared()["line"]
    canvas.box(_MARGIN, top, WIDTH - 2 * _MARGIN, bottom - top, face=sheet, edge=line, radius=10, order=0)
    return bottom


def _drawn(canvas: Canvas, panel: Panel, row: Row) -> Drawn:
    match panel:
        case Steps():
            return steps_panel(canvas, panel, row)
        case Pair():
            return pair_panel(canvas, panel, row)
        case Turns():
            return turns_panel(canvas, panel, row)
        case Prose():
            return prose_panel(canvas, panel, row)
        case Chat():
            return chat_panel(canvas, panel, row)
        case Learnt():
            return learnt_panel(canvas, panel, row)


def _has_content(panel: Panel, row: Row) -> bool:
    """Whether a row has what a panel draws: it may lack a part, as a trace without a pair does."""
    match panel:
        case Pair():
            return row[panel.chosen.text] is not None or row[panel.rejected.text] is not None
        case Prose():
            return bool(row[panel.text])
        case _:
            return True


def _columns(canvas: Canvas, row: Row, names: Sequence[str]) -> Drawn:
    """The columns as they are, of a dataset without a view."""

    def draw(x: float, y: float, width: float) -> float:
        for name in names:
            if row[name] is not None and row[name] != []:
                canvas.write(x, y, name, SMALL, declared()["dim"])
                canvas.write(x + 190, y, brief(row[name], 70), CODE_SMALL, declared()["ink"])
                y += 20
        return y

    return "Other columns", "", draw
