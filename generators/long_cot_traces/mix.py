"""Chooses the queries for long chains of thought: rated ones by criteria and topic, others by pass rate.

Both ways give a `QUERY_MIX` table, which says of every query why it was kept or dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from math import floor

import polars as pl

from filters.rules import REASON, Filtered, apply_rules
from filters.texts.quality import pass_rate_within
from generators.long_cot_traces.schema import QUERY_MIX

RATINGS: dict[str, pl.DataType | type[pl.DataType]] = {
    "problem_id": pl.String,
    "criteria": pl.List(pl.Boolean),
    "topic": pl.String,
    "fault": pl.String,
}
_KEPT = "is_within_share"
_FINEST = 1_000_000  # a share is a fraction of at most that denominator, so that 0.7 is seven tenths


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The share of each group in the mix; groups that are not named have none.

    `size` is the number of queries in all. A group with too few gives what it has, and no other group makes up for it.
    Without a size, the mix is as large as the shares allow with the groups that have any query at all.
    """

    of: Mapping[str, float]
    size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.of or min(self.of.values()) < 0 or abs(sum(self.of.values()) - 1) > 1e-6:
            raise ValueError(f"of must be shares of at least 0 that add up to 1, got {dict(self.of)}")
        if self.size is not None and self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")


def mix_by_ratings(ratings: pl.DataFrame, *, least_criteria: int, shares: Shares | None = None) -> pl.DataFrame:
    """The mix of rated queries (columns of `RATINGS`): enough criteria, a topic, and its topic's share."""
    counted = ratings.with_columns(pl.col("criteria").list.sum().cast(pl.Int64).alias("n_criteria"))
    faults = counted["fault"].unique().drop_nulls().sort().to_list()
    rules = {fault: pl.col("fault").ne_missing(fault) for fault in faults}
    judged = apply_rules(counted, {**rules, "too_few_criteria": pl.col("n_criteria") >= least_criteria})
    return _mix(judged, "criteria_met", "topic", shares)


def mix_by_difficulty(
    difficulty: pl.DataFrame, *, least: float, most: float, shares: Shares | None = None
) -> pl.DataFrame:
    """The mix of the queries of a `PROBLEM_DIFFICULTY` table: a pass rate within bounds, and the difficulty's share."""
    rules = {"no_pass_rate": pl.col("pass_rate").is_not_null(), **pass_rate_within(least, most)}
    return _mix(apply_rules(difficulty, rules), "pass_rate_within", "difficulty", shares)


def within_shares(rows: pl.DataFrame, *, column: str, shares: Shares) -> Filtered:
    """Keep of every group in `column` as many rows as its share allows; a hash of id and seed chooses them."""
    groups = dict(rows.group_by(column).agg("problem_id").iter_rows())
    allowed = quotas({group: len(members) for group, members in groups.items()}, shares)
    kept = {
        name
        for group, members in groups.items()
        for name in sorted(members, key=lambda name: _digest(name, shares.seed))[: allowed.get(group, 0)]
    }
    judged = rows.with_columns(pl.Series(_KEPT, [name in kept for name in rows["problem_id"]], dtype=pl.Boolean))
    filtered = apply_rules(judged, {f"beyond_share_of_{column}": pl.col(_KEPT)})
    return Filtered(filtered.kept.drop(_KEPT), filtered.dropped.drop(_KEPT))


def quotas(available: Mapping[str, int], shares: Shares) -> dict[str, int]:
    """How many rows each group gives: its share of the size rounded down, the rest to the largest fractions."""
    wanted = {
        group: Fraction(share).limit_denominator(_FINEST)
        for group, share in shares.of.items()
        if share > 0 and available.get(group, 0) > 0
    }
    if not wanted:
        return {}
    size = shares.size
    if size is None:
        total = sum(wanted.values())
        wanted = {group: share / total for group, share in wanted.items()}
        size = floor(min(available[group] / share for group, share in wanted.items()))
    exact = {group: share * size for group, share in wanted.items()}
    whole = {group: floor(number) for group, number in exact.items()}
    rest = round(sum(exact.values())) - sum(whole.values())
    for group in sorted(wanted, key=lambda group: (whole[group] - exact[group], group))[:rest]:
        whole[group] += 1
    return {group: min(count, available[group]) for group, count in whole.items()}


def _mix(judged: Filtered, kept_because: str, column: str, shares: Shares | None) -> pl.DataFrame:
    parted = judged
    if shares is not None:
        shared = within_shares(judged.kept, column=column, shares=shares)
        parted = Filtered(shared.kept, pl.concat([judged.dropped, shared.dropped], how="diagonal_relaxed"))
    kept = parted.kept.with_columns(pl.lit(kept_because).alias("why"), is_kept=pl.lit(True))
    dropped = parted.dropped.rename({REASON: "why"}).with_columns(is_kept=pl.lit(False))
    rows = pl.concat([kept, dropped], how="diagonal_relaxed")
    missing = [
        pl.lit(None).cast(QUERY_MIX.columns[name].dtype).alias(name)
        for name in QUERY_MIX.columns
        if name not in rows.columns
    ]
    return QUERY_MIX.validate(rows.with_columns(missing).select(list(QUERY_MIX.columns)).sort("problem_id"))


def _digest(name: str, seed: int) -> bytes:
    return blake2b(f"{seed}/{name}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
