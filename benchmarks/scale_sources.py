"""What the slices of one large source cost together: CPU seconds of one slice, of all of them, and peak memory.

Each slice is a process of its own, as in a deployment: the first one screens the whole source for all, the others find
their shard. `first_rollout_s` is how long a slice works before it can draw anything. The last line is JSON.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from upath import UPath

from benchmarks.scale_texts import prose
from generators.problems.screening import Screening
from generators.problems.settings import QualitySettings, Source
from generators.problems.shared import screened_shard

_SOLUTION_WORDS = 200  # of a column that is not read


def write_source(path: Path, n: int) -> None:
    """`n` problems of forty words as lines of JSON, each with a long solution beside its answer."""
    draw = random.Random(3)
    with path.open("w") as file:
        for _ in range(n):
            a, b = draw.randint(2, 999), draw.randint(2, 999)
            prompt = f"{prose(25, draw)} {a} and {b} of them, {prose(13, draw)} how many?"
            row = {"prompt": prompt, "answer": str(a * b), "solution": prose(_SOLUTION_WORDS, draw)}
            file.write(json.dumps(row) + "\n")


def one_slice(folder: Path, shards: int, index: int) -> dict[str, float]:
    """CPU and wall seconds and peak MB of one slice of the source in a folder."""
    source = Source.model_validate(
        {"kind": "file", "name": "source", "path": str(folder / "source.jsonl"), "shards": shards}
    )
    screening = Screening(source=source, quality=QualitySettings(), evaluation_sets=(), version="benchmark")
    began, wall = _cpu_s(), time.monotonic()
    own = asyncio.run(screened_shard(screening, index, folder=UPath(folder / "sources"), say=lambda line: None))
    return {
        "rows": own.kept.height,
        "cpu_s": _cpu_s() - began,
        "first_rollout_s": time.monotonic() - wall,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def sources(n: int, shards: int) -> dict[str, Any]:
    """All slices of a source of `n` problems, one after the other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder / "source.jsonl", n)
        each = [_in_a_process(folder, shards, index) for index in range(shards)]
    return {
        "problems": n,
        "shards": shards,
        "rows": sum(own["rows"] for own in each),
        "first_slice": {key: round(value, 2) for key, value in each[0].items()},
        "next_slice": {key: round(value, 2) for key, value in each[-1].items()},
        "cpu_s_of_all": round(sum(own["cpu_s"] for own in each), 2),
        "times_the_source": round(sum(own["cpu_s"] for own in each) / each[0]["cpu_s"], 2),
    }


def _in_a_process(folder: Path, shards: int, index: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale_sources", "--folder", str(folder)]
    command += ["--shards", str(shards), "--slice", str(index)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(answer.splitlines()[-1]))


def _cpu_s() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, nargs="+", default=[4000, 20_000])
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--folder", type=Path, help="with --slice: where the source lies")
    parser.add_argument("--slice", type=int, help="make one slice of the source in --folder")
    options = parser.parse_args()
    if options.slice is not None:
        print(json.dumps(one_slice(options.folder, options.shards, options.slice)))
    else:
        print(json.dumps([sources(n, options.shards) for n in options.problems]))


if __name__ == "__main__":
    main()
