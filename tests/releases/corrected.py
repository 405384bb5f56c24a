"""Rows of self-corrections by hand, true in everything that can be checked.

A token is a word with the blank after it. The masked part begins after the first two tokens, or with the response.
"""

from typing import Any

import polars as pl

from generators.problems import prompt as solve
from generators.problems.loading import problem_id
from generators.self_correction_traces.table import SELF_CORRECTION_TRACES

TRIGGER = "\nWait!\n"


def corrected(
    number: int, *, origin: str = "sampled", keeps_beginning: bool = False, again: bool = False
) -> dict[str, Any]:
    """The correction of `number` + 2, wrong before one trigger, or `again` before two."""
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    says = "Well it is {}." if origin == "composed" else "Well it is \\boxed{{{}}}."
    wrong = [says.format(number + 3), f"No \\boxed{{{number + 4}}}."][: 1 + again]
    attempts = [*wrong, f"So \\boxed{{{answer}}}."]
    lengths = [len(attempt.split(" ")) for attempt in attempts]
    starts = [sum(lengths[:place]) + place for place in range(len(attempts))]
    ends = [start + length for start, length in zip(starts, lengths, strict=True)]
    text = TRIGGER.join(attempts)
    char_starts = [text.index(attempt) for attempt in attempts]
    masked_starts, token_starts = char_starts[:-1], starts[:-1]
    if keeps_beginning:
        masked_starts, token_starts = [len("Well it "), *masked_starts[1:]], [2, *token_starts[1:]]
    masked = [place for start, end in zip(token_starts, ends, strict=False) for place in range(start, end)]
    given = [None if origin == "composed" else str(number + 3), str(number + 4)][: 1 + again]
    return {
        "problem_id": problem_id(prompt, answer),
        "source": "sums",
        "prompt": prompt,
        "answer": answer,
        "also_accepted": [],
        "level": None,
        "attempt_index": 0,
        "origin": origin,
        "messages": [*solve.messages(prompt), {"role": "assistant", "content": text}],
        "prompt_token_ids": [7, 8],
        "token_ids": list(range(100, 100 + ends[-1])),
        "text": text,
        "attempts": attempts,
        "attempt_starts": starts,
        "attempt_ends": ends,
        "answers": [*given, answer],
        "verdicts": ["no_answer" if one is None else "different" for one in given] + ["equal"],
        "triggers": [TRIGGER] * len(wrong),
        "n_triggers": len(wrong),
        "budget": 64,
        "tokens": sum(lengths),
        "templated_prompt": f"{prompt}\n",
        "is_stable": True,
        "loss_mask": [int(place not in masked) for place in range(ends[-1])],
        "masked_starts": masked_starts,
        "masked_ends": [start + len(attempt) for start, attempt in zip(char_starts, wrong, strict=False)],
        "masked_token_starts": token_starts,
        "masked_token_ends": ends[:-1],
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


def corrections(count: int = 16) -> pl.DataFrame:
    """Corrections of both origins, of one trigger and of two, some with a good beginning."""
    return SELF_CORRECTION_TRACES.frame(
        [
            corrected(
                number,
                origin="composed" if number % 2 else "sampled",
                keeps_beginning=number % 3 == 0,
                again=number % 4 == 0,
            )
            for number in range(count)
        ]
    )
