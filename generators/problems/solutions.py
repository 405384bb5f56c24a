r"""The gold answers that a worked solution ends in: after `####`, in `\boxed{}`, or in its last sentence.

Several boxes that the solution names together are one answer of several values, unless it joins them by "or": then each
is accepted.
"""

import re
from itertools import pairwise

from filters.answers.claims.boxes import boxes_of, last_conclusion
from filters.answers.extraction import after_hashes, extract_answer

_ALTERNATIVE = re.compile(r"\b(?:or|oder|ou|или)\b|或", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])-?(?:[0-9]+(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:/[0-9]+)?%?(?!\w)")
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def after_mark(solution: str) -> tuple[str, ...]:
    """The answer after the last `####`."""
    answer = after_hashes(solution)
    return () if answer is None else (answer,)


def in_boxes(solution: str) -> tuple[str, ...]:
    """What the last boxes conclude: one answer, or alternatives that "or" joins."""
    conclusion = last_conclusion(solution)
    if conclusion is None:
        return ()
    boxes = [box for box in boxes_of(solution) if conclusion.start <= box.start and box.end <= conclusion.end]
    if any(_ALTERNATIVE.search(solution[one.end : other.start]) for one, other in pairwise(boxes)):
        return tuple(dict.fromkeys(box.content for box in boxes))
    return (conclusion.text,)


def in_a_sentence(solution: str) -> tuple[str, ...]:
    """The answer that a sentence states, or the only number of the last sentence."""
    answer = extract_answer(solution)
    if answer is not None:
        return (answer,)
    numbers = set(_NUMBER.findall(_SENTENCES.split(solution.strip())[-1]))
    return (numbers.pop(),) if len(numbers) == 1 else ()
