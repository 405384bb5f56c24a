r"""Near copies of an answer with other values, to see whether a checker tells them apart.

What is changed follows from what the answer holds: a number, a word, a letter of algebra, a constant such as `\pi`.
"""

import re
from collections.abc import Sequence

_OPPOSITES = dict(
    pair
    for one, other in (
        *(("yes", "no"), ("true", "false"), ("right", "wrong"), ("correct", "incorrect"), ("even", "odd")),
        *(("rational", "irrational"), ("convergent", "divergent"), ("converges", "diverges"), ("positive", "negative")),
        *(("是", "否"), ("正确", "错误"), ("对", "错"), ("oui", "non"), ("ja", "nein"), ("sí", "no"), ("да", "нет")),
    )
    for pair in ((other, one), (one, other))
)
_DRESS = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"\\[a-zA-Z]+|(?<![A-Za-z])[A-Za-z](?![A-Za-z])")
_WORD = re.compile(r"[^\W\d_]{2,}(?:[\s-]+[^\W\d_]+)*")
_ENDLESS = re.compile(r"\\infty|∞")
_CONSTANT = re.compile(r"\\(?:pi|infty|emptyset|varnothing|phi|alpha|beta|gamma|theta|mathbb\s*\{?[A-Z]\}?)|[∞π∅]")
_ANOTHER = ("zebra", "giraffe")


def perturbed(answer: str) -> str:
    """The nearest copy."""
    return near_copies(answer)[0]


def near_copies(answer: str, words: Sequence[str] = ()) -> list[str]:
    """The near copies of an answer, the nearest first; `words` are other answers in words of the same source."""
    if _DIGIT.search(answer):
        digits = list(_DIGIT.finditer(answer))
        return _distinct(answer, [_replaced(answer, digit, _next_digit(digit[0])) for digit in (digits[0], digits[-1])])
    if is_in_words(answer):
        others = [word for word in words if not _is_like(word, answer)]
        return _distinct(answer, [_opposite(answer), *others, *_ANOTHER])
    copies = [_LETTER.sub(lambda found: found[0] if found[0][0] == "\\" else _next_letter(found[0]), answer)]
    constants = [_replaced(answer, constant, "7") for constant in list(_CONSTANT.finditer(answer))[-1:]]
    more = [] if _ENDLESS.search(answer) else [f"{answer} + 1"]  # one more than no end is no end
    return _distinct(answer, [*copies, *more, *constants]) or ["7"]


def is_in_words(answer: str) -> bool:
    r"""Whether an answer is words and no formula: `Yes`, `no solution`, `\text{east}`."""
    return bool(_WORD.fullmatch(bare := _bare(answer))) or bare.lower() in _OPPOSITES


def _bare(answer: str) -> str:
    return _DRESS.sub(r"\1", answer).strip(" .$")


def _opposite(answer: str) -> str:
    """The word that people set against it, written as it is; the answer itself where there is none."""
    bare = _bare(answer)
    other = _OPPOSITES.get(bare.lower())
    if other is None:
        return answer
    cased = other.upper() if bare.isupper() and len(bare) > 1 else other.capitalize() if bare[0].isupper() else other
    return answer.replace(bare, cased)


def _is_like(word: str, answer: str) -> bool:
    return _bare(word).casefold() == _bare(answer).casefold()


def _distinct(answer: str, copies: Sequence[str]) -> list[str]:
    return [copy for copy in dict.fromkeys(copies) if copy != answer]


def _replaced(answer: str, match: re.Match[str], other: str) -> str:
    return answer[: match.start()] + other + answer[match.end() :]


def _next_digit(digit: str) -> str:
    return "8" if digit == "9" else str(int(digit) + 1)


def _next_letter(letter: str) -> str:
    return {"z": "a", "Z": "A"}.get(letter) or chr(ord(letter) + 1)
