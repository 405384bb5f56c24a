"""Rules for text that states nothing false: a drop reason with its expression, as `apply_rules` takes them."""

import polars as pl

from filters.equations.stated import refuted
from filters.texts.quality import Rules

FALSE_EQUATION = "false_equation"


def states_nothing_false(text: str, *, given: str | None = None) -> Rules:
    """No equation between plain numbers in the column `text` is false; a null text states nothing.

    `given` is the column with what the text answers, such as its problem.
    """
    columns = pl.struct(pl.col(text).alias("text"), (pl.col(given) if given else pl.lit("")).alias("given"))
    return {FALSE_EQUATION: ~columns.map_elements(_states_false, return_dtype=pl.Boolean)}


def _states_false(row: dict[str, str | None]) -> bool:
    return row["text"] is not None and refuted(row["text"], row["given"] or "") is not None
