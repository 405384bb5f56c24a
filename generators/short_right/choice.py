"""Choose among the attempts at a problem: the shortest right one, a random right one, and two longer ones to reject.

The pairs are those of Kimi k1.5 (2501.12599, long to short by DPO). Whatever is random follows from a hash of problem
and attempt index, so that a choice depends on the set of attempts alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Self

from xxhash import xxh3_64_intdigest

from filters.answers.verdicts import Verdict
from filters.equations.stated import refuted
from filters.texts.shingles import jaccard, shingles_of
from generators.short_right.settings import Settings

VERSION = "1"  # bump when a change here would change the rows
NO_RIGHT, FEW_RIGHT = "no_right_attempt", "few_right_attempts"
_SHINGLE = 3  # words


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """An attempt that ended by itself; `n_tokens` counts the policy's tokens, with the end-of-text token."""

    attempt_index: int
    text: str
    n_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """The attempts at a problem.

    `right` ended, have the right answer and state no false equation; `wrong` ended with another answer. Those that were
    cut off are `n_truncated`, whatever their answer. The rest of the `n_drawn` are on no side: they lack an answer, are
    undecided, or state a false equation.
    """

    problem_id: str
    right: Sequence[Solution]
    wrong: Sequence[Solution]
    n_truncated: int
    n_drawn: int

    @classmethod
    def of(cls, problem_id: str, prompt: str, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Sort the rows of a problem by verdict: `attempt_index`, `text`, `n_tokens`, `finish_reason`, `verdict`."""
        by_verdict: dict[str, list[Solution]] = {}
        n_drawn = n_truncated = 0
        for row in rows:
            n_drawn += 1
            if row["finish_reason"] == "length":
                n_truncated += 1
                continue
            solution = Solution(attempt_index=row["attempt_index"], text=row["text"], n_tokens=row["n_tokens"])
            by_verdict.setdefault(row["verdict"], []).append(solution)
        right = by_verdict.get(Verdict.EQUAL.value, [])
        return cls(
            problem_id=problem_id,
            right=tuple(solution for solution in right if refuted(solution.text, prompt) is None),
            wrong=tuple(by_verdict.get(Verdict.DIFFERENT.value, [])),
            n_truncated=n_truncated,
            n_drawn=n_drawn,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The shortest right attempt at a problem, a random right one, and a longer right and a longer wrong one."""

    attempted: Attempted
    shortest: Solution
    control: Solution
    longer_right: Solution | None
    longer_wrong: Solution | None

    @property
    def rank(self) -> int:
        """The place of the shortest right attempt by length among the right and wrong ones; 1 if none is shorter."""
        others = (*self.attempted.right, *self.attempted.wrong)
        return 1 + sum(other.n_tokens < self.shortest.n_tokens for other in others)

    @property
    def median_right_tokens(self) -> float:
        """The median length of the right attempts."""
        return float(median(solution.n_tokens for solution in self.attempted.right))

    @property
    def median_wrong_tokens(self) -> float | None:
        """The median length of the wrong attempts, None if there is none."""
        return float(median(solution.n_tokens for solution in self.attempted.wrong)) if self.attempted.wrong else None


def choose(attempted: Attempted, *, settings: Settings, near_equal: float) -> Choice | str:
    """The choice, or why there is none.

    A rejected attempt whose word trigrams are those of the chosen one, to a Jaccard similarity of `near_equal` or more,
    repeats it and is left out. Of several that may be rejected, a random one is.
    """
    if len(attempted.right) < settings.least_right:
        return FEW_RIGHT if attempted.right else NO_RIGHT
    shortest = min(attempted.right, key=lambda solution: (solution.n_tokens, solution.attempt_index))
    least = settings.least_ratio * shortest.n_tokens

    def picked(name: str, among: Iterable[Solution]) -> Solution | None:
        return min(among, key=lambda solution: _lot(name, attempted.problem_id, solution), default=None)

    def unlike(among: Iterable[Solution]) -> list[Solution]:
        own = shingles_of(shortest.text, _SHINGLE)
        return [one for one in among if jaccard(own, shingles_of(one.text, _SHINGLE)) < near_equal]

    return Choice(
        attempted=attempted,
        shortest=shortest,
        control=picked("control", attempted.right) or shortest,
        longer_right=picked("right", unlike(one for one in attempted.right if one.n_tokens >= least)),
        longer_wrong=picked("wrong", unlike(one for one in attempted.wrong if one.n_tokens > shortest.n_tokens)),
    )


def _lot(name: str, problem_id: str, solution: Solution) -> tuple[int, int]:
    return xxh3_64_intdigest(f"{name}/{problem_id}/{solution.attempt_index}".encode()), solution.attempt_index
