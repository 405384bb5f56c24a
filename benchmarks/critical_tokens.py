"""Critical tokens by scores, by search and by both, against the scan of 64 rollouts from every token.

By default this runs on the simulated policy (`benchmarks.critical_rounds`), where the true critical token is known. It
covers base rates 0.3 to 0.9, recovery rates 0 and 0.02, and flat and rising rounds, with priors fitted to a pilot as in
a run. `benchmarks.critical_methods` counts the rollouts. The pilot's extra rollouts are spread evenly over the methods
that use its priors. The 16 attempts at each problem are not counted, since the pipeline needs them anyway.

With `--real` it runs on wrong solutions of a real model through a vLLM server (`benchmarks.critical_real`).

The scan is itself an estimate. Its rule requires a token without a right rollout among 64, but if a wrong prefix has a
value of 2 %, three tokens in four have one. So the figures compare each method with the truth and with the scan, and
the scan with the truth, separately by recovery rate.

The last line is JSON. `rollouts_ratio` is the share of the scan's rollouts, over all cells. `precision` and `recall`
are against the truth in flat cells with a base rate of at least 0.5, for the method with the best recall there;
`scan_precision` and `scan_recall` are the same against the scan. `scan_exact` is the share of these solutions in which
the scan finds the truth.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from benchmarks import critical_real
from benchmarks.critical_methods import Bench, Case, Cost, CountedSampler
from benchmarks.critical_rounds import stand_in_scores, token_round, true_position
from benchmarks.label_rounds import MAX_TOKENS, SAMPLING, VARIANTS, WINDOW, Round
from benchmarks.token_scan import PAPER
from filters.answers.checker import AnswerChecker
from generators.critical_token_pairs.settings import Settings as CriticalTokenSettings
from generators.critical_token_pairs.tokens.nominees import CriticalTokensConfig
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.pilot import calibrated
from generators.process_labels.recipe import ProcessLabelsConfig
from generators.process_labels.settings import Settings
from generators.sampling.ledger import Ledger
from generators.sampling.runner import run_recipe
from generators.search.exhaustive import Exhaustive
from generators.search.sequential_test import SequentialTest

RECOVERY_RATES = (0.0, 0.02)
HIGH_BASE = 0.5
SCAN_WINDOW = 8
LABELS = ProcessLabelsConfig(sampling=SAMPLING, max_tokens=MAX_TOKENS, settings=Settings(min_steps=1, max_steps=99))


async def searched(simulated_round: Round, cases: Sequence[Case], pilot: int, reference: Exhaustive) -> pl.DataFrame:
    """One row per solution and method: its cell, the truth, the result and the cost."""
    engine = simulated_round.policy()
    with (
        tempfile.TemporaryDirectory() as folder,
        AnswerChecker() as checker,
        Ledger(UPath(folder), flush_rows=20_000, flush_seconds=60.0) as ledger,
    ):
        cost: Cost = {}
        labelling = _bench(engine, ledger, checker, SequentialTest(), cost).label
        strategy = await calibrated(
            SequentialTest(), cases, tried=simulated_round.tried, label=labelling, pilot=pilot, window=WINDOW
        )
        await run_recipe(lambda case: labelling(case, strategy), cases, window=WINDOW)
        bench = _bench(engine, ledger, checker, strategy)

        async def search_case(case: Case) -> list[dict[str, Any]]:
            truth = true_position(engine, case)
            scan_position, scan_rollouts = await bench.scanned(case, reference)
            results = await bench.results(case, strategy, stand_in_scores(case, truth))
            cell = {
                "variant": simulated_round.variant,
                "recovery": simulated_round.recovery_rate,
                "base": engine.law.base_rate(case.problem.prompt),
                "n_tokens": len(case.solution.token_ids),
                "truth": truth,
                "scan": scan_position,
                "scan_rollouts": scan_rollouts,
            }
            return [cell | asdict(method) for method in results]

        rows = (await run_recipe(search_case, cases, window=SCAN_WINDOW)).rows
    frame = pl.DataFrame([row for case in rows for row in case], infer_schema_length=None)
    pilots = len(cost) - int(frame.filter(method="search")["label_rollouts"].sum())
    return frame.with_columns(pl.col("rollouts") + pilots / len(cases))


def _bench(
    engine: SimulatedPolicy,
    ledger: Ledger,
    checker: AnswerChecker,
    strategy: SequentialTest,
    cost: Cost | None = None,
) -> Bench:
    def sampler() -> CountedSampler:
        counted = CountedSampler(policy="simulated", engine=engine, tokenizer=engine.tokenizer, ledger=ledger)
        counted.cost = counted.cost if cost is None else cost
        return counted

    tokens = CriticalTokensConfig(
        sampling=SAMPLING, max_tokens=MAX_TOKENS, priors=strategy.priors, settings=CriticalTokenSettings()
    )
    return Bench(sampler=sampler, checker=checker, labels=LABELS, tokens=tokens)


def summarised(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Precision and recall against the truth and the scan, and the cost, per group."""
    n_named, n_scanned = pl.col("position").is_not_null().sum(), pl.col("scan").is_not_null().sum()
    n_true, n_as_scanned = (pl.col("position") == pl.col("truth")).sum(), (pl.col("position") == pl.col("scan")).sum()
    return (
        rows.group_by(by)
        .agg(
            pl.len().alias("solutions"),
            pl.col("n_tokens").mean(),
            _share(n_true, n_named).alias("precision"),
            _share(n_true, pl.len()).alias("recall"),
            _share(n_as_scanned, n_named).alias("scan_precision"),
            _share(n_as_scanned, n_scanned).alias("scan_recall"),
            _share((pl.col("scan") == pl.col("truth")).sum(), pl.len()).alias("scan_exact"),
            pl.col("rollouts").mean(),
            pl.col("label_rollouts").mean(),
            (pl.col("rollouts").sum() / pl.col("scan_rollouts").sum()).alias("rollouts_ratio"),
        )
        .sort(by)
    )


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """The ratio, or null if `whole` is 0."""
    return pl.when(whole > 0).then(part / whole)


def figures(rows: pl.DataFrame) -> dict[str, Any]:
    """The figures of the last line."""
    high = rows.filter(pl.col("base") >= HIGH_BASE, pl.col("variant") == "flat")
    best = max(summarised(high, ("method",)).to_dicts(), key=lambda row: (row["recall"], row["method"]))
    overall = summarised(rows.filter(method=best["method"]), ("method",)).row(0, named=True)
    keys = ("precision", "recall", "scan_precision", "scan_recall", "scan_exact", "method")
    return {
        "rollouts_ratio": overall["rollouts_ratio"],
        **{key: best[key] for key in keys},
        "flat_high_base": summarised(high, ("method", "recovery")).to_dicts(),
        "by_variant": summarised(rows, ("variant", "recovery", "method")).to_dicts(),
    }


def one_round(task: tuple[str, float, int, int, Exhaustive]) -> pl.DataFrame:
    """Run one round in one process."""
    variant, recovery_rate, n_problems, pilot, reference = task
    began = time.monotonic()
    simulated_round, cases = token_round(variant, recovery_rate, n_problems)
    rows = asyncio.run(searched(simulated_round, cases, pilot, reference))
    seconds = time.monotonic() - began
    print(f"{variant}, recovery {recovery_rate}: {len(cases)} solutions, {seconds:.0f} s", file=sys.stderr, flush=True)
    return rows


def main() -> None:
    """Run the search and print the tables and figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=120, help="problems per round; there are four rounds")
    arguments.add_argument("--pilot", type=int, default=64, help="number of solutions to fit the priors to")
    arguments.add_argument("--reference", type=int, default=PAPER.rollouts_per_step, help="rollouts from every token")
    arguments.add_argument("--real", action="store_true", help="use a real vLLM server")
    arguments.add_argument(
        "--folder", type=Path, default=Path("data/benchmarks/critical_tokens"), help="where --real stores its rollouts"
    )
    critical_real.add_arguments(arguments)
    options = arguments.parse_args()
    reference = Exhaustive(rollouts_per_step=options.reference)
    if options.real:
        print(json.dumps(asyncio.run(critical_real.run(options, reference))))
        return
    tasks = [
        (variant, rate, options.problems, options.pilot, reference) for variant in VARIANTS for rate in RECOVERY_RATES
    ]
    with ProcessPoolExecutor(2) as pool:
        rows = pl.concat(list(pool.map(one_round, tasks)), how="vertical_relaxed")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=220, float_precision=3):
        print(summarised(rows, ("variant", "recovery", "base", "method")))
    print(json.dumps(figures(rows), default=float))


if __name__ == "__main__":
    main()
