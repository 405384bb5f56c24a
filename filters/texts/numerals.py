"""Reads numbers that are written as words: `twenty-five` is 25, `two hundred and five` is 205, `a dozen` is 12."""

from collections.abc import Iterator

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: value for value, word in enumerate(_UNITS.split())} | {
    word: 10 * value for value, word in enumerate(_TENS.split(), start=2)
}
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_WORDS = frozenset(_SMALL.keys() | _SCALES.keys())
_STARTS = frozenset(_SMALL.keys() | {"a", "an", "dozen"})
_MOST_DIGITS = 13
_MOST = 10**_MOST_DIGITS  # words that go on after such a number begin another one


def with_digits(words: list[str]) -> list[str]:
    """The words with every number written in digits."""
    if _WORDS.isdisjoint(words):
        return words
    return list(_replaced(words))


def _replaced(words: list[str]) -> Iterator[str]:
    at = 0
    while at < len(words):
        value, end = _read(words, at) if words[at] in _STARTS or words[at][0].isdigit() else (None, at)
        if value is None:
            yield words[at]
            at += 1
        else:
            yield str(value)
            at = end


def _read(words: list[str], start: int) -> tuple[int | None, int]:
    """The number whose words begin at `start`, and where they end; None if there is none."""
    first = words[start]
    if first in ("a", "an") and words[start + 1 : start + 2] and words[start + 1] in _SCALES:
        total, current, at = 0, 1, start + 1
    elif first in _SMALL:
        total, current, at = 0, _SMALL[first], start + 1
    elif first.isascii() and first.isdigit() and len(first) < _MOST_DIGITS and words[start + 1 : start + 2]:
        if words[start + 1] not in _SCALES:
            return None, start
        total, current, at = 0, int(first), start + 1
    elif first == "dozen":
        return _SCALES[first], start + 1
    else:
        return None, start
    while at < len(words) and total + current < _MOST:
        word = words[at]
        if word in _SCALES:
            total, current = _scaled(total, current, _SCALES[word])
        elif word in _SMALL and _continues(current, _SMALL[word], words[at - 1]):
            current += _SMALL[word]
        elif not (word == "and" and words[at - 1] in _SCALES and _is_small(words, at + 1)):
            break
        at += 1
    return total + current, at


def _scaled(total: int, current: int, scale: int) -> tuple[int, int]:
    """Total and current number after a scale: a hundred multiplies what was just read, a thousand ends a group."""
    if scale < 1000:
        return total, max(current, 1) * scale
    return total + max(current, 1) * scale, 0


def _continues(current: int, value: int, before: str) -> bool:
    """Whether a small number goes on with the one before: `twenty five`, `hundred five`, but not `five six`."""
    if before in _SCALES or before == "and":
        return True
    return value in range(1, 10) and current % 100 in range(20, 100, 10)


def _is_small(words: list[str], at: int) -> bool:
    return at < len(words) and words[at] in _SMALL
