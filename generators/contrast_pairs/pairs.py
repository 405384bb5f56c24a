"""Right against wrong whole solutions of a problem, each with its leave-one-out advantage (OREAL, arXiv 2502.06781).

OREAL draws a fixed number of attempts at each problem. A right one has the reward 1, a wrong one -1, and the advantage
of an attempt is its reward less the mean reward of the others, before anything is filtered. Attempts beyond the first
`draws` are not read, since how many of them there are may depend on how earlier ones ended.
"""

from collections.abc import Mapping

import polars as pl
from xxhash import xxh3_64_intdigest

from filters.equations.rules import FALSE_EQUATION, states_nothing_false
from filters.rules import Filtered, apply_rules
from filters.texts.duplicates import DuplicateSettings, drop_near_duplicates
from filters.texts.loops import no_loops
from filters.texts.quality import not_truncated, one_script
from generators.contrast_pairs.settings import Settings
from generators.contrast_pairs.table import CONTRAST_PAIRS, DROPPED

VERSION = "1"  # bump when a change here would change the rows
READ = ("problem_id", "attempt_index", "text", "token_ids", "finish_reason", "verdict", "is_right")
_SIDE = ("problem_id", "is_right")
_RIGHT = pl.col("is_right")


def pairs_of(
    attempts: pl.DataFrame,
    problems: pl.DataFrame,
    origin: Mapping[str, str | int],
    *,
    settings: Settings,
    near_duplicates: float,
    seed: int,
) -> Filtered:
    """The pairs of whole problems as rows of the table, and the attempts that are in none, with reasons.

    Each attempt is in one pair at most. Lots are drawn by seed, problem and attempt index, so neither the order of the
    rows nor an undecided attempt changes a pair. Of texts that nearly repeat each other, a right one stays before a
    wrong one, and then the one of the lowest index.
    """
    read = counted(attempts, settings)
    fit = apply_rules(read, _fitness())
    true = states_nothing_false("text", given="prompt")[FALSE_EQUATION]
    stated = fit.kept.join(problems.select("problem_id", "prompt"), on="problem_id", maintain_order="left")
    true_ones = apply_rules(stated, {FALSE_EQUATION: ~_RIGHT | true})
    unlike = drop_near_duplicates(
        true_ones.kept.sort(~_RIGHT, "attempt_index"),
        column="text",
        within=("problem_id",),
        settings=DuplicateSettings(threshold=near_duplicates, same_question=False, common=None),
    )
    paired = apply_rules(_placed(unlike.kept, settings, seed), {"not_drawn": pl.col("place") < pl.col("n_pairs")})
    dropped = (part.dropped.select(list(DROPPED.columns)) for part in (fit, true_ones, unlike, paired))
    return Filtered(_joined(paired.kept, problems, origin), pl.concat(dropped))


def counted(attempts: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The attempts with `n_right` and `n_decided` of the first ones at their problem, and their length in tokens."""
    right = _RIGHT.fill_null(False) if settings.undecided == "wrong" else _RIGHT
    is_first = pl.col("is_first")
    return attempts.with_columns(right, is_first=pl.col("attempt_index") < settings.draws).with_columns(
        n_decided=(is_first & _RIGHT.is_not_null()).sum().over("problem_id").cast(pl.Int64),
        n_right=(is_first & _RIGHT).sum().over("problem_id").cast(pl.Int64),
        n_tokens=pl.col("token_ids").list.len().cast(pl.Int64),
    )


def rates() -> dict[str, pl.Expr]:
    """Pass rate and both advantages, from `n_right` and `n_decided`; null or not finite where one attempt counts.

    Of n decided attempts r are right. Then a right one's advantage is 2 (n - r) / (n - 1) and a wrong one's
    -2 r / (n - 1), so those of all n add up to 0.
    """
    n, right = pl.col("n_decided"), pl.col("n_right")
    return {
        "chosen_advantage": 2 * (n - right) / (n - 1),
        "rejected_advantage": -2 * right / (n - 1),
        "pass_rate": right / n,
    }


def _fitness() -> dict[str, pl.Expr]:
    """The rules of an attempt that may be a side: one of the first, of a problem with both kinds, and well written."""
    return {
        "later_draw": pl.col("is_first"),
        "undecided": _RIGHT.is_not_null(),
        "none_right": pl.col("n_right") > 0,
        "none_wrong": pl.col("n_right") < pl.col("n_decided"),
        **not_truncated(),
        **one_script("text"),
        **no_loops("text"),
        "blank": pl.col("text").str.strip_chars() != "",
    }


def _placed(fit: pl.DataFrame, settings: Settings, seed: int) -> pl.DataFrame:
    """The attempts with their place on their side, and how many pairs their problem gives."""
    keys = fit.select("problem_id", "attempt_index").iter_rows()
    lots = [xxh3_64_intdigest(f"{problem}/{index}".encode(), seed) for problem, index in keys]
    by_length = _RIGHT & pl.lit(settings.right_side == "shortest")
    drawn = fit.with_columns(
        pl.Series("lot", lots, dtype=pl.UInt64), rank=pl.when(by_length).then("n_tokens").otherwise(0)
    ).sort("problem_id", "is_right", "rank", "lot")
    n_sides = (side.sum().over("problem_id") for side in (_RIGHT, ~_RIGHT))
    return drawn.with_columns(
        place=pl.int_range(pl.len()).over(_SIDE), n_pairs=pl.min_horizontal(*n_sides, settings.pairs_per_problem)
    )


def _joined(paired: pl.DataFrame, problems: pl.DataFrame, origin: Mapping[str, str | int]) -> pl.DataFrame:
    """One row for each place that a right and a wrong attempt have."""
    columns = {"text": "", "attempt_index": "_index", "n_tokens": "_n_tokens", "verdict": "_verdict"}
    chosen, rejected = (
        paired.filter(is_side).select(
            "problem_id",
            "place",
            "n_right",
            "n_decided",
            *(pl.col(column).alias(f"{side}{suffix}") for column, suffix in columns.items()),
        )
        for side, is_side in (("chosen", _RIGHT), ("rejected", ~_RIGHT))
    )
    sides = chosen.join(rejected.drop("n_right", "n_decided"), on=("problem_id", "place"))
    rows = problems.join(sides.sort("place"), on="problem_id", maintain_order="left_right")
    stated = rows.with_columns(**rates(), **{name: pl.lit(value) for name, value in origin.items()})
    return CONTRAST_PAIRS.validate(stated.select(list(CONTRAST_PAIRS.columns)))
