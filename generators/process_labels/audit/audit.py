"""How well labels find first errors, compared with planted errors whose step is known.

An index is 0-based; -1 stands for no error, None if the labels are not sure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generators.records import NO_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Counts of planted errors by how near the labels came; `distance` sums, in steps, how far off they are."""

    exact: int
    off_by_one: int
    farther: int
    missed: int
    not_sure: int
    distance: int

    @property
    def n(self) -> int:
        """The number of planted errors."""
        return self.n_named + self.missed + self.not_sure

    @property
    def n_named(self) -> int:
        """The number for which the labels name a step."""
        return self.exact + self.off_by_one + self.farther

    @property
    def precision(self) -> float | None:
        """The share of exact labels among planted errors for which a step is named; None if there are none."""
        return self.exact / self.n_named if self.n_named else None

    @property
    def recall(self) -> float | None:
        """The share of exact labels among all planted errors; None if there are none."""
        return self.exact / self.n if self.n else None

    @property
    def mean_distance(self) -> float | None:
        """The mean number of steps between the named step and the planted one; None if no step is named."""
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


def audit(first_errors: Sequence[int | None], planted: Sequence[int]) -> Audit:
    """Compare the first errors by labels with the planted ones, pair by pair; raises ValueError on invalid indexes."""
    if any(index < 0 for index in planted):
        raise ValueError(f"planted must hold indexes of at least 0, got {min(planted)}")
    if any(index is not None and index < NO_ERROR for index in first_errors):
        raise ValueError(f"first_errors must hold indexes of at least {NO_ERROR} or None, got {list(first_errors)}")
    pairs = list(zip(first_errors, planted, strict=True))
    off = [abs(index - truth) for index, truth in pairs if index is not None and index != NO_ERROR]
    return Audit(
        exact=off.count(0),
        off_by_one=off.count(1),
        farther=sum(steps > 1 for steps in off),
        missed=sum(index == NO_ERROR for index in first_errors),
        not_sure=sum(index is None for index in first_errors),
        distance=sum(off),
    )


def audit_by_kind(first_errors: Sequence[int | None], planted: Sequence[int], kinds: Sequence[str]) -> dict[str, Audit]:
    """One audit for each kind of planted error, the kinds in alphabetical order."""
    by_kind: dict[str, list[tuple[int | None, int]]] = {kind: [] for kind in sorted(set(kinds))}
    for index, truth, kind in zip(first_errors, planted, kinds, strict=True):
        by_kind[kind].append((index, truth))
    return {
        kind: audit([index for index, _ in pairs], [truth for _, truth in pairs]) for kind, pairs in by_kind.items()
    }
