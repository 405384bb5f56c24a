"""How well first errors are found, held against errors whose place is known.

Knows nothing of how they were planted or found: indexes in, counts and shares out. An index is 0-based, -1 says that
no error was found, None that the labels are not sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generators.records import NO_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Counts of planted errors by what was found; `distance` is the sum of the steps by which named ones were off."""

    exact: int
    off_by_one: int
    farther: int
    missed: int
    not_sure: int
    distance: int

    @property
    def n(self) -> int:
        """All planted errors."""
        return self.n_named + self.missed + self.not_sure

    @property
    def n_named(self) -> int:
        """Those for which some step was named."""
        return self.exact + self.off_by_one + self.farther

    @property
    def precision(self) -> float | None:
        """The share of exact ones among those for which a step was named; None when there are none."""
        return self.exact / self.n_named if self.n_named else None

    @property
    def recall(self) -> float | None:
        """The share of exact ones among all; None when there are none."""
        return self.exact / self.n if self.n else None

    @property
    def mean_distance(self) -> float | None:
        """By how many steps a named one is off, on average; None when no step was named."""
        return self.distance / self.n_named if self.n_named else None

    def shares(self) -> dict[str, float]:
        """The five counts as shares of all; empty when there are none."""
        counts = ("exact", "off_by_one", "farther", "missed", "not_sure")
        return {name: getattr(self, name) / self.n for name in counts} if self.n else {}

    def facts(self) -> dict[str, int | float | None]:
        """Counts and rates by name, as a table or a manifest shows them."""
        return {
            "n": self.n,
            "exact": self.exact,
            "off_by_one": self.off_by_one,
            "farther": self.farther,
            "missed": self.missed,
            "not_sure": self.not_sure,
            "precision": self.precision,
            "recall": self.recall,
            "mean_distance": self.mean_distance,
        }


def audit(found: Sequence[int | None], planted: Sequence[int]) -> Audit:
    """What was found against what was planted, pair by pair; raises ValueError on indexes that cannot be."""
    if any(place < 0 for place in planted):
        raise ValueError(f"planted must hold indexes of at least 0, got {min(planted)}")
    if any(place is not None and place < NO_ERROR for place in found):
        raise ValueError(f"found must hold indexes of at least {NO_ERROR} or None, got {list(found)}")
    pairs = list(zip(found, planted, strict=True))
    off = [abs(place - true) for place, true in pairs if place is not None and place != NO_ERROR]
    return Audit(
        exact=off.count(0),
        off_by_one=off.count(1),
        farther=sum(steps > 1 for steps in off),
        missed=sum(place == NO_ERROR for place in found),
        not_sure=sum(place is None for place in found),
        distance=sum(off),
    )


def audit_by_kind(found: Sequence[int | None], planted: Sequence[int], kinds: Sequence[str]) -> dict[str, Audit]:
    """One audit per kind of planted error, the kinds in alphabetical order."""
    rows = list(zip(found, planted, kinds, strict=True))
    return {
        kind: audit([place for place, _, one in rows if one == kind], [true for _, true, one in rows if one == kind])
        for kind in sorted(set(kinds))
    }
