r"""A near copy of an answer with another value, to see whether a checker tells the two apart.

What is changed follows from what the answer holds: a choice, a word, a number, a letter of algebra, or a constant such
as `\pi`.
"""

import re

MAX_VALUES = 4
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
_STATED = re.compile(r"=|\\approx(?![a-zA-Z])|\b(?:at|is|are)\b")
_FIRST_DIGIT = re.compile(r"(?<![0-9.])[0-9]")  # of each number
_YES_OR_NO = re.compile(r"(Yes|No)(?=[.,;:])")
_IN_PROSE = re.compile(
    r"(?:^|(?<![\\a-zA-Z])[A-Za-z]{2,}[\s$\\]+)([0-9][0-9,.]*)(?=[$\s]*(?:[.,;]|$|(?<=[\s$])[A-Za-z]{2,}))"
)
_BEING = re.compile(r"\b(is|are|can|could|will|would|may|might|must|does|do)\b(\s+not\b)?")
_PLUS_C = re.compile(r"\+\s*C(?=[\s$.]*$)")
_LETTER = re.compile(r"(?<![\\a-zA-Z])([a-df-hj-zABD-Z])(?![a-zA-Z])")
_BODY = re.compile(r"(.*?)([\s.$]*)", re.DOTALL)
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
        return _replaced(answer, digit, _other_digit(digit[0]))
    if endless := _ENDLESS.search(answer):
        return _replaced(answer, endless, "7")
    if _CALCULATED.search(_bare(answer)) and not _RELATED.search(answer):
        return f"{answer} + 1"  # other letters in the same places could be the same formula under other names
    shifted = _TO_SHIFT.sub(lambda found: found[0] if found[0][0] == "\\" else _next_letter(found[0]), answer)
    return shifted if shifted != answer else f"{answer} + 1"


def near_copies(answer: str) -> tuple[str, ...]:
    """The near copy, and others that a checker may tell from the answer more easily."""
    copies = [perturbed(answer)]
    copies += [_replaced(answer, digit, _other_digit(digit[0])) for digit in _values(answer)]
    if opening := _YES_OR_NO.match(answer):
        copies.append(answer.replace(opening[1], _OPPOSITES[opening[1].lower()].capitalize(), 1))
    if r"\approx" in answer:
        copies.append(_FIRST_DIGIT.sub(lambda digit: _other_digit(digit[0]), answer))
    if _RELATED.search(answer) and (body := _BODY.fullmatch(answer)):
        copies.append(f"{body[1]} + 1{body[2]}")
    if (constant := _PLUS_C.search(answer)) and (letter := _LETTER.search(answer)):
        copies.append(f"{answer[: constant.start()]} + {letter[1]} {answer[constant.start() :]}")  # 1 more is the same
    if number := _IN_PROSE.search(answer):
        copies.append(_other_digit(number[1][0]) + number[1][1:])
    if being := _BEING.search(answer):
        copies.append(_replaced(answer, being, being[1] if being[2] else f"{being[1]} not"))
    return tuple(copy for copy in dict.fromkeys(copies) if copy != answer)


def _values(answer: str) -> list[re.Match[str]]:
    """The first digit after each relation outside of subscripts, from the last relation on."""
    found = {}
    for relation in _STATED.finditer(answer):
        digits = (digit for digit in _DIGIT.finditer(answer, relation.end()) if not _is_named(answer, digit))
        if digit := next(digits, None):
            found[digit.start()] = digit
    return list(found.values())[::-1][:MAX_VALUES]


def _is_named(answer: str, digit: re.Match[str]) -> bool:
    return any(name.start() <= digit.start() < name.end() for name in _NAMED.finditer(answer))


def _other_digit(digit: str) -> str:
    return "8" if digit == "9" else str(int(digit) + 1)


def _is_in_words(answer: str) -> bool:
    r"""Whether an answer is words and no formula: `Yes`, `no solution`, `\text{east}`."""
    bare = _bare(answer)
    is_long = any(len(word) > 3 for word in re.split(r"[\s,-]+", bare)) or _DRESS.search(answer) is not None
    return bare.lower() in _OPPOSITES or (is_long and _WORDS.fullmatch(bare) is not None)


def _first_digit(answer: str) -> re.Match[str] | None:
    """The first digit outside of subscripts."""
    return next((digit for digit in _DIGIT.finditer(answer) if not _is_named(answer, digit)), None)


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
