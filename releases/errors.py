"""What can go wrong with a release, sorted by who can mend it.

ReleaseError
├── NothingToRelease    the stages before left no rows; nothing was written
├── VersionTaken        the asked-for version holds other content; a released version is never overwritten
├── PublishContested    other publishers took every version that was tried; publishing again may work
├── UnknownRelease      there is no such dataset or version in the registry
├── UnknownColumn       a column was named that the rows do not have
├── IncompleteManifest  a version's manifest lacks what its rows are derived with
├── ColumnsChanged      the columns are not those of the versions of the same major number
├── SplitsDisagree      a problem is in the test split of one dataset and in the train split of another
├── DamagedRelease      a file is not what the manifest says
└── HubError            the Hub did not do what it was asked
    └── HubDenied       the token is missing, wrong, or lacks a right
"""


class ReleaseError(Exception):
    """A release could not be built, published or opened."""


class NothingToRelease(ReleaseError):
    """A dataset has no rows."""


class RoundNotReady(ReleaseError):
    """A slice of the round was not made to the end, or failed a check that blocks."""


class VersionTaken(ReleaseError):
    """The version exists with other content, or another publisher has claimed it."""


class PublishContested(ReleaseError):
    """Other publishers were faster at every try."""


class UnknownRelease(ReleaseError):
    """The registry holds no such release, or cannot read it."""


class UnknownColumn(ReleaseError):
    """There is no column of that name."""


class IncompleteManifest(ReleaseError):
    """A manifest lacks what its rows are derived with."""


class ColumnsChanged(ReleaseError):
    """Columns were added, removed or retyped without a new major number."""


class SplitsDisagree(ReleaseError):
    """A problem is held out in one dataset and trained on in another."""


class DamagedRelease(ReleaseError):
    """A file of a version is not what its manifest says."""


class HubError(ReleaseError):
    """The Hub could not be reached, or answered with an error that did not pass."""


class HubDenied(HubError):
    """The Hub does not let this token do it."""


class LicenceForbids(ReleaseError):
    """The licence of a source forbids redistribution or commercial use, and such sources are refused."""
