r"""A text as comparable words: one case, one spelling of LaTeX, numbers whole, signs that carry meaning.

Knows nothing of what the words are compared for.
"""

import re
import unicodedata

NUMBER = "0"
_DRESSING = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|text(?:bf|it|rm)?|math(?:rm|bf|it)|mbox|operatorname|q?quad)(?![a-z])"
    r"|\\[,;:!> ]|[$~]"
)
_FRACTION = re.compile(r"\\[dtc]frac(?![a-z])")
_BARE_FRACTION = re.compile(r"\\frac(?![a-z])\s*([0-9a-z])\s*([0-9a-z])")
_WORD = re.compile(r"\\?[^\W\d_]+|[0-9]+(?:[.,][0-9]+)*|[-+*/^=<>%()]")


def words(text: str) -> list[str]:
    r"""Return the words, numbers, LaTeX commands and signs of a text, in order.

    Braces, dollars, spacing and the spelling of fractions make no difference: `$\dfrac{1}{2}$` is `\frac12`.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = _FRACTION.sub(r"\\frac", _DRESSING.sub(" ", plain))
    plain = _BARE_FRACTION.sub(r"\\frac \1 \2 ", plain)
    return [word.replace(",", "") if word[0].isdigit() else word for word in _WORD.findall(plain)]


def figures(of: list[str]) -> str:
    """Numbers, signs and brackets in their order: what two texts must share to be one problem."""
    return " ".join(word for word in of if not word[-1].isalpha())


def masked(of: list[str]) -> list[str]:
    """The same words with every number made the same one."""
    return [NUMBER if word[0].isdigit() else word for word in of]


def ngrams(of: list[str], n: int) -> list[str]:
    """Every run of `n` words, as one string each."""
    return [" ".join(of[start : start + n]) for start in range(len(of) - n + 1)]
