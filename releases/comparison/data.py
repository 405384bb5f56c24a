"""Verification reports and comparisons as JSON data, for programs that read a command's output."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from releases.comparison.configs import ConfigDiff
from releases.comparison.versions import Diff
from releases.verification.verify import Report


def report_data(report: Report) -> dict[str, Any]:
    """What each check covered, and all findings with the name of their check."""
    return {
        "dataset": report.manifest.dataset,
        "version": report.manifest.version,
        "is_good": not report.findings,
        "checks": {
            name: {"n": checked.n, "what": checked.what, "n_findings": len(checked.findings)}
            for name, checked in report.checks.items()
        },
        "findings": [
            {"check": name, **asdict(finding)}
            for name, checked in report.checks.items()
            for finding in checked.findings
        ],
    }


def diff_data(difference: Diff, *, limit: int) -> dict[str, Any]:
    """The differences between two versions: all counts, and up to `limit` rows of each kind."""
    return {
        "dataset": difference.first.dataset,
        "first": difference.first.version,
        "second": difference.second.version,
        "is_equal": difference.is_equal,
        "configs": {config.config: _config_data(config, limit) for config in difference.configs},
        "distributions": {
            distribution.name: {"first": dict(distribution.first), "second": dict(distribution.second)}
            for distribution in difference.distributions
        },
    }


def _config_data(config: ConfigDiff, limit: int) -> dict[str, Any]:
    def rows(all_rows: Sequence[Any]) -> list[Any]:
        return list(all_rows[:limit])

    return {
        "key": config.key,
        "n_added": config.n_added,
        "n_removed": config.n_removed,
        "n_changed": config.n_changed,
        "n_same": config.n_same,
        "columns": [change._asdict() for change in config.columns],
        "added": rows(config.added),
        "removed": rows(config.removed),
        "changed": [row._asdict() for row in rows(config.changed)],
    }
