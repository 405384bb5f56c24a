"""How time and memory of the filters grow: by the length of a solution, by rows, and by rows and items together.

Solutions: `fit_to_label` on eight solutions of each of a few problems, in a process of its own for each length; MB are
what the process took on top of the table. Steps: CPU seconds of every filter at doubling sizes, and the exponent of a
least-squares line. What takes less than a millisecond at the largest size is measured at eight times these sizes:
Python searches a text of more than 30,000 characters in another way than a shorter one, so no line goes through both.
Prompts have no figures and evaluation items are as many as prompts, which is the hardest case.

The last line is JSON.
"""

import argparse
import gc
import itertools
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from benchmarks.scale_texts import hard, ordinary, prose, solution
from filters.answers.extraction import extract_answer
from filters.equations.stated import stated_equations
from filters.rules import apply_rules
from filters.texts import quality
from filters.texts.common import common_of
from filters.texts.contamination import decontaminate
from filters.texts.diversity import DiversitySettings, keep_different
from filters.texts.duplicates import drop_near_duplicates
from filters.texts.embeddings import Embeddings, drop_rephrased, without_rephrased
from filters.texts.instructions import without_instructions
from filters.texts.language import in_language
from filters.texts.loops import no_loops
from filters.texts.passages import passages_of, without_passages
from filters.texts.sameness import holds_problem, same_problem
from filters.texts.thoughts import parse
from filters.texts.words import words
from generators.attempts.fit import fit_to_label
from generators.problems.settings import QualitySettings

WORDS = (1000, 2000, 4000, 8000)
ROWS = (1000, 2000, 4000, 8000)
_SOLUTIONS = 8
_PROBLEMS = 16
_LEAST_S = 0.05  # what is faster is repeated until it took this long
_ROUNDS = 5  # the fastest one counts, since other work on the machine only slows a round down
_ENOUGH_S = 1.0  # in all rounds together
_LEAST_CALL_S = 0.001  # what takes less at the largest size is measured at sizes so many times as large
_LARGER = 8

Work = Callable[[], object]


def solutions(n_words: int, n_problems: int = _PROBLEMS) -> dict[str, float]:
    """CPU ms and MB a solution that `fit_to_label` takes; run it in a process of its own."""
    draw = random.Random(1)
    n = n_problems * _SOLUTIONS
    rows = pl.DataFrame(
        {
            "problem_id": [f"p{number // _SOLUTIONS}" for number in range(n)],
            "attempt_index": [number % _SOLUTIONS for number in range(n)],
            "text": [solution(n_words, draw) for _ in range(n)],
            "finish_reason": ["stop"] * n,
            "is_right": [bool(number % 2) for number in range(n)],
        }
    )
    fit_to_label(rows.head(2), QualitySettings())
    gc.collect()
    before, began = _peak_mb(), time.process_time()
    fit_to_label(rows, QualitySettings())
    return {
        "cpu_ms": round(1000 * (time.process_time() - began) / n, 2),
        "mb": round((_peak_mb() - before) / n, 4),
        "mb_whole": round(_peak_mb() - before, 1),
    }


def solution_growth(lengths: Sequence[int] = WORDS) -> dict[int, dict[str, float]]:
    """`solutions` at each length, each in a process of its own."""
    return {length: _alone("solutions", length) for length in lengths}


def by_length(n_words: int) -> dict[str, Work]:
    """Every filter on one text of so many words, or on two that are nearly equal."""
    text = solution(n_words, random.Random(1))
    other = text.replace("a", "e", 3)
    frame = pl.DataFrame({"text": [text, other], "problem_id": ["p", "p"], "finish_reason": ["stop", "stop"]})
    mine, near = words(text), words(other)
    fresh = itertools.count()  # equations of a text are remembered
    item = words(solution(60, random.Random(2)))
    items = _items([prose(60, random.Random(seed)) for seed in range(50)])
    long_items = _items([prose(n_words, random.Random(seed)) for seed in range(2)])
    return {
        "no_loops": lambda: apply_rules(frame, no_loops("text")),
        "one_script": lambda: apply_rules(frame, quality.one_script("text")),
        "no_answer_in": lambda: apply_rules(frame, quality.no_answer_in("text")),
        "in_language": lambda: apply_rules(frame, in_language("text", "en")),
        "without_instructions": lambda: without_instructions(text),
        "near_duplicates": lambda: drop_near_duplicates(frame, column="text"),
        "keep_different": lambda: keep_different(
            frame, column="text", within=("problem_id",), settings=DiversitySettings(most=1)
        ),
        "same_problem": lambda: same_problem(mine, near),
        "holds_problem": lambda: holds_problem(mine, item, mask=False),
        "decontaminate": lambda: _screened(frame["text"].to_list(), items),
        "decontaminate_long_items": lambda: _screened(frame["text"].to_list(), long_items),
        "without_passages": lambda: without_passages(
            frame, passages_of([("example", text)]), row=("problem_id",), columns=("text",)
        ),
        "thoughts": lambda: parse(f"<think>{text}</think>{text}"),
        "extract_answer": lambda: extract_answer(text),
        "stated_equations": lambda: stated_equations(f"{text}\n{next(fresh)}"),
    }


def by_rows(n: int) -> dict[str, Work]:
    """Every filter that compares rows with each other, on so many rows, and on as many items."""
    plain, alike = ordinary(n, 1), hard(n, 1)
    solutions = pl.DataFrame({"text": plain, "problem_id": [str(number // 16) for number in range(n)]})
    table, of_alike = pl.DataFrame({"prompt": plain}), pl.DataFrame({"prompt": alike})
    items, alike_items = _items(ordinary(n, 2)), _items(hard(n, 2))
    embeddings = Embeddings(encode=_encode)
    keyed = table.with_row_index("key").cast({"key": pl.String})
    return {
        "near_duplicates": lambda: drop_near_duplicates(table, column="prompt"),
        "near_duplicates_alike": lambda: drop_near_duplicates(of_alike, column="prompt"),
        "keep_different": lambda: keep_different(
            solutions, column="text", within=("problem_id",), settings=DiversitySettings(most=8)
        ),
        "common_of": lambda: common_of(plain, words),
        "decontaminate": lambda: _screened(plain, items),
        "decontaminate_alike": lambda: _screened(alike, alike_items),
        "rephrased": lambda: drop_rephrased(table, column="prompt", embeddings=embeddings),
        "rephrased_items": lambda: without_rephrased(keyed, items, key="key", column="prompt", embeddings=embeddings),
    }


def growth(make: Callable[[int], dict[str, Work]], sizes: Sequence[int]) -> dict[str, dict[str, Any]]:
    """CPU seconds of each piece of work at each size, and the exponent."""
    seconds = _measured(make, sizes)
    fast = {name for name, spent in seconds.items() if spent[max(sizes)] < _LEAST_CALL_S}
    if fast:
        seconds |= _measured(make, [_LARGER * size for size in sizes], only=fast)
    return {name: {"cpu_s": spent, "exponent": exponent(spent)} for name, spent in seconds.items()}


def _measured(
    make: Callable[[int], dict[str, Work]], sizes: Sequence[int], only: Collection[str] | None = None
) -> dict[str, dict[int, float]]:
    """CPU seconds by name and size of the pieces of work that `only` names, or of all."""
    seconds: dict[str, dict[int, float]] = {}
    for size in sizes:
        for name, work in make(size).items():
            if only is None or name in only:
                seconds.setdefault(name, {})[size] = _cpu_seconds(work)
                print(f"{name} at {size}: {seconds[name][size]:.6f} s", file=sys.stderr)
    return seconds


def exponent(spent: Mapping[int, float]) -> float:
    """The slope of a least-squares line through the logarithms of sizes and seconds."""
    sizes, seconds = np.log(list(spent)), np.log(np.maximum(list(spent.values()), 1e-9))
    return round(float(np.polyfit(sizes, seconds, 1)[0]), 2)


def filters() -> dict[str, Any]:
    """All figures."""
    of_solutions = solution_growth()
    lengths, rows = growth(by_length, WORDS), growth(by_rows, ROWS)
    return {
        "by_words_of_a_solution": of_solutions,
        "mb_per_solution_4k_words": of_solutions[4000]["mb"],
        "by_length": lengths,
        "by_rows": rows,
        "length_exponent_max": max(step["exponent"] for step in lengths.values()),
        "rows_exponent_max": max(step["exponent"] for step in rows.values()),
    }


def _items(texts: Sequence[str]) -> pl.DataFrame:
    numbers = [str(number) for number in range(len(texts))]
    return pl.DataFrame({"evaluation_set": ["items"] * len(texts), "item": numbers, "text": texts})


def _screened(texts: Sequence[str], items: pl.DataFrame) -> object:
    rows = pl.DataFrame({"key": [str(number) for number in range(len(texts))], "prompt": texts})
    return decontaminate(rows, items, key="key", column="prompt")


def _encode(texts: Sequence[str]) -> Any:
    """Vectors of no meaning, as fast as they can be: what is measured is the search among them."""
    vectors = np.random.default_rng(len(texts)).standard_normal((len(texts), 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _cpu_seconds(work: Work) -> float:
    """CPU seconds of one call in the fastest of some rounds, each of as many calls as make it measurable."""
    work()
    rounds: list[float] = []
    began = time.process_time()
    while not rounds or (len(rounds) < _ROUNDS and time.process_time() - began < _ENOUGH_S):
        calls, start = 0, time.process_time()
        while time.process_time() - start < _LEAST_S:
            work()
            calls += 1
        rounds.append((time.process_time() - start) / calls)
    return min(rounds)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(what: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale_filters", "--only", what, "--size", str(size)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(answer.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("solutions", "growth", "lengths", "rows"))
    parser.add_argument("--size", type=int, help="words of a solution, for --only solutions")
    options = parser.parse_args()
    figures: dict[str, Callable[[], object]] = {
        "solutions": lambda: solutions(options.size),
        "growth": solution_growth,
        "lengths": lambda: growth(by_length, WORDS),
        "rows": lambda: growth(by_rows, ROWS),
    }
    print(json.dumps(figures.get(options.only, filters)()))


if __name__ == "__main__":
    main()
