"""The errors of releases.

ReleaseError
├── NothingToRelease    no rows are left to release; nothing was written
├── VersionTaken        the requested version holds other content; a released version is never overwritten
├── PublishContested    other publishers took every version that was tried; publishing again may work
├── UnknownRelease      there is no such dataset or version in the registry
├── UnknownConfig       the version does not have a requested config
├── UnknownColumn       the rows do not have a requested column
├── IncompleteManifest  a version's manifest lacks the parameters its rows are derived with
├── ColumnsChanged      columns changed within the same major number
├── SplitsDisagree      a problem is in the test split of one dataset and in the train split of another
├── RoundNotReady       a slice of the round is incomplete or failed a blocking check
├── DamagedRelease      a file differs from what the manifest says
│   └── RefusedRelease  it has what no release has: names that climb, links, files that unpack without end
├── CannotExport        a trainer cannot read the version, or the folder may not be written
├── UnknownTokenizer    there is no tokenizer of a requested name
├── FileInTheWay        a file stands where one would be written, and is something else
├── LicenceForbids      a source's licence forbids redistribution or commercial use
└── HubError            a request to the Hub failed
    └── HubDenied       the token is missing, wrong, or lacks a right
"""


class ReleaseError(Exception):
    """A release could not be built, published or opened."""


class NothingToRelease(ReleaseError):
    """A dataset has no rows."""


class RoundNotReady(ReleaseError):
    """A slice of the round is incomplete or failed a blocking check."""


class VersionTaken(ReleaseError):
    """The version exists with other content, or another publisher has claimed it."""


class PublishContested(ReleaseError):
    """Other publishers were faster on every try."""


class UnknownRelease(ReleaseError):
    """The registry holds no such release, or cannot read it."""


class UnknownConfig(ReleaseError):
    """There is no config of that name."""


class UnknownColumn(ReleaseError):
    """There is no column of that name."""


class IncompleteManifest(ReleaseError):
    """A manifest lacks the parameters its rows are derived with."""


class ColumnsChanged(ReleaseError):
    """Columns were added, removed or retyped without a new major number."""


class SplitsDisagree(ReleaseError):
    """A problem is held out in one dataset and trained on in another."""


class DamagedRelease(ReleaseError):
    """A file of a version differs from what its manifest says."""


class RefusedRelease(DamagedRelease):
    """A release has something that none by `stepmill` has, and that might harm whoever reads it."""


class CannotExport(ReleaseError):
    """A trainer would learn what it must not, or has no use for the rows; or the folder may not be written."""


class HubError(ReleaseError):
    """The Hub could not be reached, or kept answering with an error."""


class HubDenied(HubError):
    """The Hub denies this token the request."""


class LicenceForbids(ReleaseError):
    """The licence of a source forbids redistribution or commercial use, and the settings refuse such sources."""


class UnknownTokenizer(ReleaseError):
    """There is no tokenizer of that name."""


class FileInTheWay(ReleaseError):
    """A file or folder stands where a file would be written."""
