"""Version numbers of a dataset: major when columns change, minor for a new round, patch for a correction."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_NUMBER = "(0|[1-9][0-9]{0,5})"
_FORM = re.compile(rf"v{_NUMBER}\.{_NUMBER}\.{_NUMBER}")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """`vMAJOR.MINOR.PATCH`, ordered by number."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read `v0.1.0`, with numbers of at most six digits; raises ValueError for anything else."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"version must look like v0.1.0, got {text[:40]!r}")
        return cls(*(int(number) for number in match.groups()))

    @classmethod
    def is_version(cls, text: str) -> bool:
        """Whether `text` has the form of a version."""
        return _FORM.fullmatch(text) is not None

    def __str__(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"

    def next_minor(self) -> "Version":
        return Version(self.major, self.minor + 1, 0)

    def next_patch(self) -> "Version":
        return Version(self.major, self.minor, self.patch + 1)


FIRST = Version(0, 1, 0)


def next_version(
    rounds: Mapping[Version, str], round: str, *, claimed: Collection[Version] = (), major: int = 0
) -> Version:
    """The version for new content of `round`, given the round of each released version.

    The first version is v0.1.0. A correction of a released round bumps the patch of that round's last version, and a
    new round bumps the minor of the last version overall. Versions below `major` do not count, so the first release
    with a new `major` starts at that number. Numbers `claimed` by other publishers are skipped.
    """
    counting = [version for version in rounds if version.major >= major]
    of_round = [version for version in counting if rounds[version] == round]
    bump = Version.next_patch if of_round else Version.next_minor
    version = bump(max(of_round or counting)) if counting else max(FIRST, Version(major, 0, 0))
    while version in rounds or version in claimed:
        version = bump(version)
    return version
