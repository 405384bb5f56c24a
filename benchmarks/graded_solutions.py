"""Compares the answer checker with verdicts of others on whole solutions.

Reads JSONL or Parquet with the columns `response` (the whole solution), `gold` (an answer, or a list of accepted ones)
and `is_right` (the other's verdict). Prints how often the checker agrees, lists the disagreements and the solutions
that it leaves open, and ends with one line of JSON.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from filters.answers.checker import AnswerChecker, AnswerRule, Decision, Verdict

COLUMNS = ("response", "gold", "is_right")
Kind = Literal["right", "wrong_equal", "wrong_different", "undecided", "no_answer", "raised"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_AT_ONCE = 64
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution, its accepted gold answers and the verdict that someone else gave it."""

    response: str
    gold: str | tuple[str, ...]
    is_right: bool


@dataclass(frozen=True, slots=True)
class Graded:
    """A solution with our decision."""

    solution: Solution
    decision: Decision

    @property
    def kind(self) -> Kind:
        """How our verdict relates to the other one."""
        verdict = self.decision.verdict
        if verdict is Verdict.NO_ANSWER:
            return "no_answer"
        if verdict is Verdict.ERROR:
            return "raised"
        if verdict.is_undecided:
            return "undecided"
        if verdict.is_right == self.solution.is_right:
            return "right"
        return "wrong_equal" if verdict.is_right else "wrong_different"


def read_solutions(path: Path) -> list[Solution]:
    """The solutions of a file; raises ValueError if it lacks a column or a value."""
    rows = list(_rows(path))
    for number, row in enumerate(rows, start=1):
        missing = [column for column in COLUMNS if row.get(column) is None]
        if missing:
            raise ValueError(f"row {number} of {path.name} has no {' and no '.join(missing)}: it needs {COLUMNS}")
    return [Solution(row["response"], _gold(row["gold"]), bool(row["is_right"])) for row in rows]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".parquet":
        yield from pl.read_parquet(path).iter_rows(named=True)
    else:
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())


def _gold(value: object) -> str | tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else str(value)


async def graded(solutions: Sequence[Solution], checker: AnswerChecker, rule: AnswerRule) -> list[Graded]:
    """Our decision on each solution, in order."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def decide(solution: Solution) -> Graded:
        async with slots:
            return Graded(solution, await checker.check(solution.response, solution.gold, rule=rule))

    return await asyncio.gather(*map(decide, solutions))


def figures(results: Sequence[Graded]) -> dict[str, int]:
    """How many solutions are of each kind, and how many of those left open the other verdict calls right."""
    kinds = Counter(result.kind for result in results)
    on_right = Counter(result.kind for result in results if result.solution.is_right)
    open_on_right = {f"{kind}_on_right": on_right[kind] for kind in ("undecided", "no_answer")}
    return {"solutions": len(results), **{kind: kinds[kind] for kind in KINDS}, **open_on_right}


def shown(result: Graded) -> str:
    """One line about a solution on which the two verdicts are not the same."""
    answer, end = result.decision.extracted, result.solution.response.strip()[-_SHOWN:]
    says = "right" if result.solution.is_right else "wrong"
    return f"{result.kind}: {answer!r} against {result.solution.gold!r}, which the file calls {says}; ends in {end!r}"


def main() -> None:
    """Grade a file, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("file", type=Path, help="JSONL or Parquet file with the three columns")
    arguments.add_argument("--bare-last-number", action="store_true", help="read the last number where no mark is")
    arguments.add_argument("--show", type=int, default=20, help="lines to list of each kind")
    options = arguments.parse_args()
    try:
        solutions = read_solutions(options.file)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    with AnswerChecker() as checker:
        results = asyncio.run(graded(solutions, checker, AnswerRule(bare_last_number=options.bare_last_number)))
    for kind in KINDS[1:]:
        for result in [result for result in results if result.kind == kind][: options.show]:
            print(shown(result))
    counts = figures(results)
    print("  ".join(f"{kind}: {counts[kind]}" for kind in KINDS))
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
