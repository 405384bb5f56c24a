"""True rows of any number, for benchmarks: process labels and step pairs. No two share a text, and all verify.

A solution adds numbers up in five steps. Half of them go wrong at some step, and half of those state a false equation.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import polars as pl

from generators.problems.loading import problem_id
from generators.process_labels.release import LabelParameters, recompute
from generators.process_labels.table import PROCESS_LABELS
from generators.records import Evidence, StepCounts
from generators.search.margins import margin_of
from generators.search.priors import Priors
from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS

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


def pair_rows(n: int, slice_key: str, *, first: int, seed: str = "", tokens: int = 80) -> pl.DataFrame:
    """The table of step pairs of one slice: `n` pairs of problems that are numbered from `first` on."""
    types = {name: column.dtype for name, column in STEP_PREFERENCE_PAIRS.columns.items()}
    rows = list(_pairs(n, slice_key, first, seed, tokens))
    return STEP_PREFERENCE_PAIRS.validate(pl.DataFrame(rows, schema=types))


def _pairs(n: int, slice_key: str, first: int, seed: str, tokens: int) -> Iterator[dict[str, Any]]:
    margins = {k: _margin(k) for k in range(12, 17)}
    for number in range(n):
        which = first + number // SOLUTIONS
        draw = Random(f"{seed} {which} {number % SOLUTIONS}")
        start, addends, prompt, answer = _problem(which)
        at, right = draw.randrange(STEPS - 1), draw.choice(list(margins))
        better = list(_steps(start, addends, None, draw, tokens // STEPS))
        worse = list(_steps(start, addends, at, draw, tokens // STEPS))
        before = "".join(better[:at])
        ids = draw.choices(range(49_000), k=tokens)
        yield {
            **margins[right],
            "dataset": "sums",
            "prompt": prompt,
            "initial_reason_steps": before,
            "chosen": better[at],
            "rejected": worse[at],
            "full_chosen": "".join(better[at:]),
            "full_rejected": "".join(worse[at:]),
            "answer": answer,
            "also_accepted": [],
            "problem_id": problem_id(prompt, answer, []),
            "attempt_index": number % SOLUTIONS,
            "step_index": at,
            "chosen_index": 0,
            "is_final_step": False,
            "rejected_is_final_step": False,
            "prefix_token_ids": ids,
            "chosen_token_ids": ids[: tokens // STEPS],
            "rejected_token_ids": ids[-tokens // STEPS :],
            "templated_prompt": f"<user>{prompt}<assistant>{before}",
            "is_stable": True,
            "pass_rate": 0.5,
            "localiser": "labels",
            "policy": "benchmark",
            "round": "r1",
            "slice": slice_key,
        }


def _margin(right: int) -> dict[str, Any]:
    sides = [StepCounts(n_correct=k, n_rollouts=16, n_undecided=0) for k in (right, 1)]
    better, worse = (Evidence(counts=counts, own_outcome=None) for counts in sides)
    margin = margin_of(better, worse)
    if margin is None:
        raise RuntimeError("counts give a margin")
    return {
        "value_margin": margin.value,
        "value_margin_low": margin.low,
        "value_margin_high": margin.high,
        "chosen_value": better.value,
        "rejected_value": worse.value,
        "chosen_n_correct": right,
        "chosen_n_rollouts": 16,
        "rejected_n_correct": 1,
        "rejected_n_rollouts": 16,
        "test_chosen_n_correct": right,
        "test_chosen_n_rollouts": 16,
        "test_rejected_n_correct": 1,
        "test_rejected_n_rollouts": 16,
        "test_margin": margin.value,
        "test_margin_low": margin.low,
        "n_rollouts": 64,
    }


def _problem(which: int) -> tuple[int, list[int], str, str]:
    """The first number of a problem, those that are added, its prompt and its answer."""
    draw = Random(f"problem {which}")
    start, *addends = (draw.randint(2, 99) for _ in range(STEPS + 1))
    gets = ", then ".join(map(str, addends))
    prompt = f"Case {which}: Mia has {start} {draw.choice(_THINGS)} and gets {gets}. How many are these?"
    return start, addends, prompt, str(start + sum(addends))


def _rows(n: int, slice_key: str, first: int, seed: str, tokens: int) -> Iterator[dict[str, Any]]:
    for number in range(n):
        which = first + number // SOLUTIONS
        draw = Random(f"{seed} {which} {number % SOLUTIONS}")
        start, addends, prompt, answer = _problem(which)
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
