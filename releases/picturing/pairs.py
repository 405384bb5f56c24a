"""The panel of a pair: both sides next to each other, in texts or in tokens shaded by weight, and the tested tokens."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from generators.view import Pair, Side, Tokens
from releases.picturing.canvas import Canvas
from releases.picturing.colours import Rgb, declared, washed
from releases.picturing.elements import Row, measured, meter, notes_of, scale, small, written
from releases.picturing.flow import Run, Style
from releases.picturing.fonts import CODE, SMALL, Font
from releases.picturing.panels import TEXT_LINES, Drawn

_MOST_TESTED = 4
_COLUMNS = (("", 0.0), ("token", 24.0), ("nominated by", 124.0), ("rollouts with it", 226.0),
            ("with another token", 426.0), ("critical", 630.0))  # fmt: skip
_NUMBERS = "¹²³⁴⁵⁶⁷⁸⁹"


def pair_panel(canvas: Canvas, panel: Pair, row: Row) -> Drawn:
    """Both sides, after the text before them."""
    sides = ((panel.chosen, "chosen", declared()["right"]), (panel.rejected, "rejected", declared()["wrong"]))
    margin = measured(panel.margin, row)
    aside = "" if margin is None or margin.share is None else f"margin {margin.share:.2f}"
    if margin is not None and margin.counts:
        aside += f"  ({margin.counts})"

    def draw(x: float, y: float, width: float) -> float:
        before = row.get(panel.before) if panel.before else None
        if before:
            y = _before(canvas, "".join(before), x, y, width) + 10
        wide = (width - 14) / 2
        compared = _compared(row, panel)
        bottoms = [
            _side(canvas, row, side, (name, colour), runs, (x + place * (wide + 14), y, wide))
            for place, ((side, name, colour), runs) in enumerate(zip(sides, compared, strict=True))
        ]
        for place, (_, _, colour) in enumerate(sides):
            left = x + place * (wide + 14)
            canvas.box(left, y, wide, max(bottoms) - y, edge=declared()["line"], radius=6)
            canvas.box(left, y, wide, 4, face=colour, order=2)
        y = max(bottoms)
        for side, name, _ in sides:
            if side.tokens is not None and side.tokens.tested is not None:
                y = _tested(canvas, row, side.tokens, name, x, y + 12, width)
        return scale(canvas, x, y + 8) if panel.chosen.value else y

    return "Chosen and rejected", aside, draw


def _before(canvas: Canvas, text: str, x: float, y: float, width: float) -> float:
    bottom = small(canvas, x + 14, y, "steps before", width)
    bottom = written(
        canvas, x + 14, bottom, width - 20, [Run(text, Style(colour=declared()["ink"]))], font=CODE, most=8
    )
    canvas.box(x, y, 3, bottom - y, face=declared()["line"])
    return bottom


def _side(
    canvas: Canvas, row: Row, side: Side, named: tuple[str, Rgb], runs: Sequence[Run], at: tuple[float, float, float]
) -> float:
    x, y, width = at
    name, colour = named
    left = canvas.write(x + 12, y + 12, name, Font(13, is_bold=True), colour) + 10
    small(canvas, left, y + 11, notes_of(side.notes, row, prefix=f"{side.text}_"), x + width - left - 8)
    y += 34
    value = measured(side.value, row)
    if value is not None and value.share is not None:
        y = meter(canvas, x + 12, y, width - 24, value) + 6
    y = written(canvas, x + 12, y, width - 24, runs, font=CODE, most=TEXT_LINES)
    if side.tokens is not None:
        weights = row.get(side.tokens.weights) or []
        if weights and len(set(weights)) == 1:
            y = small(canvas, x + 12, y + 4, f"Every token has the weight {weights[0]:.3g}.", width - 24)
        if not _has_texts(row, side.tokens):
            y = _strip(canvas, row, side.tokens, x + 12, y + 6, width - 24)
    return y + 10


def _compared(row: Row, panel: Pair) -> list[list[Run]]:
    """Both sides in runs: tokens by weight, or texts with the words marked in which they differ."""
    ink, dim = declared()["ink"], declared()["dim"]
    texts = [_text(row.get(side.text)) for side in (panel.chosen, panel.rejected)]
    words = [_differing(one, other) for one, other in (texts, texts[::-1])]
    runs = []
    for side, text, parts, name in zip((panel.chosen, panel.rejected), texts, words, ("right", "wrong"), strict=True):
        if side.tokens is not None and _has_texts(row, side.tokens):
            runs.append(_tokens(row, side.tokens))
            continue
        marked = Style(colour=ink, ground=washed(declared()[name], 0.22))
        drawn = [Run(part, marked if place == 1 else Style(colour=ink)) for place, part in enumerate(parts)]
        whole = row.get(side.whole) or "" if side.whole else ""
        rest = whole[len(text) :] if whole.startswith(text) else ""
        runs.append([*drawn, Run(rest, Style(colour=dim))])
    return runs


def _text(value: Any) -> str:
    """A side's text; of a chat, the contents of its messages."""
    if isinstance(value, list):
        return "\n".join(str(one["content"]) if isinstance(one, dict) else str(one) for one in value)
    return value or ""


def _differing(one: str, other: str) -> tuple[str, str, str]:
    """A text in three parts: what begins as the other text, the words that differ, what ends as it."""
    left, right = _words(one), _words(other)
    first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
    room = min(len(left), len(right)) - first
    ends = zip(reversed(left), reversed(right), strict=False)
    last = min(room, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends)))
    if first + last == 0:
        return one, "", ""
    cut = len(left) - last
    return "".join(left[:first]), "".join(left[first:cut]), "".join(left[cut:])


def _words(text: str) -> list[str]:
    """Words and the blanks between them, which join to the text."""
    parts: list[str] = []
    for one in text:
        if parts and parts[-1][-1].isspace() == one.isspace():
            parts[-1] += one
        else:
            parts.append(one)
    return parts


def _has_texts(row: Row, tokens: Tokens) -> bool:
    return all(isinstance(piece, str) for piece in row.get(tokens.ids) or [])


def _tokens(row: Row, tokens: Tokens) -> list[Run]:
    pieces, weights = row[tokens.ids], row[tokens.weights]
    varies = len(set(weights)) > 1
    ink, wrong, accent = (declared()[name] for name in ("ink", "wrong", "accent"))
    tested = tokens.tested
    positions = (row.get(tested.positions) or []) if tested else []
    confirmed = (row.get(tested.confirmed) or []) if tested else []
    runs = []
    for place, (piece, weight) in enumerate(zip(pieces, weights, strict=True)):
        text = piece.replace("\n", "↵\n") or "▪"
        ground = washed(wrong, min(1.0, max(0.0, weight)) * 0.42) if varies else None
        if place in positions:
            number = positions.index(place)
            frame = wrong if confirmed[number] else accent
            mark = _NUMBERS[number] if number < len(_NUMBERS) else ""
            text = f"{text[:-1]}{mark}\n" if text.endswith("\n") else f"{text}{mark}"
            runs.append(Run(text, Style(colour=ink, ground=ground, frame=frame)))
        else:
            runs.append(Run(text, Style(colour=ink, ground=ground)))
    return runs


def _strip(canvas: Canvas, row: Row, tokens: Tokens, x: float, y: float, width: float) -> float:
    """The weights alone, where the texts of the tokens are unknown."""
    weights = row.get(tokens.weights) or []
    fitting = int(width // 12) * 3
    for place, weight in enumerate(weights[:fitting]):
        line, column = divmod(place, int(width // 12))
        face = washed(declared()["wrong"], weight * 0.42 if len(set(weights)) > 1 else 0)
        canvas.box(x + column * 12, y + line * 18, 12, 16, face=face, edge=declared()["line"])
    lines = -(-min(len(weights), fitting) // int(width // 12))
    return small(canvas, x, y + lines * 18 + 2, "weights; the texts of these tokens are not on this machine", width)


def _tested(canvas: Canvas, row: Row, tokens: Tokens, name: str, x: float, y: float, width: float) -> float:
    tested = tokens.tested
    positions = (row.get(tested.positions) or []) if tested else []
    if tested is None or not positions:
        return small(canvas, x, y, "No token was tested.", width)
    ink, dim, line, wrong = (declared()[key] for key in ("ink", "dim", "line", "wrong"))
    canvas.write(x, y, f"Tested tokens of the {name} side", Font(12.5, is_bold=True), ink)
    for title, left in _COLUMNS:
        canvas.write(x + left, y + 22, title, SMALL, dim)
    y += 42
    for place, position in enumerate(positions[:_MOST_TESTED]):
        canvas.line((x, y), (x + width, y), line)
        piece = row[tokens.ids][position]
        shown = piece.replace("\n", "↵").replace(" ", "␣") if isinstance(piece, str) else f"id {piece}"
        by = (row.get(tested.nominated_by) or [])[place] if tested.nominated_by else ""
        for text, (_, left), font in zip(
            (str(place + 1), shown[:11], str(by)), _COLUMNS, (SMALL, CODE, SMALL), strict=False
        ):
            canvas.write(x + left, y + 8, text, font, ink)
        bottoms = [y + 34]
        for arm, (_, left) in zip((tested.kept, tested.replaced), _COLUMNS[3:], strict=False):
            value = measured(arm, row, place)
            if value is not None:
                bottoms.append(meter(canvas, x + left, y + 6, 185, value))
        is_critical = bool(row[tested.confirmed][place])
        text = "✓ confirmed" if is_critical else "not confirmed"
        canvas.write(x + _COLUMNS[-1][1], y + 8, text, Font(11.5, is_bold=is_critical), wrong if is_critical else dim)
        y = max(bottoms) + 4
    if len(positions) > _MOST_TESTED:
        y = small(canvas, x, y, f"… {len(positions) - _MOST_TESTED} more", width)
    return y
