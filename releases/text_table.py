"""A table as plain text: columns under their heads, numbers to the right.

Knows nothing of what it shows.
"""

from collections.abc import Sequence

Cell = str | int | float


def text_table(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The table's lines, two blanks between columns; a fraction has two places."""
    cells = [list(heads), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(heads))]
    is_number = [bool(rows) and all(not isinstance(row[place], str) for row in rows) for place in range(len(heads))]
    lines = []
    for row in cells:
        padded = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, is_number, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def _text(cell: Cell) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
