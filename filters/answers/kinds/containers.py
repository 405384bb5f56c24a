r"""Answers made of answers: tuples, sets, intervals, bare lists, unions and small matrices.

Only splits at the outermost separators; the items are compared elsewhere.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\\\\|\\[{}]|\\(?:cup|cap|setminus)(?![a-zA-Z])|\\[a-zA-Z]+|[()\[\]{},;&]|.", re.DOTALL)
_OPENING = frozenset({"(", "[", "{", r"\{"})
_CLOSING = frozenset({")", "]", "}", r"\}"})
_MATRIX = re.compile(r"\\begin\s*\{([pb]?matrix|smallmatrix)\}(.*)\\end\s*\{\1\}", re.DOTALL)
_ARRAY = re.compile(r"[(\[]\s*\\begin\s*\{array\}\s*\{[lcr| ]*\}(.*)\\end\s*\{array\}\s*[)\]]", re.DOTALL)
_SCALED = re.compile(
    r"(-?\s*(?:\\frac\s*\{[-0-9]+\}\s*\{(?:[0-9]+|\\sqrt\s*\{[0-9]+\})\}|[0-9]+(?:\.[0-9]+|/[0-9]+)?))\s*"
    r"([(\[]\s*\\begin\s*\{array\}.*\\end\s*\{array\}\s*[)\]]|\\begin\s*\{[pb]matrix\}.*\\end\s*\{[pb]matrix\})",
    re.DOTALL,
)
_WORD = re.compile(r"\s(?:and|or)\s")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_LEADING = re.compile(r"(?:and|or|either|both)\s+")


@dataclass(frozen=True, slots=True)
class Container:
    r"""The items of a container and its `kind`: brackets (`()`, `[)`, `\{\}`), `list`, `union` or `matrix RxC`."""

    kind: str
    items: tuple[str, ...]

    @property
    def is_unordered(self) -> bool:
        """Whether the order of the items carries no meaning."""
        return self.kind in (r"\{\}", r"\pm", "union")


def parse_container(text: str) -> Container | None:
    """Read a tidy answer as a container of at least two items (at least one for a set), or return None."""
    if matrix := _MATRIX.fullmatch(text):
        return _matrix(matrix[2])
    if array := _ARRAY.fullmatch(text):
        return _matrix(array[1])
    if scaled := _SCALED.fullmatch(text):
        whole = parse_container(scaled[2])
        items = whole.items if whole else ()
        return whole and Container(whole.kind, tuple(rf"({scaled[1]}) \cdot ({item})" for item in items))
    if len(parts := split(text, r"\cup")) > 1:
        return Container("union", tuple(parts))
    return _enclosed(text) or _listed(text)


def split(text: str, separator: str) -> list[str]:
    """Split at each `separator` outside all brackets; the parts are stripped."""
    parts, depth = [""], 0
    for token in _TOKEN.findall(text):
        depth += (token in _OPENING) - (token in _CLOSING)
        if token == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts]


def depth_of(text: str) -> int:
    """Return the maximum nesting depth of the brackets, or -1 if they do not balance."""
    depth = deepest = 0
    for token in _TOKEN.findall(text):
        depth += (token in _OPENING) - (token in _CLOSING)
        deepest = max(deepest, depth)
        if depth < 0:
            return -1
    return deepest if depth == 0 else -1


def _enclosed(text: str) -> Container | None:
    tokens = _TOKEN.findall(text)
    if len(tokens) < 3 or tokens[0] not in ("(", "[", r"\{") or tokens[-1] not in (")", "]", r"\}"):
        return None
    inner = "".join(tokens[1:-1])
    if depth_of(inner) < 0:
        return None
    items = _items(inner)
    kind = tokens[0] + tokens[-1]
    if kind == "[]" and (rows := _rows(items)):
        return rows
    return Container(kind, items) if all(items) and (len(items) > 1 or kind == r"\{\}") else None


def _rows(items: tuple[str, ...]) -> Container | None:
    """The matrix that `[[1, 2], [3, 4]]` writes by its rows."""
    rows = [_enclosed(item) for item in items]
    cells = [row.items for row in rows if row and row.kind == "[]"]
    if len(cells) < 2 or len(cells) != len(items) or len({len(row) for row in cells}) != 1:
        return None
    return Container(f"matrix {len(cells)}x{len(cells[0])}", tuple(cell for row in cells for cell in row))


def _items(text: str) -> tuple[str, ...]:
    """The parts between semicolons where there are any, else between commas that are not inside a number."""
    parts = split(text, ";")
    if len(parts) > 1:
        return tuple(parts)
    spaced = text.split(", ")
    grouped = len(spaced) > 1 and all(_GROUPED.fullmatch(part) for part in spaced)
    return tuple(spaced if grouped else split(text, ","))


def _listed(text: str) -> Container | None:
    joined = [part.strip() for part in _WORD.split(text)]
    numbers = len(joined) > 1 and all(_GROUPED.fullmatch(part) for part in joined)
    pieces = joined if numbers else _items(text)
    pieces = [_LEADING.sub("", piece, count=1) if _LEADING.match(piece) else piece for piece in pieces]
    parts = [part.strip() for piece in pieces for part in _WORD.split(piece)]
    return Container("list", tuple(parts)) if len(parts) > 1 and all(parts) else None


def _matrix(body: str) -> Container | None:
    rows = [split(row, "&") for row in split(body, r"\\")]
    if rows[-1] == [""]:
        rows.pop()
    if not rows or len({len(row) for row in rows}) != 1:
        return None
    return Container(f"matrix {len(rows)}x{len(rows[0])}", tuple(item for row in rows for item in row))
