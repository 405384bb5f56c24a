r"""What an answer says its value is the value of: `x = 5`, `Area = 12`, `(x, y) = (1, 2)`, `S:T = 7:32`."""

import re
from functools import lru_cache

from filters.answers.kinds.containers import Container, split

_GREEK = r"\\(?:alpha|beta|gamma|delta|theta|lambda|mu|phi|omega|rho|sigma|tau|varepsilon|epsilon|kappa|xi|eta|varphi)"
_MARKS = r"(?:(?:m\s*)?\\(?:Delta|angle|overline|overrightarrow|vec|triangle|hat|bar)\s*)"
_SYMBOL = (
    rf"{_MARKS}?(?:\{{?[A-Z]{{2,4}}\}}?|[A-Za-z]|{_GREEK})'*(?:\s*_\s*(?:\{{[^{{}}=]*\}}|[0-9A-Za-z]|\\[a-z]+))?'*"
    r"(?:(?:\s*\^\s*\{\s*-\s*1\s*\})?\s*\(\s*[^()=]*\s*\))?"
)
_FUNCTION = (
    r"\\(?:sin|cos|tan|cot|sec|csc)\s*(?:\(?\s*(?:\\angle\s*)?[A-Z]{1,3}\s*\)?"
    rf"|\(?\s*{_GREEK}\s*\)?)"
)
_WORDS = r"(?:[A-Za-z]+ ){0,3}[A-Za-z]{3,}(?:\s*\([^()=]*\))?"
_TUPLE = r"\(\s*[A-Za-z](?:_[0-9a-z])?\s*(?:,\s*[A-Za-z](?:_[0-9a-z])?\s*)+\)"
_RELATION = r"\s*(=|\\in(?![a-zA-Z])|\\approx(?![a-zA-Z]))\s*"
_LENGTH = r"\|\s*(?:\\(?:overline|vec|overrightarrow)\s*)?\{?[A-Z]{2,3}\}?\s*\|"
_NAMED = re.compile(rf"({_TUPLE}|{_FUNCTION}|{_LENGTH}|{_SYMBOL}(?:\s*:\s*{_SYMBOL})*|{_WORDS}){_RELATION}([^=]+)")
_CONSTANTS = frozenset({"e", "i"})
_VOWEL = re.compile("[aeiouyAEIOUY]")
_POINT = re.compile(r"[A-Z]'?\s*(\([^()]*,[^()]*\))")
_LABEL = re.compile(r"((?:[A-Za-z]+ ){0,3}[A-Za-z]*[a-z]{2,}):\s*([^\s:=][^:=]*)")
_TURNED = re.compile(r"([-+0-9.,/\s]*[0-9])\s*=\s*([A-Za-z])")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[a-z]+\}(?:\s*\{[lcr| ]*\})?")
_LETTERS = re.compile(r"\\[a-zA-Z]+|([a-zA-Z])")


def without_names(left: str, right: str) -> tuple[str, str]:
    """Strip `x =` from one side, or from both if they name the same thing."""
    if (point := _POINT.fullmatch(left)) and right.startswith("("):
        return point[1], right
    if (point := _POINT.fullmatch(right)) and left.startswith("("):
        return left, point[1]
    if not any(mark in side for side in (left, right) for mark in ("=", ":", r"\in", r"\approx")):
        return left, right
    ours, theirs = named(left), named(right)
    if ours and not theirs and "=" in right:
        return _spread(*ours) or left, right
    if theirs and not ours and "=" in left:
        return left, _spread(*theirs) or right
    if ours and theirs and ours[0] != theirs[0]:
        return left, right
    return (ours[1] if ours else left), (theirs[1] if theirs else right)


def _spread(name: str, value: str) -> str | None:
    """`(x,y) = (1,2)` as `x=1, y=2`; None for a name that is no tuple."""
    names, values = split(name[1:-1], ","), split(value[1:-1], ",")
    if not (name[:1] == value[:1] == "(" and name[-1:] == value[-1:] == ")") or len(names) != len(values):
        return None
    return ", ".join(f"{symbol}={item}" for symbol, item in zip(names, values, strict=True))


@lru_cache(maxsize=4096)
def named(text: str) -> tuple[str, str] | None:
    """The name and the value of a tidy answer `name = value`; None without a name, or where the value contains it."""
    match = _NAMED.fullmatch(text)
    if match is None:
        return _labelled(text)
    name, value = re.sub(r"[\s{}]", "", match[1]), match[3].strip()
    if not _may_be_name(match[1]) or (name in _CONSTANTS and "approx" in match[2]):
        return None
    symbols = {letter for letter in _LETTERS.findall(match[1]) if letter}
    is_symbol = len(symbols) == 1 and not re.search("[a-z]{3}", match[1])
    return None if is_symbol and symbols & set(_LETTERS.findall(_ENVIRONMENT.sub(" ", value))) else (name, value)


def _labelled(text: str) -> tuple[str, str] | None:
    """`Area: 12` or `5 = x`."""
    if label := _LABEL.fullmatch(text):
        return re.sub(r"\s", "", label[1]), label[2]
    turned = _TURNED.fullmatch(text)
    return (turned[2], turned[1].strip()) if turned else None


def assignments(container: Container) -> dict[str, str] | None:
    """The values of a list of assignments by name; None unless every item is one, with different names."""
    pairs = [named(item) for item in container.items]
    if container.kind != "list" or not all(pairs):
        return None
    values = dict(pair for pair in pairs if pair)
    return values if len(values) == len(pairs) and len(values) > 1 else None


def _may_be_name(text: str) -> bool:
    """Whether the letters are a name; two lower-case letters are a product, and a word has a vowel."""
    words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\\[a-zA-Z]+|_\s*\{[^{}]*\}|\(.*\)", " ", text))
    return all(word.isupper() or (len(word) > 2 and bool(_VOWEL.search(word))) for word in words)
