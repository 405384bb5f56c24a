"""Formats verification reports, comparisons and tables as plain text for a terminal."""

from collections.abc import Mapping, Sequence

from releases.comparison.configs import ConfigDiff
from releases.comparison.versions import Diff, Distribution
from releases.verification.finding import brief
from releases.verification.verify import Report


def summary(report: Report) -> str:
    """A table of what each check covered and how many findings it has, then the verdict."""
    manifest = report.manifest
    lines = [(name, f"{checked.n} {checked.what}", len(checked.findings)) for name, checked in report.checks.items()]
    n = len(report.findings)
    verdict = "is as its manifest says" if not n else f"has {n} finding{'s' if n > 1 else ''}"
    table = text_table(("check", "looked at", "findings"), lines)
    return f"{table}\n\n{manifest.dataset} {manifest.version} {verdict}"


def comparison(difference: Diff, *, limit: int) -> str:
    """The differences between two versions, listing up to `limit` rows of each kind."""
    names = f"{difference.first.dataset} {difference.first.version} and {difference.second.version}"
    if difference.is_equal:
        return f"{names} hold equal rows"
    heads = ("config", "added", "removed", "changed", "same")
    counts = [
        (config.config, config.n_added, config.n_removed, config.n_changed, config.n_same)
        for config in difference.configs
    ]
    blocks = [f"{names} differ", text_table(heads, counts)]
    blocks += [block for config in difference.configs if (block := _changes(config, difference, limit))]
    blocks += [_side_by_side(distribution, difference) for distribution in difference.distributions]
    return "\n\n".join(blocks)


def _changes(config: ConfigDiff, difference: Diff, limit: int) -> str:
    """The first changes of a config, one per line."""
    versions = (difference.first, difference.second)
    lines = [f"{config.config}: {one.version} has no such config" for one in versions if config.config not in one.rows]
    lines += [f"{config.config}: {change}" for change in config.columns]
    for what, rows, n in (("added", config.added, config.n_added), ("removed", config.removed, config.n_removed)):
        lines += [f"{config.config}: {what} {brief(row)}" for row in rows[:limit]]
        lines += [f"{config.config}: {what} {n - len(rows[:limit])} more"] if n > len(rows[:limit]) else []
    lines += [
        f"{config.config}: changed {brief(row.key)} in {', '.join(row.columns)}" for row in config.changed[:limit]
    ]
    if config.n_changed > len(config.changed[:limit]):
        lines.append(f"{config.config}: changed {config.n_changed - len(config.changed[:limit])} more")
    return "\n".join(lines)


def _side_by_side(distribution: Distribution, difference: Diff) -> str:
    def value(figures: Mapping[str, float], name: str) -> float:
        return figures.get(name, 0)

    names = [*distribution.first, *(name for name in distribution.second if name not in distribution.first)]
    rows = [(name, value(distribution.first, name), value(distribution.second, name)) for name in names]
    return text_table((distribution.name, difference.first.version, difference.second.version), rows)


Cell = str | int | float


def text_table(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The table's lines with two spaces between columns, numbers right-aligned, floats with two decimals."""
    cells = [list(heads), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    is_number = [bool(rows) and all(not isinstance(row[column], str) for row in rows) for column in range(len(heads))]
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
