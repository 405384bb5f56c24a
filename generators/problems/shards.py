"""Split the problems of a source into shards by id."""

import polars as pl


def shard(problems: pl.DataFrame, *, index: int, of: int) -> pl.DataFrame:
    """The problems of one shard. The shard follows from the id alone, so a growing source never moves a problem.

    A row that was dropped before it had an id belongs to the first shard.
    """
    return problems.filter(problem_shard(pl.col("problem_id"), of).fill_null(0) == index)


def problem_shard(problem_id: pl.Expr, of: int) -> pl.Expr:
    """The shard (0 to `of` - 1) of a hexadecimal problem id."""
    return problem_id.str.slice(0, 8).str.to_integer(base=16) % of
