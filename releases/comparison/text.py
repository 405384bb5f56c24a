"""A verification and a comparison in plain text, for a terminal; any table as plain text.

Columns stand under their heads, numbers to the right. Decides nothing.
"""

from collections.abc import Mapping, Sequence

from releases.comparison.configs import ConfigDiff
from releases.comparison.versions import Diff, Distribution
from releases.verification.finding import brief
from releases.verification.verify import Report


def summary(report: Report) -> str:
    """What every check looked at and how much it found, and what follows."""
    manifest = report.manifest
    lines = [(name, f"{checked.n} {checked.what}", len(checked.findings)) for name, checked in report.checks.items()]
    n = len(report.findings)
    verdict = "is as its manifest says" if not n else f"has {n} finding{'s' if n > 1 else ''}"
    table = text_table(("check", "looked at", "findings"), lines)
    return f"{table}\n\n{manifest.dataset} {manifest.version} {verdict}"


def comparison(found: Diff, *, limit: int) -> str:
    """What differs between two versions, with `limit` rows named of each kind."""
    names = f"{found.first.dataset} {found.first.version} and {found.second.version}"
    if found.is_equal:
        return f"{names} hold equal rows"
    heads = ("config", "added", "removed", "changed", "same")
    counts = [(one.config, len(one.added), len(one.removed), len(one.changed), one.n_same) for one in found.configs]
    blocks = [f"{names} differ", text_table(heads, counts)]
    blocks += [block for config in found.configs if (block := _named(config, limit))]
    blocks += [_beside(one, found) for one in found.distributions]
    return "\n\n".join(blocks)


def _named(config: ConfigDiff, limit: int) -> str:
    """The first changes of a config, a line each."""
    lines = [f"{config.config}: {change}" for change in config.columns]
    for what, rows in (("added", config.added), ("removed", config.removed)):
        lines += [f"{config.config}: {what} {brief(row)}" for row in rows[:limit]]
        lines += [f"{config.config}: {what} {len(rows) - limit} more"] if len(rows) > limit else []
    lines += [
        f"{config.config}: changed {brief(row.key)} in {', '.join(row.columns)}" for row in config.changed[:limit]
    ]
    if len(config.changed) > limit:
        lines.append(f"{config.config}: changed {len(config.changed) - limit} more")
    return "\n".join(lines)


def _beside(distribution: Distribution, found: Diff) -> str:
    def value(figures: Mapping[str, float], name: str) -> float:
        return figures.get(name, 0)

    names = [*distribution.first, *(name for name in distribution.second if name not in distribution.first)]
    rows = [(name, value(distribution.first, name), value(distribution.second, name)) for name in names]
    return text_table((distribution.name, found.first.version, found.second.version), rows)


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
