"""Measures a release, its verification, a second release and the comparison of the two, each in a fresh process.

The rows are true process labels, or with `--dataset` step pairs, in slices of some thousands; the second version lacks
one problem in twenty, has as many new ones, and other solutions in one slice in twenty. CPU seconds are those of a
process and its workers, megabytes the most that the process held. What is measured is kept in `--folder`: a run that
was cut off goes on from there. The last line is JSON.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from benchmarks.scale_rows import SOLUTIONS, label_rows, pair_rows, parameters
from generators.dataset import Dataset, Parameters
from generators.process_labels.dataset import DATASET as LABELS
from generators.step_preference_pairs.dataset import DATASET as PAIRS
from releases.comparison.versions import diff
from releases.drafting import laid_out
from releases.facts import ReleaseFacts, SourceFacts
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from releases.workers import Workers, workers

SIZES = (2_000, 4_000, 8_000, 16_000)
SLICE_ROWS = 4_000
DATASETS: dict[str, Dataset[Any]] = {dataset.name: dataset for dataset in (LABELS, PAIRS)}
STAGES = ("tables", "release", "verify", "next_release", "diff")
_CHANGED = 20  # one problem in so many is gone, one is new, and one slice is made again


def releases(
    rows: int, tokens: int = 80, folder: Path | None = None, dataset: str = LABELS.name, workers: Sequence[str] = ()
) -> dict[str, Any]:
    """CPU seconds, seconds and megabytes of each stage for versions of so many rows."""
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        figures = {stage: _in_a_fresh_process(stage, rows, tokens, place, dataset, workers) for stage in STAGES}
    return {stage: figures[stage] for stage in STAGES[1:]}


def growth(sizes: tuple[int, ...] = SIZES, tokens: int = 80, dataset: str = LABELS.name) -> dict[str, Any]:
    """The figures of every size, and the exponents of CPU seconds and megabytes in the number of rows."""
    by_rows = {rows: releases(rows, tokens, dataset=dataset) for rows in sizes}
    exponents = {
        stage: {
            what: exponent({rows: figures[stage][what] for rows, figures in by_rows.items()})
            for what in ("cpu_s", "mb")
        }
        for stage in STAGES[1:]
    }
    return {
        "dataset": dataset,
        "tokens": tokens,
        "rows": by_rows,
        "exponents": exponents,
        "time_exponent_max": max(one["cpu_s"] for one in exponents.values()),
        "memory_exponent_max": max(one["mb"] for one in exponents.values()),
    }


def exponent(figures: dict[int, float]) -> float:
    """The exponent of the power law through figures by size, by least squares of their logarithms."""
    points = [(math.log(size), math.log(max(figure, 1e-9))) for size, figure in figures.items()]
    x, y = (sum(values) / len(points) for values in zip(*points, strict=True))
    slope: float = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
    return round(slope, 2)


def _in_a_fresh_process(
    stage: str, rows: int, tokens: int, folder: Path, dataset: str, workers: Sequence[str]
) -> dict[str, float]:
    done = folder / f"{stage}.json"
    if not done.exists():
        command = [sys.executable, "-m", "benchmarks.scale_releases", "--stage", stage, "--folder", str(folder)]
        command += ["--rows", str(rows), "--tokens", str(tokens), "--dataset", dataset, *workers]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print(f"{rows} rows, {stage}: {done.read_text()}", file=sys.stderr, flush=True)
    figures: dict[str, float] = json.loads(done.read_text())
    return figures


def _run(stage: str, rows: int, tokens: int, folder: Path, dataset: Dataset[Any], side_by_side: Workers) -> None:
    """Run one stage in this process and write what it took."""
    began = time.monotonic()
    match stage:
        case "tables":
            _make_tables(rows, tokens, folder, dataset)
        case "release":
            _publish(folder, "first", "r1", dataset, side_by_side)
        case "next_release":
            _publish(folder, "second", "r2", dataset, side_by_side)
        case "verify":
            report = verify(UPath(folder) / "releases" / dataset.name / "v0.1.0")
            if report.findings:
                raise RuntimeError(f"the release has findings, first {report.findings[0]}")
        case "diff":
            versions = UPath(folder) / "releases" / dataset.name
            diff(versions / "v0.1.0", versions / "v0.2.0")
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    figures = {
        "cpu_s": round(sum(one.ru_utime + one.ru_stime for one in (own, children)), 2),
        "s": round(time.monotonic() - began, 1),
        "mb": own.ru_maxrss // 1024,
        "mb_of_a_worker": children.ru_maxrss // 1024,
    }
    (folder / f"{stage}.json").write_text(json.dumps(figures))


def _make_tables(rows: int, tokens: int, folder: Path, dataset: Dataset[Any]) -> None:
    make = label_rows if dataset is LABELS else pair_rows
    for number, start in enumerate(range(0, rows, SLICE_ROWS)):
        key, n = f"sums-{number:04d}", min(SLICE_ROWS, rows - start)
        first = make(n, key, first=start // SOLUTIONS, tokens=tokens)
        seed = "again" if number % _CHANGED == _CHANGED - 1 else ""
        problem = pl.int_range(pl.len()) // SOLUTIONS
        kept = make(n, key, first=start // SOLUTIONS, seed=seed, tokens=tokens) if seed else first
        kept = kept.filter(problem % _CHANGED > 0)
        new = make(n - kept.height, key, first=(rows + start) // SOLUTIONS, tokens=tokens)
        for name, table in (("first", first), ("second", pl.concat([kept, new]))):
            (folder / name).mkdir(parents=True, exist_ok=True)
            table.write_parquet(folder / name / f"{key}.parquet")


def _publish(folder: Path, name: str, round_key: str, dataset: Dataset[Any], side_by_side: Workers) -> None:
    slices = sorted((folder / name).glob("*.parquet"))

    def tables() -> Iterator[dict[str, pl.DataFrame]]:
        for path in slices:
            yield {dataset.stage.schema.name: pl.read_parquet(path)}

    given = parameters([path.stem for path in slices]) if dataset is LABELS else Parameters()
    laid = laid_out(dataset, tables(), given, workers=side_by_side)
    sources = [SourceFacts(name="sums", licence="mit", problems=laid.main.only("problem_id")["problem_id"].n_unique())]
    facts = ReleaseFacts(policy="benchmark", round=round_key, sources=sources, stages=(), licence="MIT")
    LocalRegistry(UPath(folder) / "releases").publish(laid.draft(facts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="one size instead of several")
    parser.add_argument("--dataset", choices=DATASETS, default=LABELS.name)
    parser.add_argument("--tokens", type=int, default=80, help="of a solution")
    parser.add_argument("--folder", type=Path, help="where tables, versions and figures are kept; needs --rows")
    parser.add_argument("--stage", choices=STAGES, help="one stage alone, in this process")
    parser.add_argument("--workers", type=int, default=1, help="processes that derive rows")
    parser.add_argument("--on-ray", action="store_true", help="tasks of a Ray cluster instead of processes")
    given = parser.parse_args()
    more = ["--workers", str(given.workers), *(["--on-ray"] if given.on_ray else [])]
    if given.stage:
        with workers(given.workers, on_ray=given.on_ray) as side_by_side:
            _run(given.stage, given.rows, given.tokens, given.folder, DATASETS[given.dataset], side_by_side)
    elif given.rows:
        if given.folder:
            given.folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps({"rows": given.rows, **releases(given.rows, given.tokens, given.folder, given.dataset, more)}))
    else:
        print(json.dumps(growth(tokens=given.tokens, dataset=given.dataset)))
