"""Process labels of random words: eight steps a solution, four solutions a problem."""

from collections.abc import Iterator
from random import Random
from typing import Any

from generators.records import StepCounts
from generators.search.shares import share_values

STEPS, WORDS_A_STEP, ROLLOUTS = 8, 22, 8
SOLUTIONS = 4
_LETTERS = "etaoinshrdlu"


def solutions(n: int) -> Iterator[dict[str, Any]]:
    """Rows of `process_labels`; each solution shares its first steps with the others of its problem."""
    draw = Random(0)
    words = ["".join(draw.choices(_LETTERS, k=draw.randint(2, 9))) for _ in range(4000)]

    def text() -> str:
        return " ".join([*draw.choices(words, k=WORDS_A_STEP), str(draw.randint(0, 9999))]) + ".\n"

    for number in range(n):
        if number % SOLUTIONS == 0:
            prompt, first_steps = text(), [text() for _ in range(STEPS)]
        shared = draw.randint(1, STEPS - 1)
        steps = first_steps[:shared] + [text() for _ in range(STEPS - shared)]
        right = sorted((draw.randint(0, ROLLOUTS) for _ in range(STEPS)), reverse=True)
        values = share_values([StepCounts(n_correct=k, n_rollouts=ROLLOUTS, n_undecided=0) for k in right])
        yield {
            "problem_id": f"{number // SOLUTIONS:024x}",
            "source": "words",
            "prompt": prompt,
            "answer": str(number),
            "also_accepted": [],
            "level": None,
            "attempt_index": number % SOLUTIONS,
            "prompt_token_ids": list(range(40)),
            "token_ids": [draw.randint(0, 50_000) for _ in range(40 * STEPS)],
            "steps": steps,
            "false_equations": [None] * STEPS,
            "step_ends": [40 * (step + 1) for step in range(STEPS)],
            "n_correct": right,
            "n_rollouts": [ROLLOUTS] * STEPS,
            "n_undecided": [0] * STEPS,
            "n_no_answer": [0] * STEPS,
            "node_ids": [f"{hash_of(steps[: step + 1]):016x}" for step in range(STEPS)],
            "n_attempts": SOLUTIONS,
            "n_attempts_right": draw.randint(1, SOLUTIONS),
            "values": list(values.mean),
            "values_low": list(values.low),
            "values_high": list(values.high),
            "sound": None,
            "stop_reasons": ["all_drawn"] * STEPS,
            "verdict": "different",
            "extracted": None,
            "found_by": None,
            "strategy": "exhaustive",
            "judge_first_error": None,
            "judge_outcome": None,
            "judge": None,
            "policy": "random",
            "round": "benchmark",
            "slice": "words-0",
        }


def hash_of(steps: list[str]) -> int:
    """A number for a beginning of a solution."""
    return Random("".join(steps)).getrandbits(64)
