"""A verification and a comparison in plain text, for a terminal.

Decides nothing.
"""

from collections.abc import Mapping

from releases.config_diff import ConfigDiff
from releases.diff import Diff, Distribution
from releases.text_table import text_table
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
