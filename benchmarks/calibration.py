"""Measures whether what is published beside the labels is true: intervals, soundness, named first errors and margins.

Attempts, process labels and step preference pairs are made by the stages themselves, at their defaults, over a grid of
simulated laws whose truth is known: flat and rising values, recovery from 0 to 0.3, fatal and forgivable errors, 3 to
30 steps, and laws that the priors of the sequential test do not hold. Every cell is printed.

The last line is JSON. `coverage_min`, `coverage_max` and `coverage_mean` are of the shares of 95 % intervals of step
values that hold the truth, over the cells. Steps whose true value is exactly 0 or 1 are counted apart
(`coverage_ends_min`): an interval that ends there cannot miss it by chance, so they would hide others that are too
narrow. `soundness_error_max` is the largest difference between stated and true
soundness in any of ten bins with at least 200 steps, `named_exact_minus_stated_min` the least difference between the
share of named first errors that are exact and their stated confidence, and `margin_bias_max` the largest mean
difference between a kept pair's margin and the true one. The cells of laws that the model does not claim to cover count
only in the keys that end in `_outside`.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.law_slice import LawSlice
from filters.answers.verdicts import Verdict
from generators.attempts.settings import Settings as AttemptsSettings
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.statement import SimulatedProblems
from generators.process_labels.held_out import held_out_figures
from generators.process_labels.labels import with_labels
from generators.process_labels.settings import Settings as LabelSettings
from generators.step_preference_pairs.settings import Settings as PairSettings

BINS = 10
LEAST_STEPS = 200
LEAST_NAMED = 50
ENDS = 1e-9  # how near a true value is 0 or 1
ALL = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
# Many rates: with two or three, an interval that holds them all is never wrong, and no rule for intervals changes that.
HARD = tuple(rate / 100 for rate in range(6, 35))
EASY = tuple(rate / 100 for rate in range(75, 96))
ERRORS = tuple(rate / 100 for rate in range(2, 31))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A law, the number of steps of its problems, and whether the model claims to cover it."""

    name: str
    law: SimulatedLaw
    steps: tuple[int, int] = (5, 14)
    claimed: bool = True

    def engine(self) -> SimulatedPolicy:
        """The policy with this law."""
        problems = SimulatedProblems(min_steps=self.steps[0], max_steps=self.steps[1])
        return SimulatedPolicy(law=self.law, problems=problems, keeps_log=False)


CELLS = (
    Cell(name="fatal", law=SimulatedLaw(base_rates=ALL, recovery_rate=0.0)),
    Cell(name="recovery 0.05", law=SimulatedLaw(base_rates=ALL)),
    Cell(name="recovery 0.1", law=SimulatedLaw(base_rates=ALL, recovery_rate=0.1)),
    Cell(  # not claimed: wrong prefixes are worth nearly as much as right ones, so rollouts do not say which is which
        name="recovery 0.3",
        law=SimulatedLaw(base_rates=(0.4, 0.5, 0.6, 0.7, 0.8, 0.9), recovery_rate=0.3),
        claimed=False,
    ),
    Cell(name="hard", law=SimulatedLaw(base_rates=HARD)),
    Cell(name="easy", law=SimulatedLaw(base_rates=EASY)),
    Cell(name="short", law=SimulatedLaw(base_rates=ALL), steps=(2, 4)),
    Cell(name="long", law=SimulatedLaw(base_rates=ALL), steps=(20, 29)),
    Cell(name="flat", law=SimulatedLaw(base_rates=ALL, late=True)),
    Cell(name="error 0.02 to 0.3 a step", law=SimulatedLaw(error_rates=ERRORS, recovery_rate=0.05)),
    Cell(  # not claimed: every value is one of two, so an interval of 0.95 holds both, or one that is nearly certain
        name="error 0.1 a step", law=SimulatedLaw(error_rates=(0.1,), recovery_rate=0.05), claimed=False
    ),
    Cell(name="error 0.1, recovery 0.5", law=SimulatedLaw(error_rates=(0.1,), recovery_rate=0.5), claimed=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the stages made of one cell: labelled solutions, and pairs."""

    labels: pl.DataFrame
    pairs: pl.DataFrame
    held_out: pl.DataFrame
    samples: int


async def made(cell: Cell, n_problems: int, folder: Path) -> Made:
    """Make the three tables."""
    engine = cell.engine()
    slice = LawSlice(engine=engine, questions=[engine.problem(index) for index in range(n_problems)], folder=folder)
    settings = LabelSettings(audit=0)
    await slice.make("attempts", AttemptsSettings(max_tokens=1000))
    tried = engine.counts.sequences
    await slice.make("process_labels", settings)
    labels = with_labels(slice.table("process_labels"), hard_threshold=0.0, confidence=settings.confidence)
    samples = engine.counts.sequences - tried
    await slice.make("step_preference_pairs", PairSettings())
    return Made(
        labels=labels,
        pairs=slice.table("step_preference_pairs"),
        held_out=slice.table("held_out_steps"),
        samples=samples,
    )


def inner_steps(engine: SimulatedPolicy, labels: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Every step but the last of each solution: its interval, its stated soundness, and the truth about both."""
    for row in labels.iter_rows(named=True):
        prompt, ids = tuple(row["prompt_token_ids"]), tuple(row["token_ids"])
        first = engine.first_error(prompt + ids)
        for step, end in enumerate(row["step_ends"][:-1]):
            yield {
                "problem_id": row["problem_id"],
                "is_wrong": row["verdict"] == Verdict.DIFFERENT.value,
                "after_error": first is not None and step >= first,
                "truth": engine.value(prompt + ids[:end]),
                "low": row["values_low"][step],
                "high": row["values_high"][step],
                "mean": row["values"][step],
                "sound": row["sound"][step] if row["sound"] is not None else None,
                "is_sound": first is None or step < first,
                "label": row["hard_labels"][step],
            }


def named_errors(engine: SimulatedPolicy, labels: pl.DataFrame) -> Iterator[tuple[float, bool]]:
    """The stated confidence of each first error that is named in a wrong solution, and whether it is exact."""
    wrong = labels.filter(pl.col("verdict") == Verdict.DIFFERENT.value, pl.col("first_error") >= 0)
    for row in wrong.iter_rows(named=True):
        step, sound = row["first_error"], [1.0, *row["sound"]]
        first = engine.first_error(tuple(row["prompt_token_ids"]) + tuple(row["token_ids"]))
        yield sound[step] - sound[step + 1], first == step


def margin_errors(engine: SimulatedPolicy, pairs: pl.DataFrame) -> list[float]:
    """Each kept pair's stated margin less its true one."""
    errors = []
    for row in pairs.iter_rows(named=True):
        prefix = tuple(row["prefix_token_ids"])
        better, worse = (engine.value(prefix + tuple(row[f"{side}_token_ids"])) for side in ("chosen", "rejected"))
        errors.append(row["value_margin"] - (better - worse))
    return errors


def soundness_bins(steps: pl.DataFrame) -> list[dict[str, float]]:
    """Stated and true soundness in ten bins of the stated one, with the standard error of their difference."""
    stated = steps.filter(pl.col("sound").is_not_null()).with_columns(
        bin=(pl.col("sound") * BINS).floor().clip(upper_bound=BINS - 1), off=pl.col("sound") - pl.col("is_sound")
    )
    return [
        {
            "bin": bin,
            "steps": inside.height,
            "stated": float(inside["sound"].sum()) / inside.height,
            "true": float(inside["is_sound"].sum()) / inside.height,
            "standard_error": standard_error(inside, "off"),
        }
        for (bin,), inside in sorted(stated.partition_by("bin", as_dict=True).items())
    ]


def standard_error(steps: pl.DataFrame, column: str) -> float:
    """The standard error of a mean over steps; those of one problem count as one, since they go together."""
    apart = pl.col(column).cast(pl.Float64) - pl.col(column).cast(pl.Float64).mean()
    by_problem = steps.with_columns(apart=apart).group_by("problem_id").agg(pl.col("apart").sum())["apart"].to_numpy()
    return float(np.sqrt((by_problem**2).sum()) / steps.height)


def figures(cell: Cell, made: Made) -> dict[str, Any]:
    """What one cell shows."""
    engine = cell.engine()
    steps = pl.DataFrame(list(inner_steps(engine, made.labels)), infer_schema_length=None)
    holds = (pl.col("truth") >= pl.col("low")) & (pl.col("truth") <= pl.col("high"))
    steps = steps.with_columns(holds=holds)
    between = pl.col("truth").is_between(ENDS, 1 - ENDS)
    held_out = held_out_figures(made.held_out).get("all", {})
    bins = soundness_bins(steps)
    large = [b for b in bins if b["steps"] >= LEAST_STEPS]
    worst = max(large, key=lambda b: abs(b["stated"] - b["true"]), default=None)
    named = list(named_errors(engine, made.labels))
    margins = margin_errors(engine, made.pairs)
    wrong = made.labels.filter(pl.col("verdict") == Verdict.DIFFERENT.value)
    return {
        "solutions": made.labels.height,
        "steps": steps.height,
        "samples_per_solution": made.samples / max(1, made.labels.height),
        "coverage": _share(steps, between),
        "coverage_standard_error": standard_error(inner, "holds") if (inner := steps.filter(between)).height else 0.0,
        "coverage_ends": _share(steps, ~between),
        "coverage_wrong": _share(steps, between & pl.col("is_wrong")),
        "coverage_after_error": _share(steps, between & pl.col("after_error")),
        "width": _mean((steps["high"] - steps["low"]).to_list()),
        "bias": _mean((steps["mean"] - steps["truth"]).drop_nulls().to_list()),
        "bins": bins,
        "soundness_error": abs(worst["stated"] - worst["true"]) if worst else 0.0,
        "soundness_standard_error": worst["standard_error"] if worst else 0.0,
        "named": len(named),
        "named_stated": _mean([stated for stated, _ in named]),
        "named_exact": _mean([float(exact) for _, exact in named]),
        "undecided_solutions": wrong["first_error"].null_count() / max(1, wrong.height),
        "pairs": len(margins),
        "margin_bias": _mean(margins),
        "margin_error": float(np.std(margins) / max(1, len(margins)) ** 0.5) if margins else 0.0,
        "held_out": held_out.get("steps", 0),
        "held_out_inside": held_out.get("inside"),
    }


def _share(steps: pl.DataFrame, where: pl.Expr) -> float | None:
    chosen = steps.filter(where)
    return float(chosen["holds"].cast(pl.Float64).sum()) / chosen.height if chosen.height else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def summary(cells: Sequence[tuple[Cell, dict[str, Any]]]) -> dict[str, float]:
    """The worst and the mean over the cells that the model claims to cover, and over the others."""
    found: dict[str, float] = {}
    for suffix, chosen in (
        ("", [figures for cell, figures in cells if cell.claimed]),
        ("_outside", [figures for cell, figures in cells if not cell.claimed]),
    ):
        if not chosen:
            continue
        coverage = [figures["coverage"] for figures in chosen if figures["coverage"] is not None]
        ends = [figures["coverage_ends"] for figures in chosen if figures["coverage_ends"] is not None]
        named = [f["named_exact"] - f["named_stated"] for f in chosen if f["named"] >= LEAST_NAMED]
        found |= {
            f"coverage_min{suffix}": min(coverage, default=0.0),
            f"coverage_max{suffix}": max(coverage, default=0.0),
            f"coverage_mean{suffix}": _mean(coverage),
            f"coverage_ends_min{suffix}": min(ends, default=1.0),
            f"soundness_error_max{suffix}": max(figures["soundness_error"] for figures in chosen),
            f"named_exact_minus_stated_min{suffix}": min(named, default=0.0),
            f"margin_bias_max{suffix}": max(
                (abs(f["margin_bias"]) for f in chosen if f["pairs"] >= LEAST_NAMED), default=0.0
            ),
        }
    return {name: round(value, 4) for name, value in found.items()}


def line(name: str, f: dict[str, Any], seconds: float) -> str:
    """One cell as a line of the table."""
    off, doubt = f["coverage_standard_error"], f["soundness_standard_error"]
    wrong, after, ends = (_shown(f[f"coverage_{part}"]) for part in ("wrong", "after_error", "ends"))
    return (
        f"{name:<24} {f['steps']:>6} steps, coverage {_shown(f['coverage'])} ± {off:.3f} (wrong solutions {wrong}, "
        f"after an error {after}, values of 0 and 1 {ends}), width {f['width']:.3f}, bias {f['bias']:+.3f}; "
        f"soundness off by {f['soundness_error']:.3f} ± {doubt:.3f}; "
        f"named {f['named']}: exact {f['named_exact']:.3f}, stated {f['named_stated']:.3f}; "
        f"undecided {f['undecided_solutions']:.2f}; "
        f"{f['pairs']} pairs, margin {f['margin_bias']:+.3f} ± {f['margin_error']:.3f}; "
        f"held out: {_shown(f['held_out_inside'])} of {f['held_out']} steps inside; "
        f"{f['samples_per_solution']:.1f} samples a solution, {seconds:.0f} s"
    )


def _shown(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def main() -> None:
    """Run the cells and print them, and the summary."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=300, help="of each cell")
    arguments.add_argument("--cells", nargs="*", default=[cell.name for cell in CELLS])
    arguments.add_argument("--bins", action="store_true", help="print the bins of soundness too")
    options = arguments.parse_args()
    done: list[tuple[Cell, dict[str, Any]]] = []
    for cell in CELLS:
        if cell.name not in options.cells:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = figures(cell, asyncio.run(made(cell, options.problems, Path(folder))))
        done.append((cell, found))
        print(line(cell.name, found, time.monotonic() - began), flush=True)
        for b in found["bins"] if options.bins else []:
            print(
                f"    stated {b['stated']:.3f} true {b['true']:.3f} ± {b['standard_error']:.3f} in {b['steps']} steps",
                flush=True,
            )
    print(json.dumps(summary(done)))


if __name__ == "__main__":
    main()
