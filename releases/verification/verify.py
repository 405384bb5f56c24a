"""Runs all checks of a version in order; none of them needs the ledger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from upath import UPath

from releases.errors import IncompleteManifest
from releases.manifest import FILE_NAME, Manifest
from releases.verification.answers import check_answers
from releases.verification.card import check_card
from releases.verification.figures import check_figures
from releases.verification.files import check_files
from releases.verification.finding import Checked, Finding
from releases.verification.labels import check_labels
from releases.verification.licences import check_licences
from releases.verification.splits import check_splits
from releases.verification.streamed import StreamedRelease, open_blockwise
from releases.verification.tables import check_columns, check_rules

Check = Callable[[StreamedRelease], Checked]
CHECKS: Mapping[str, Check] = {
    "files": check_files,
    "columns": check_columns,
    "rules": check_rules,
    "labels": check_labels,
    "answers": check_answers,
    "splits": check_splits,
    "figures": check_figures,
    "licences": check_licences,
    "card": check_card,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of all checks of a version, by the check's name."""

    manifest: Manifest
    checks: Mapping[str, Checked]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, check by check."""
        return tuple(finding for checked in self.checks.values() for finding in checked.findings)


def verify(folder: UPath) -> Report:
    """Check the version in `folder`; raises UnknownRelease if it cannot be checked."""
    release = open_blockwise(folder)
    return Report(manifest=release.manifest, checks={name: _checked(check, release) for name, check in CHECKS.items()})


def _checked(check: Check, release: StreamedRelease) -> Checked:
    try:
        return check(release)
    except IncompleteManifest as missing:
        return Checked(0, "not checked", (Finding(file=FILE_NAME, complaint=str(missing)),))
