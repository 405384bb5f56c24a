r"""Cuts a tidy expression into tokens: numbers, letters with their index, commands, functions in plain text, signs.

`0.\overline{3}` is one number, `x_{12}` one letter, a determinant one token, and `exp(2)` starts with `\exp`.
"""

import re
from fractions import Fraction

PLAIN_FUNCTIONS = (
    "sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|arccot|asin|acos|atan|sinh|cosh|tanh|ln|log|lg|exp|sqrt|cbrt|abs"
    "|floor|ceil|max|min|gcd|lcm|binom|det"
)
_GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|lambda|mu|nu|xi|rho|varrho|sigma|tau"
    "|upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Phi|Psi|Omega|hbar|ell"
)
GREEK = frozenset(rf"\{name}" for name in _GREEK.split("|"))
_SPELLINGS = {
    "**": "^",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    r"\vert": "|",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\|": "|",
    r"\mid": "|",
    r"\tbinom": r"\binom",
    r"\dbinom": r"\binom",
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\lbrace": "{",
    r"\rbrace": "}",
    r"\ast": "*",
}
_REPEATING = r"[0-9]*\.[0-9]*(?:\\overline|\\bar|\\dot)\s*\{[0-9]+\}(?:[0-9]*\\dot\s*\{[0-9]\})?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<matrix>\\begin\s*\{{vmatrix\}}.*?\\end\s*\{{vmatrix\}})|(?P<repeating>{_REPEATING})"
    r"|(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+|[0-9]+\.(?![0-9.]))|(?P<command>\\[a-zA-Z]+|\\\||\*\*)"
    rf"|(?P<degrees>degrees?(?![a-zA-Z]))|(?P<function>(?:{PLAIN_FUNCTIONS})(?![a-zA-Z]))"
    r"|(?P<letter>[a-zA-Z])|(?P<sign>[-+*/^!=(){}\[\]|,_]))",
    re.DOTALL,
)
_INDEX = re.compile(r"\s*_\s*(?:\{\s*([-+0-9a-zA-Z, \\]{1,16})\s*\}|([0-9a-zA-Z]))")
_LATE_INDEX = re.compile(r"(\^\s*(?:\{[^{}_^]*\}|[0-9a-zA-Z]))\s*(_\s*(?:\{[^{}_^]*\}|[0-9a-zA-Z]))")
_REPEATED = re.compile(r"([0-9]*)\.([0-9]*)\\[a-z]+\s*\{([0-9]+)\}(?:([0-9]*)\\dot\s*\{([0-9])\})?")


class CannotEvaluate(Exception):
    """The text is outside the grammar, ambiguous, or without a value."""


def tokens_of(text: str) -> list[str]:
    """The tokens of a text; raises CannotEvaluate where it cannot be cut."""
    tokens, at, text = [], 0, _LATE_INDEX.sub(r"\2\1", text.rstrip())  # `v^2_0` is `v_0^2`
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise CannotEvaluate
        token, at = match[match.lastgroup or 0].strip(), match.end()
        if match["function"]:
            token = "\\" + _SPELLINGS.get(token, token)
        elif match["degrees"]:
            token = r"\degree"
        elif match["command"]:
            token = _SPELLINGS.get(token, token)
        if (match["letter"] or token in GREEK) and (index := _INDEX.match(text, at)):
            token, at = f"{token}_{(index[1] or index[2]).replace(' ', '')}", index.end()
        tokens.append(token)
    return tokens


def number_of(token: str) -> Fraction:
    r"""The exact value of a number's token; `0.1\overline{6}` repeats its last digits."""
    if "\\" not in token:
        return Fraction(token)
    match = _REPEATED.fullmatch(token)
    if match is None:
        raise CannotEvaluate
    whole, before, repeated, between, last = match.groups()
    repeated += (between or "") + (last or "")
    shift = 10 ** len(before)
    rest = Fraction(int(repeated), (10 ** len(repeated) - 1) * shift)
    return int(whole or "0") + Fraction(int(before or "0"), shift) + rest
