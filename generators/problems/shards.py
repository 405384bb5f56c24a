"""Which problem sources exist, and into how many slices each is cut."""

import polars as pl


def shard(problems: pl.DataFrame, *, index: int, of: int) -> pl.DataFrame:
    """The problems of one shard: a problem's id alone says which, so a growing source never moves them.

    A row that was set aside before it had an id belongs to the first shard.
    """
    return problems.filter(problem_shard(pl.col("problem_id"), of).fill_null(0) == index)


def problem_shard(problem_id: pl.Expr, of: int) -> pl.Expr:
    """The shard (0 to `of` - 1) of a hexadecimal problem id."""
    return problem_id.str.slice(0, 8).str.to_integer(base=16) % of
