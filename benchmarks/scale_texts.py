"""Made-up texts for `benchmarks.scale_filters`: prose, solutions, and prompts that are hard to tell apart."""

import random
from collections.abc import Sequence
from functools import cache

_LETTERS = "abcdefghijklmnopqrst"
_COMMON = 0.7  # the exponent of how often words occur: a few words make most of a text
_HARD_WORDS = 60
_RUN = 10


@cache
def vocabulary() -> Sequence[str]:
    """Five thousand words, none of them English."""
    draw = random.Random(0)
    return ["".join(draw.choice(_LETTERS) for _ in range(draw.randint(3, 9))) for _ in range(5000)]


def word(draw: random.Random) -> str:
    """A word, the first ones of the vocabulary most often."""
    words = vocabulary()
    return words[min(int(draw.paretovariate(_COMMON)) - 1, len(words) - 1)]


def prose(n_words: int, draw: random.Random) -> str:
    """Words without figures, in sentences."""
    return " ".join(word(draw) + ("." if at % 14 == 13 else "") for at in range(n_words))


def solution(n_words: int, draw: random.Random) -> str:
    """Lines of words and sums as a model writes them; three of ten words are numbers."""
    lines: list[str] = []
    left = n_words
    while left > 0:
        a, b = draw.randint(2, 99), draw.randint(2, 99)
        lines.append(f"{' '.join(word(draw) for _ in range(7))} {a} + {b} = {a + b}.")
        left -= 10
    return "\n".join(lines)


def ordinary(n: int, seed: int, n_words: int = 60) -> list[str]:
    """Prompts without figures."""
    draw = random.Random(seed)
    return [prose(n_words, draw) for _ in range(n)]


def hard(n: int, seed: int) -> list[str]:
    """Prompts without figures that share half of their words, in runs of ten."""
    fixed = random.Random(9)
    shared = [fixed.choice(vocabulary()) for _ in range(_HARD_WORDS // 2)]
    draw, texts = random.Random(seed), []
    for _ in range(n):
        own = [draw.choice(vocabulary()) for _ in range(_HARD_WORDS // 2)]
        parts = [[*own[at : at + _RUN], *shared[at : at + _RUN]] for at in range(0, _HARD_WORDS // 2, _RUN)]
        texts.append(" ".join(part for run in parts for part in run))
    return texts
