"""Texts that are far shorter or longer than the others of their table, by percentiles of length.

Gives rules for `apply_rules`. Whether a row passes depends on the other rows: filter what is broken before.
"""

from collections.abc import Mapping

import polars as pl


def no_length_outliers(text: str, *, lower: float = 0.5, upper: float = 99.5) -> Mapping[str, pl.Expr]:
    """No text has fewer characters than the `lower` percentile of all texts, or more than the `upper` one.

    Percentiles are lengths that occur, the outer one of two neighbours. So equal lengths all pass, and a table of few
    rows (with the defaults, up to 201) loses none.
    """
    if not 0 <= lower < 50:
        raise ValueError(f"lower must be at least 0 and below 50, got {lower}")
    if not 50 < upper <= 100:
        raise ValueError(f"upper must be above 50 and at most 100, got {upper}")
    length = pl.col(text).str.len_chars()
    return {
        "unusually_short": length >= length.quantile(lower / 100, interpolation="lower"),
        "unusually_long": length <= length.quantile(upper / 100, interpolation="higher"),
    }
