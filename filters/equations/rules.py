"""Rules for text that states nothing false: a drop reason with its expression, as `apply_rules` takes them."""

import polars as pl

from filters.equations.stated import refuted
from filters.texts.quality import Rules

REASON = "false_equation"


def states_nothing_false(text: str) -> Rules:
    """No equation between plain numbers in the column `text` is false; a null text states nothing."""
    false = pl.col(text).map_elements(_states_false, return_dtype=pl.Boolean)
    return {REASON: ~false.fill_null(False)}


def _states_false(text: str) -> bool:
    return refuted(text) is not None
