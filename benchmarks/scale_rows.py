"""True process labels of any number, for benchmarks: no two solutions share a text, and all verify.

A solution adds numbers up in five steps. Half of them go wrong at some step, and half of those state a false equation.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import polars as pl

from generators.problems.loading import problem_id
from generators.process_labels.release import LabelParameters, recompute
from generators.process_labels.table import PROCESS_LABELS
from generators.search.priors import Priors

STEPS, SOLUTIONS, ATTEMPTS = 5, 2, 8
_WORDS = ("so we take what was there before", "and add the next of the numbers to it", "which then gives us")
_THINGS = ("beads", "shells", "stamps", "coins", "cards", "seeds", "books", "nails", "cups", "pens")


def parameters(slices: list[str]) -> LabelParameters:
    """The parameters that the rows of these slices follow from."""
    priors = dict.fromkeys(slices, Priors(rise=0.0))
    return LabelParameters(hard_threshold=0.0, confidence=0.94, label_ratio=3.0, priors=priors)


def label_rows(n: int, slice_key: str, *, first: int, seed: str = "", tokens: int = 80) -> pl.DataFrame:
    """The table of one slice: `n` solutions of problems that are numbered from `first` on."""
    types = {name: column.dtype for name, column in PROCESS_LABELS.columns.items()}
    rows = pl.DataFrame(list(_rows(n, slice_key, first, seed, tokens)), schema=types)
    as_full = rows.with_columns(soft_labels=pl.col("values"), hard_labels=pl.lit(None), first_error=pl.lit(None))
    measures = recompute(as_full, parameters([slice_key]))
    measured = measures.select("values_low", "values_high", "sound", "false_equations", values=pl.col("soft_labels"))
    return PROCESS_LABELS.validate(rows.with_columns(measured))


def _rows(n: int, slice_key: str, first: int, seed: str, tokens: int) -> Iterator[dict[str, Any]]:
    for number in range(n):
        which = first + number // SOLUTIONS
        problem, draw = Random(f"problem {which}"), Random(f"{seed} {which} {number % SOLUTIONS}")
        addends = [problem.randint(2, 99) for _ in range(STEPS)]
        thing, start = problem.choice(_THINGS), problem.randint(2, 99)
        prompt = (
            f"Case {which}: Mia has {start} {thing} and gets {', then '.join(map(str, addends))}. How many are these?"
        )
        answer = str(start + sum(addends))
        wrong_at = draw.choice([None, *range(STEPS)]) if draw.random() < 0.7 else None
        steps = list(_steps(start, addends, wrong_at, draw, tokens // STEPS))
        said = steps[-1].rpartition("{")[2].rstrip("}.\n")
        n_correct, n_rollouts = zip(*(_counts(index, wrong_at, draw) for index in range(STEPS)), strict=True)
        yield {
            "problem_id": problem_id(prompt, answer, []),
            "source": "sums",
            "prompt": prompt,
            "answer": answer,
            "also_accepted": [],
            "level": None,
            "attempt_index": number % SOLUTIONS,
            "prompt_token_ids": [draw.randrange(49_000) for _ in range(40)],
            "token_ids": [draw.randrange(49_000) for _ in range(tokens)],
            "steps": steps,
            "false_equations": [None] * STEPS,
            "step_ends": [tokens * (index + 1) // STEPS for index in range(STEPS)],
            "n_correct": [*n_correct[:-1], int(said == answer)],
            "n_rollouts": [*n_rollouts[:-1], 1],
            "n_undecided": [0] * STEPS,
            "n_no_answer": [0] * STEPS,
            "node_ids": [f"{draw.getrandbits(64):016x}" for _ in range(STEPS)],
            "n_attempts": ATTEMPTS,
            "n_attempts_right": draw.randint(1, ATTEMPTS - 1),
            "values": [0.0] * STEPS,
            "values_low": [0.0] * STEPS,
            "values_high": [0.0] * STEPS,
            "sound": [0.0] * STEPS,
            "stop_reasons": ["all_drawn"] * STEPS,
            "verdict": "equal" if said == answer else "different",
            "extracted": said,
            "found_by": "box",
            "strategy": "sequential_test",
            "judge_first_error": None,
            "judge_outcome": None,
            "judge": None,
            "policy": "benchmark",
            "round": "r1",
            "slice": slice_key,
        }


def _steps(start: int, addends: list[int], wrong_at: int | None, draw: Random, words: int) -> Iterator[str]:
    total = start
    for index, addend in enumerate(addends):
        is_wrong = index == wrong_at
        misread = addend + 1 if is_wrong and draw.random() < 0.5 else addend
        result = total + misread + (1 if is_wrong and misread == addend else 0)
        filled = " ".join(draw.choices(_WORDS, k=max(1, words // 10)))
        end = f" The answer is \\boxed{{{result}}}." if index == STEPS - 1 else ""
        yield f"{filled}: {total} + {misread} = {result}.{end}\n"
        total = result


def _counts(index: int, wrong_at: int | None, draw: Random) -> tuple[int, int]:
    n = draw.randint(4, 24)
    share = 0.02 if wrong_at is not None and index >= wrong_at else 0.7
    return sum(draw.random() < share for _ in range(n)), n
