"""Measures how many rollouts it takes to find a solution's first error, and how accurate the labels are.

Every strategy searches the same solutions of the simulated policy, whose first errors are known
(`benchmarks.label_rounds`: 5 to 14 steps, base rates 0.2 to 0.9, recovery rates 0 to 0.1, two variants). The strategies
do not know these parameters. The lower bound is the entropy of the error's position divided by the channel capacity of
one rollout: no strategy that is always right needs fewer on average. The 16 attempts at each problem are not counted,
since the pipeline needs them anyway. The samples for fitting the priors are counted, spread evenly.

The last line is JSON. `samples_ratio` (relative to the scan), `exact_first_error` and `bound_ratio` are means over the
flat cells with a base rate of at least 0.5. `precision_low_base` is the share of right labels among the labelled
solutions at base rate 0.2. `interval_coverage_error` is the coverage of the 95 % intervals minus 95 %, over everything.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from upath import UPath

from benchmarks.label_baselines import Bisection, OpenDiscipline, Scan
from benchmarks.label_rounds import (
    MAX_TOKENS,
    RECOVERY_RATES,
    SAMPLING,
    VARIANTS,
    WINDOW,
    Item,
    Round,
    make_round,
)
from filters.answers.checker import AnswerChecker, AnswerRule
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.labels import with_labels
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import LabelledProblem, ProcessLabelsConfig, label
from generators.process_labels.settings import Settings
from generators.process_labels.table import process_labels_table
from generators.records import LabelledSolution
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.sampling.sampler import Sampler
from generators.search.belief import INTERVAL
from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.sequential_test import SequentialTest
from generators.search.strategy import Strategy

PILOT = 128
STRATEGIES: dict[str, Strategy] = {
    "exhaustive k=8": Exhaustive(rollouts_per_step=8),
    "exhaustive k=16": Exhaustive(rollouts_per_step=16),
    "scan k=8": Scan(k=8),
    "scan k=16": Scan(k=16),
    "bisection k=8": Bisection(k=8),
    "bisection k=16": Bisection(k=16),
    "omegaprm k=8": OmegaPRM(k=8, budget=100),
    "open_omegaprm k=16": OpenDiscipline(),
    "sequential_test 0.90": SequentialTest(confidence=0.90),
    "sequential_test 0.94": SequentialTest(),
    "sequential_test 0.98": SequentialTest(confidence=0.98),
}
OURS, SCAN = "sequential_test 0.94", "scan k=16"
CONFIG = ProcessLabelsConfig(sampling=SAMPLING, max_tokens=MAX_TOKENS, settings=Settings(min_steps=1, max_steps=99))


@dataclass(frozen=True, slots=True)
class Searched:
    """One strategy's run over one round: its rows, samples by problem, and the engine's token counts."""

    rows: tuple[LabelledSolution, ...]
    samples: dict[str, int]
    tokens: dict[str, int]


async def searched(simulated_round: Round, strategy: Strategy, engine: SimulatedPolicy) -> Searched:
    """Label every solution of a round with a fresh ledger, counting samples by problem."""
    with tempfile.TemporaryDirectory() as folder, Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
        sampler = Sampler(policy="simulated", engine=engine, tokenizer=engine.tokenizer, ledger=ledger)

        async def label_item(item: Item, with_strategy: Strategy) -> LabelledProblem:
            return await label(
                item.problem,
                item.attempts,
                [item.solution],
                sampler=sampler,
                checker=checker,
                rule=AnswerRule(),
                config=CONFIG,
                strategy=with_strategy,
            )

        if isinstance(strategy, SequentialTest):
            strategy = await calibrated(
                strategy,
                simulated_round.items,
                tried=simulated_round.tried,
                label=label_item,
                pilot=PILOT,
                window=WINDOW,
            )
        done = await run_recipe(partial(label_item, with_strategy=strategy), simulated_round.items, window=WINDOW)
        samples = {row.tree.problem_id: _drawn(row, strategy) for row in done.rows}
    counts = engine.counts
    tokens = {
        "sequences": counts.sequences,
        "generated": counts.generated_tokens,
        "prefill": counts.prompt_tokens,
        "prefill_uncached": counts.prompt_tokens - counts.cached_tokens,
    }
    return Searched(tuple(solution for row in done.rows for solution in row.solutions), samples, tokens)


def _drawn(row: LabelledProblem, strategy: Strategy) -> int:
    """The rollouts in one problem's tree, without the attempts."""
    if isinstance(strategy, OpenDiscipline):
        return strategy.filter_rollouts + max(strategy.budget, strategy.k)
    return sum(len(node.outcomes) for node in row.tree if node.parent is not None)


def judged(simulated_round: Round, name: str) -> pl.DataFrame:
    """One row per labelled solution: its cell, the truth, the strategy's answer and its cost."""
    engine = simulated_round.policy()
    began = time.monotonic()
    result = asyncio.run(searched(simulated_round, STRATEGIES[name], engine))
    seconds = time.monotonic() - began
    strategy = STRATEGIES[name]
    confidence = strategy.confidence if isinstance(strategy, SequentialTest) else 0.9
    frame = process_labels_table(result.rows, {"policy": "simulated", "round": "r", "slice": "s"})
    labels = with_labels(frame, hard_threshold=0.0, confidence=confidence)
    rows = [
        _row(engine, row, simulated_round, result)
        | {"strategy": name, "variant": simulated_round.variant, "recovery": simulated_round.recovery_rate}
        for row in labels.iter_rows(named=True)
    ]
    judged_rows = pl.DataFrame(rows, infer_schema_length=None)
    per_row = {key: value / len(rows) for key, value in result.tokens.items()}
    extra = (result.tokens["sequences"] - sum(result.samples.values())) / len(
        rows
    )  # the pilot's samples, beyond those of its own rows
    return judged_rows.with_columns(
        pl.col("samples") + max(0.0, extra),
        *(pl.lit(value).alias(f"{key}_per_row") for key, value in per_row.items()),
        pl.lit(seconds).alias("seconds"),
    )


def _row(engine: SimulatedPolicy, row: dict[str, Any], simulated_round: Round, result: Searched) -> dict[str, Any]:
    prompt, token_ids = tuple(row["prompt_token_ids"]), tuple(row["token_ids"])
    truth = engine.first_error(prompt + token_ids)
    values = [engine.value(prompt + token_ids[:end]) for end in row["step_ends"][:-1]]
    of_problem = sum(solution.problem.problem_id == row["problem_id"] for solution in result.rows) or 1
    rate = engine.law.base_rate(row["prompt"])
    bounds = list(zip(row["values_low"], row["values_high"], values, strict=False))
    errors = [(value - true) ** 2 for value, true in zip(row["values"], values, strict=False) if value is not None]
    truth = -1 if truth is None else truth
    return {
        "base": rate,
        "n_steps": len(row["steps"]),
        "samples": result.samples[row["problem_id"]] / of_problem,
        "named": row["first_error"] is not None,
        "exact": row["first_error"] == truth,
        "guess": _guess(row) == truth,
        "covered": sum(low <= true <= high for low, high, true in bounds),
        "bounded": len(bounds),
        "squared_error": sum(errors),
        "valued": len(errors),
        "bound": float(np.log2(len(row["steps"])) / capacity(rate, simulated_round.recovery_rate)),
    }


def _guess(row: dict[str, Any]) -> int | None:
    """The most probable first error, even if the strategy is not sure."""
    if row["sound"] is None:
        return None if row["first_error"] is None else int(row["first_error"])
    shares = -np.diff([1.0, *row["sound"]])
    best = int(shares.argmax())
    return best if shares[best] > row["sound"][-1] else -1


def capacity(right: float, wrong: float) -> float:
    """The channel capacity of one rollout in bits: two success rates, at the best mixture."""
    share = np.linspace(0.001, 0.999, 999)
    mixed = share * right + (1 - share) * wrong
    information = _entropy(mixed) - share * _entropy(np.array([right])) - (1 - share) * _entropy(np.array([wrong]))
    return float(information.max() / np.log(2))


def _entropy(share: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    return np.asarray(-(inside * np.log(inside) + (1 - inside) * np.log1p(-inside)))


def summarised(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The figures of each strategy and cell."""
    return (
        rows.group_by(by)
        .agg(
            pl.len().alias("solutions"),
            pl.col("samples").mean(),
            pl.col("exact", "guess", "named").mean(),
            (pl.col("exact").sum() / pl.col("named").sum()).alias("precision"),
            (pl.col("samples").mean() / pl.col("bound").mean()).alias("bound_ratio"),
            (pl.col("squared_error").sum() / pl.col("valued").sum()).alias("brier"),
            (pl.col("covered").sum() / pl.col("bounded").sum()).alias("coverage"),
            pl.col("generated_per_row", "prefill_per_row", "prefill_uncached_per_row", "sequences_per_row").mean(),
        )
        .sort(by)
    )


def figures(rows: pl.DataFrame) -> dict[str, Any]:
    """The figures of the last line."""
    cells = summarised(rows, ("strategy", "variant", "base", "recovery")).filter(pl.col("variant") == "flat")
    ours, scan = (cells.filter(pl.col("strategy") == name) for name in (OURS, SCAN))
    high, scan_high = (part.filter(pl.col("base") >= 0.5) for part in (ours, scan))
    low = rows.filter(strategy=OURS, variant="flat", base=0.2, named=True)
    middle, scan_middle = (part.filter(pl.col("base") == 0.3) for part in (ours, scan))
    all_ours = rows.filter(pl.col("strategy") == OURS)
    coverage = int(all_ours["covered"].sum()) / int(all_ours["bounded"].sum())
    return {
        "samples_ratio": _mean(high, "samples") / _mean(scan_high, "samples"),
        "exact_first_error": _mean(high, "exact"),
        "bound_ratio": _mean(high, "bound_ratio"),
        "precision_low_base": _mean(low, "exact") if low.height else None,
        "interval_coverage_error": coverage - INTERVAL,
        "base_0.3": {
            "samples": _mean(middle, "samples"),
            "scan_samples": _mean(scan_middle, "samples"),
            "exact": _mean(middle, "exact"),
            "guess": _mean(middle, "guess"),
        },
        "labelled_share_low_base": _mean(rows.filter(strategy=OURS, variant="flat", base=0.2), "named"),
    }


def _mean(frame: pl.DataFrame, column: str) -> float:
    return float(np.mean(frame[column].to_numpy()))


def one_round(task: tuple[str, float, int, tuple[str, ...], Path | None]) -> pl.DataFrame:
    """Run every strategy over one round, in one process; results already in the folder are read from there."""
    variant, recovery_rate, n_problems, names, folder = task
    simulated_round = make_round(variant, recovery_rate, n_problems)
    parts = []
    for name in names:
        result_path = folder / f"{variant}-{recovery_rate}-{n_problems}-{name}.parquet" if folder else None
        if result_path and result_path.exists():
            parts.append(pl.read_parquet(result_path))
            continue
        parts.append(judged(simulated_round, name))
        if result_path:
            result_path.parent.mkdir(parents=True, exist_ok=True)
            parts[-1].write_parquet(result_path)
        seconds = parts[-1]["seconds"][0]
        print(f"{variant}, recovery {recovery_rate}: {name} in {seconds:.0f} s", file=sys.stderr, flush=True)
    return pl.concat(parts, how="vertical_relaxed")


def main() -> None:
    """Run the search and print the tables and figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=750, help="problems per round; there are eight rounds")
    arguments.add_argument("--strategies", nargs="*", default=list(STRATEGIES), choices=list(STRATEGIES))
    arguments.add_argument(
        "--folder", type=Path, help="store results here and resume from them (only for unchanged code)"
    )
    options = arguments.parse_args()
    tasks = [
        (variant, rate, options.problems, tuple(options.strategies), options.folder)
        for variant in VARIANTS
        for rate in RECOVERY_RATES
    ]
    with ProcessPoolExecutor(2) as pool:
        rows = pl.concat(list(pool.map(one_round, tasks)), how="vertical_relaxed")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=250, float_precision=3):
        print(summarised(rows, ("variant", "strategy", "base", "recovery")))
    by_strategy = summarised(rows, ("variant", "strategy")).to_dicts()
    print(json.dumps(figures(rows) | {"strategies": by_strategy}, default=float))


if __name__ == "__main__":
    main()
