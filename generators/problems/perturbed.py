r"""A near copy of an answer with another value, to see whether a checker tells the two apart.

What is changed follows from what the answer holds: a choice, a word, a number, a letter of algebra, or a constant such
as `\pi`.
"""

import re

_OPPOSITES = dict(
    pair
    for one, other in (
        *(("yes", "no"), ("true", "false"), ("right", "wrong"), ("correct", "incorrect"), ("even", "odd")),
        *(("rational", "irrational"), ("convergent", "divergent"), ("converges", "diverges"), ("positive", "negative")),
        *(("是", "否"), ("正确", "错误"), ("对", "错"), ("oui", "non"), ("ja", "nein"), ("да", "нет")),
    )
    for pair in ((other, one), (one, other))
) | {"sí": "no"}
_NO_VALUE = ("undefined", "none", "impossible", "infinite", "unbounded", "nothing")
_DRESS = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}")
_CHOICE = re.compile(r"\(([A-Z])\)\s.+", re.DOTALL)  # a choice's letter with its text
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[\s,-]+[^\W\d_]+)*")
_DIGIT = re.compile(r"[0-9]")
_TIME = re.compile(r"(\b[0-9]{1,2}\s*:\s*[0-5])([0-9])(?=\s*\\?[~,; ]*(?:\\text\s*\{)?\s*[ap]\.?m\b)", re.IGNORECASE)
_NAMED = re.compile(r"_\s*(?:\{[^{}]*\}|[0-9])")  # a subscript is part of a name
_TO_SHIFT = re.compile(r"\\[a-zA-Z]+|[A-Za-z]")
_CALCULATED = re.compile(r"[-+*/^]|\\")
_RELATED = re.compile(r"[=<>,;≤≥≠]|\\(?:leq?|geq?|neq?|in)(?![a-zA-Z])")
_ENDLESS = re.compile(r"\\(?:infty|emptyset|varnothing|mathbb\s*\{?[A-Z]\}?)|[∞∅]")  # what adding 1 does not change


def perturbed(answer: str) -> str:
    """The near copy: another choice, another word, the first digit changed, one more, or other letters."""
    if choice := _CHOICE.fullmatch(answer):
        return _next_letter(choice[1])
    if _is_in_words(answer):
        return _other_words(answer)
    if time := _TIME.search(answer):
        return _replaced(answer, time, f"{time[1]}{(int(time[2]) + 7) % 10}")
    if digit := _first_digit(answer):
        return _replaced(answer, digit, "8" if digit[0] == "9" else str(int(digit[0]) + 1))
    if endless := _ENDLESS.search(answer):
        return _replaced(answer, endless, "7")
    if _CALCULATED.search(_bare(answer)) and not _RELATED.search(answer):
        return f"{answer} + 1"  # other letters in the same places could be the same formula under other names
    shifted = _TO_SHIFT.sub(lambda found: found[0] if found[0][0] == "\\" else _next_letter(found[0]), answer)
    return shifted if shifted != answer else f"{answer} + 1"


def _is_in_words(answer: str) -> bool:
    r"""Whether an answer is words and no formula: `Yes`, `no solution`, `\text{east}`."""
    bare = _bare(answer)
    is_long = any(len(word) > 3 for word in re.split(r"[\s,-]+", bare)) or _DRESS.search(answer) is not None
    return bare.lower() in _OPPOSITES or (is_long and _WORDS.fullmatch(bare) is not None)


def _first_digit(answer: str) -> re.Match[str] | None:
    """The first digit outside of subscripts."""
    names = [name.span() for name in _NAMED.finditer(answer)]
    is_named = [any(start <= digit.start() < end for start, end in names) for digit in _DIGIT.finditer(answer)]
    return next((digit for digit, named in zip(_DIGIT.finditer(answer), is_named, strict=True) if not named), None)


def _other_words(answer: str) -> str:
    """The word that people set against the answer, written as it is; another word, or a value against a phrase."""
    bare = _bare(answer)
    other = _OPPOSITES.get(bare.lower())
    if other is None and (" " in bare or bare.lower() in _NO_VALUE):
        return "7"
    if other is None:
        return "giraffe" if bare.lower() == "zebra" else "zebra"
    cased = other.upper() if bare.isupper() and len(bare) > 1 else other.capitalize() if bare[0].isupper() else other
    return answer.replace(bare, cased)


def _bare(answer: str) -> str:
    return _DRESS.sub(r"\1", answer).strip(" .$")


def _replaced(answer: str, match: re.Match[str], other: str) -> str:
    return answer[: match.start()] + other + answer[match.end() :]


def _next_letter(letter: str) -> str:
    return {"z": "a", "Z": "A"}.get(letter) or chr(ord(letter) + 1)
