"""How time and memory grow: stages at four sizes that double each, ledger, releases, filters, client; one JSON object.

An exponent is the slope of the logarithms by least squares over the four sizes. That of time is of the CPU seconds
beyond those of a process that does nothing but start; that of memory is of the peak as it is, beside the slope in MB a
problem. A stage that made no row at some size has no exponents: there was no work to fit. Each figure comes from a
process of its own. `--quick` takes small sizes: its exponents are rough.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from math import fsum, log
from typing import Any

from benchmarks.scale_stages import NOTHING, STAGES, stages

SIZES = {80: (125, 250, 500, 1000), 2000: (25, 50, 100, 200)}
QUICK = {80: (20, 40, 80, 160), 2000: (5, 10, 20, 40)}
ROOMS: Mapping[str, tuple[str, ...]] = {"filters": (), "client": (), "ledger": (), "releases": ()}
QUICK_ROOMS: Mapping[str, tuple[str, ...]] = {
    "filters": ("--only", "solutions", "--size", "4000"),
    "client": ("--rollouts", "256"),
}
_LEAST_CPU_S = 0.01


def slope(points: Mapping[float, float] | Mapping[int, float]) -> float:
    """The slope of a straight line through the points, by least squares."""
    x, y = (sum(values) / len(points) for values in zip(*points.items(), strict=True))
    return fsum((at - x) * (value - y) for at, value in points.items()) / fsum((at - x) ** 2 for at in points)


def exponent(figures: Mapping[int, float]) -> float:
    """The exponent of the power law through figures by size."""
    return slope({log(size): log(max(value, _LEAST_CPU_S)) for size, value in figures.items()})


def grown(tokens: int, sizes: Sequence[int], only: tuple[str, ...]) -> dict[str, Any]:
    """The figures of each stage by number of problems, and how they grow."""
    by_size = {size: stages(size, tokens, (NOTHING, *only)) for size in sizes}
    return {stage: _growth(by_size, stage) for stage in only}


def _growth(by_size: Mapping[int, Mapping[str, Mapping[str, float]]], stage: str) -> dict[str, Any]:
    peaks = {size: made[stage]["peak_mb"] for size, made in by_size.items()}
    seconds = {size: made[stage]["cpu_s"] - made[NOTHING]["cpu_s"] for size, made in by_size.items()}
    has_rows = all(made[stage]["rows"] for made in by_size.values())
    return {
        "sizes": {size: made[stage] for size, made in by_size.items()},
        "time_exponent": round(exponent(seconds), 2) if has_rows else None,
        "memory_exponent": round(exponent(peaks), 2) if has_rows else None,
        "mb_per_problem": round(slope(peaks), 3),
    }


def room(name: str, arguments: Sequence[str]) -> dict[str, Any]:
    """The figures of another benchmark, which prints them as the last line."""
    command = [sys.executable, "-m", f"benchmarks.scale_{name}", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def table(by_tokens: Mapping[int, Mapping[str, Any]]) -> str:
    """The stages as a table: CPU seconds and peak MB by size, and how they grow."""
    lines = ["tokens  stage                     problems: CPU s / MB"]
    for tokens, by_stage in by_tokens.items():
        for stage, growth in by_stage.items():
            cells = "  ".join(f"{n}: {one['cpu_s']:.1f} / {one['peak_mb']:.0f}" for n, one in growth["sizes"].items())
            time, memory = growth["time_exponent"], growth["memory_exponent"]
            grows = "no rows at some size" if time is None else f"time ^{time:.2f}  memory ^{memory:.2f}"
            lines.append(f"{tokens:<7} {stage:<25} {cells}  {grows}, {growth['mb_per_problem']:.3f} MB a problem")
    return "\n".join(lines)


def main() -> None:
    """Measure everything, print the table of stages, and last one JSON object."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true", help="small sizes, without ledger and releases")
    arguments.add_argument("--stages", nargs="*", choices=STAGES, default=STAGES, help="these stages alone")
    arguments.add_argument("--rooms", nargs="*", choices=tuple(ROOMS), help="these other benchmarks alone")
    arguments.add_argument("--tokens", nargs="*", type=int, choices=tuple(SIZES), default=tuple(SIZES))
    options = arguments.parse_args()
    sizes = QUICK if options.quick else SIZES
    by_tokens = {tokens: grown(tokens, sizes[tokens], tuple(options.stages)) for tokens in options.tokens}
    commands = QUICK_ROOMS if options.quick else ROOMS
    names = tuple(commands) if options.rooms is None else options.rooms
    others = {name: room(name, commands.get(name, ())) for name in names}
    print(table(by_tokens))
    print(json.dumps(figures(by_tokens, others)))


def figures(by_tokens: Mapping[int, Mapping[str, Any]], others: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The figures that bounds are set for, then all of them."""
    growths, without_rows = [], []
    for tokens, by_stage in by_tokens.items():
        for stage, growth in by_stage.items():
            if growth["time_exponent"] is None:
                without_rows.append(f"{stage} at {tokens} tokens")
            else:
                growths.append(growth)
    client, filters = others.get("client", {}), others.get("filters", {})
    grows = [other for other in others.values() if "time_exponent_max" in other]
    times = [*(one["time_exponent"] for one in growths), *(other["time_exponent_max"] for other in grows)]
    return {
        "time_exponent_max": max(times, default=None),
        "memory_exponent_max": max((one["memory_exponent"] for one in growths), default=None),
        "without_rows": without_rows,
        "mb_per_solution_4k_words": filters.get("mb_per_solution_4k_words", filters.get("mb")),
        "rollouts_per_cpu_s_2k": client.get("rollouts_per_cpu_s_2k"),
        "rollouts_per_cpu_s_2k_prefix_4k": client.get("rollouts_per_cpu_s_2k_prefix_4k"),
        "stages": by_tokens,
        **others,
    }


if __name__ == "__main__":
    main()
