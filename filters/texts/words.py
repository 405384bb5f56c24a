r"""Splits a text into comparable words: lower case, one spelling of LaTeX, whole numbers, meaningful signs."""

import re
import unicodedata

NUMBER = "0"
_DIGITS = frozenset("0123456789")
_FORMATTING = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|text(?:bf|it|rm)?|math(?:rm|bf|it)|mbox|operatorname|q?quad)(?![a-z])"
    r"|\\[,;:!> ]|[$~]"
)
_FRACTION = re.compile(r"\\[dtc]frac(?![a-z])")
_BARE_FRACTION = re.compile(r"\\frac(?![a-z])\s*([0-9a-z])\s*([0-9a-z])")
# Scripts without spaces between words count by character.
_CHARACTER = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = rf"[{_CHARACTER}]|\\?[^\W\d_{_CHARACTER}]+|[0-9]+(?:[.,][0-9]+)*|[-+*/^=<>%()]"
_WORD = re.compile(WORD)


def words(text: str) -> list[str]:
    r"""Return the words, numbers, LaTeX commands and signs of a text, in order.

    Braces, dollars, spacing and the spelling of fractions make no difference: `$\dfrac{1}{2}$` is `\frac12`.
    """
    normalized = unicodedata.normalize("NFKC", text).casefold()
    normalized = _FRACTION.sub(r"\\frac", _FORMATTING.sub(" ", normalized))
    normalized = _BARE_FRACTION.sub(r"\\frac \1 \2 ", normalized)
    return [word.replace(",", "") if word[0].isdigit() else word for word in _WORD.findall(normalized)]


def figures(tokens: list[str]) -> str:
    """Numbers, signs and brackets in order: what two texts must share to be the same problem."""
    return " ".join(word for word in tokens if not word[-1].isalpha())


def masked(tokens: list[str]) -> list[str]:
    """The words with every number replaced by `NUMBER`."""
    return [NUMBER if word[0] in _DIGITS else word for word in tokens]


def ngrams(tokens: list[str], n: int) -> list[str]:
    """Every run of `n` words, each joined to one string."""
    return [" ".join(tokens[start : start + n]) for start in range(len(tokens) - n + 1)]
