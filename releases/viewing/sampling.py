"""Which rows of a config are shown: all, or whole problems drawn by seed."""

from random import Random

import polars as pl

PROBLEM = "problem_id"


def shown_rows(rows: pl.DataFrame, *, n: int, seed: int) -> tuple[list[int], bool]:
    """The numbers of at most `n` rows in their order, and whether they are whole problems.

    Rows of a problem stay together where the config names it and any of them fits.
    """
    if rows.height <= n:
        return list(range(rows.height)), True
    at_random = sorted(Random(seed).sample(range(rows.height), n))
    if PROBLEM not in rows.columns:
        return at_random, False
    by_problem: dict[str, list[int]] = {}
    for number, problem in enumerate(rows[PROBLEM]):
        by_problem.setdefault(problem, []).append(number)
    problems = list(by_problem)
    Random(seed).shuffle(problems)
    kept: list[int] = []
    for problem in problems:
        if len(kept) + len(by_problem[problem]) <= n:
            kept += by_problem[problem]
    return (sorted(kept), True) if kept else (at_random, False)


def share_shown(shown: int, total: int, *, are_whole: bool, seed: int) -> str:
    """What a reader must know of the choice, such as `1,000 of 5,000 rows, whole problems drawn by seed 0`."""
    if shown == total:
        return f"all {total:,} rows" if total != 1 else "1 row"
    return f"{shown:,} of {total:,} rows, {'whole problems ' if are_whole else ''}drawn by seed {seed}"
