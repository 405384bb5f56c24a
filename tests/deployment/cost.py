"""What a fault cost: which rollouts had to be drawn a second time, out of what a policy's server answered."""

import json
from collections import Counter

import polars as pl

from generators.sampling.sampler import rollout_seed


def ledger_seeds(data_root, round_key):
    """The seeds of all rollouts that stand in the ledger of a round."""
    parts = sorted(data_root.glob(f"ledger/*/{round_key}/*/part-*.parquet"))
    rows = [row for part in parts for row in pl.read_parquet(part, columns=["key", "index"]).iter_rows()]
    return {rollout_seed(key, index, 0) for key, index in rows}


def drawn_twice(drawn):
    """Seed and tokens of what was drawn more than once."""
    times = Counter(seed for seed, _ in drawn)
    return {seed: tokens for seed, tokens in drawn if times[seed] > 1}


def told(fault, **figures):
    """Print one line of the table in docs/faults.md (pytest shows it with -s)."""
    print(f"\nfault {json.dumps({'fault': fault} | figures)}")
