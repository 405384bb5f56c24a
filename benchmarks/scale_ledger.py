"""Measures one ledger: writing it, opening it, reading every rollout back, counting its tokens and merging its parts.

Each stage runs in a fresh process, after a ledger of one rollout was opened there. CPU seconds are those of the stage,
megabytes the most that the process held; `nothing` is that small ledger alone. Parts are written as a run writes them,
of 256 rollouts; `append` holds all rollouts from its start, so its megabytes say nothing. Sixteen rollouts have a
prefix of 200 tokens in common. Token ids are made up, some frequent and most rare, as those of a tokenizer are. The
last line is JSON.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from upath import UPath

from generators.engine.protocol import Sampling
from generators.records import Rollout
from generators.sampling.ledger import Ledger, LedgerKey, totals
from generators.tokens import TokenIds

SIZES = {80: (20_000, 40_000, 80_000, 160_000), 2_000: (4_000, 8_000, 16_000, 32_000)}
STAGES = ("nothing", "append", "open", "replay", "totals", "compact", "open_compacted", "totals_compacted")
_PER_KEY = 16
_PART_ROWS = 256
_PREFIX = 200
_VOCABULARY = 150_000
_FOLDER = "ledger"


def ledger(rollouts: int, tokens: int) -> dict[str, Any]:
    """CPU seconds, seconds and megabytes of each stage for a ledger of so many rollouts of so many tokens."""
    with tempfile.TemporaryDirectory() as folder:
        return {stage: _in_a_fresh_process(stage, rollouts, tokens, folder) for stage in STAGES}


def growth(tokens: int, sizes: tuple[int, ...]) -> dict[str, Any]:
    """The figures of every size, and the exponents of CPU seconds and megabytes in the number of rollouts."""
    by_size = {size: ledger(size, tokens) for size in sizes}
    stages = [stage for stage in STAGES if stage != "nothing"]
    time_exponents = {
        stage: exponent({n: figures[stage]["cpu_s"] for n, figures in by_size.items()}) for stage in stages
    }
    memory_exponents = {
        stage: exponent({n: figures[stage]["mb"] for n, figures in by_size.items()})
        for stage in stages
        if stage != "append"  # it holds all rollouts from its start
    }
    return {
        "tokens": tokens,
        "rollouts": by_size,
        "time_exponents": time_exponents,
        "memory_exponents": memory_exponents,
        "time_exponent_max": max(time_exponents.values()),
        "memory_exponent_max": max(memory_exponents.values()),
    }


def exponent(figures: dict[int, float]) -> float:
    """The exponent of the power law through figures by size, by least squares of their logarithms."""
    slope = np.polyfit(np.log(list(figures)), [math.log(max(figure, 1e-3)) for figure in figures.values()], 1)[0]
    return round(float(slope), 2)


def _in_a_fresh_process(stage: str, rollouts: int, tokens: int, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale_ledger", "--stage", stage, "--folder", folder]
    command += ["--rollouts", str(rollouts), "--tokens", str(tokens)]
    last = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    print(f"{rollouts} rollouts of {tokens} tokens, {stage}: {last}", file=sys.stderr, flush=True)
    figures: dict[str, float] = json.loads(last)
    return figures


def _run(stage: str, rollouts: int, tokens: int, folder: UPath) -> dict[str, float]:
    """Run one stage in this process; what it took."""
    ready = list(_made(rollouts, tokens)) if stage == "append" else []  # the engine's work, not the ledger's
    _warm_up(folder.parent / stage)
    began, began_cpu = time.monotonic(), time.process_time()
    more: dict[str, float] = {}
    match stage:
        case "append":
            with Ledger(folder, merges=False) as open_ledger:
                for number, (key, rollout) in enumerate(ready, start=1):
                    open_ledger.add(key, rollout)
                    if number % _PART_ROWS == 0:
                        open_ledger.flush()
        case "open" | "open_compacted":
            with Ledger(folder, merges=False) as open_ledger:
                more["index_bytes_a_rollout"] = round(open_ledger.index_bytes / len(open_ledger), 1)
        case "replay":
            with Ledger(folder, merges=False) as open_ledger:
                for key in _keys(rollouts):
                    for index in range(_PER_KEY):
                        open_ledger.get(key.digest(), index)
        case "totals" | "totals_compacted":
            totals([folder])
        case "compact":
            with Ledger(folder, merges=False) as open_ledger:
                open_ledger.compact()
    parts = list(folder.glob("part-*.parquet"))
    return {
        "cpu_s": round(time.process_time() - began_cpu, 3),
        "s": round(time.monotonic() - began, 2),
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "parts": len(parts),
        "mb_on_disk": round(sum(part.stat().st_size for part in parts) / 1e6, 1),
        **more,
    }


def _warm_up(folder: UPath) -> None:
    for _ in range(2):
        with Ledger(folder, merges=False) as small:
            for key, rollout in _made(1, 1):
                small.add(key, rollout)
                small.get(rollout.key, rollout.index)
    totals([folder])


def _keys(rollouts: int) -> Iterator[LedgerKey]:
    for number in range(math.ceil(rollouts / _PER_KEY)):
        prefix = tuple(range(number, number + _PREFIX))
        yield LedgerKey(policy="made-up@0000", prefix=prefix, sampling=Sampling(temperature=0.7))


def _made(rollouts: int, tokens: int) -> Iterator[tuple[LedgerKey, Rollout]]:
    draw = np.random.default_rng(0)
    names = draw.permutation(_VOCABULARY).astype(np.uint32)
    for key in _keys(rollouts):
        digest = key.digest()
        ids = names[np.minimum(draw.zipf(1.2, (_PER_KEY, tokens)), _VOCABULARY - 1)]
        for index, row in enumerate(ids):
            yield key, Rollout(key=digest, index=index, token_ids=_ids(row), text="", finish_reason="length")


def _ids(row: np.ndarray) -> Any:
    return TokenIds(memoryview(row.tobytes()))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2_000, help="tokens of a rollout")
    parser.add_argument("--rollouts", type=int, help="one size; by default four that double")
    parser.add_argument("--stage", choices=STAGES, help="run one stage in this process")
    parser.add_argument("--folder", type=Path, help="where the ledger of a stage is")
    chosen = parser.parse_args()
    if chosen.stage:
        figures: Any = _run(chosen.stage, chosen.rollouts, chosen.tokens, UPath(chosen.folder) / _FOLDER)
    elif chosen.rollouts:
        figures = ledger(chosen.rollouts, chosen.tokens)
    else:
        figures = growth(chosen.tokens, SIZES.get(chosen.tokens, SIZES[2_000]))
    print(json.dumps(figures))


if __name__ == "__main__":
    _main()
