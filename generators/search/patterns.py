"""All patterns of right and wrong prefixes that a solution can have, as matrices.

A pattern says of the prefix up to each step whether it is right (nothing in it is wrong, or the error has been mended)
or wrong. A solution goes wrong at most once; or it goes wrong, recovers and, if its answer is wrong, goes wrong again.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generators.records import NO_ERROR

Floats = NDArray[np.float32]
MOST_STEPS_WITH_RECOVERY = 24  # the number of patterns with a recovery grows with the cube of the steps


@dataclass(frozen=True, slots=True)
class Patterns:
    """All patterns of a solution with a given number of steps and a right or wrong answer, sorted by first error.

    `right` (patterns x steps - 1) is 1 where the prefix up to a step is right; nothing continues the last step, so it
    has no column. `recovers` marks the patterns with a recovery. `first_errors` lists the distinct first errors, and
    `starts` the row at which the patterns of each begin. A solution without error has the first error -1 and is last.
    """

    right: Floats
    wrong: Floats
    recovers: NDArray[np.bool_]
    first_errors: NDArray[np.int64]
    starts: NDArray[np.int64]


@lru_cache(maxsize=128)
def patterns(n_steps: int, *, ends_right: bool, with_recovery: bool) -> Patterns:
    """The patterns of a solution of `n_steps` steps (at least 1)."""
    rows = _ending_right(n_steps) if ends_right else _ending_wrong(n_steps)
    rows = [row for row in rows if with_recovery or not row[1]]
    rows.sort(key=lambda row: row[0])
    firsts = np.array([first for first, _, _ in rows])
    starts = np.flatnonzero(np.concatenate(([True], firsts[1:] != firsts[:-1])))
    right = np.array([states[: n_steps - 1] for _, _, states in rows], dtype=np.float32).reshape(len(rows), n_steps - 1)
    distinct_firsts = firsts[starts]
    return Patterns(
        right=right,
        wrong=np.ascontiguousarray(1 - right),
        recovers=np.array([recovers for _, recovers, _ in rows]),
        first_errors=np.where(distinct_firsts == n_steps, NO_ERROR, distinct_firsts),
        starts=starts,
    )


def _ending_right(n_steps: int) -> list[tuple[int, bool, list[int]]]:
    rows = [(n_steps, False, [1] * n_steps)]
    for first in range(n_steps - 1):
        for mended in range(first + 1, n_steps):
            rows.append((first, True, [1] * first + [0] * (mended - first) + [1] * (n_steps - mended)))
    return rows


def _ending_wrong(n_steps: int) -> list[tuple[int, bool, list[int]]]:
    rows = []
    for first in range(n_steps):
        rows.append((first, False, [1] * first + [0] * (n_steps - first)))
        if n_steps > MOST_STEPS_WITH_RECOVERY:
            continue
        for mended in range(first + 1, n_steps - 1):
            for again in range(mended + 1, n_steps):
                states = [1] * first + [0] * (mended - first) + [1] * (again - mended) + [0] * (n_steps - again)
                rows.append((first, True, states))
    return rows
