r"""Normalises notation that LaTeX and plain text write in many ways: spaces, delimiters, `\dfrac`, units in `\text{}`.

It rewrites text only and never changes a value.
"""

import re
from typing import Any

from filters.answers.extraction import last_boxed
from filters.answers.writing.characters import in_latex
from filters.answers.writing.currencies import with_currency
from filters.answers.writing.formatting import unformatted
from filters.answers.writing.rewriting import functions_called

# Digits, signs and separators only: nothing to rewrite.
_TIDY = re.compile(r"[-+0-9.,/ ]+")
_SPECIAL = re.compile(r"\.\.\.|\+/")
_WRAPPERS = (
    ("$$", "$$"),
    ("$", "$"),
    (r"\(", r"\)"),
    (r"\[", r"\]"),
    ("```", "```"),
    ("``", "''"),
    ("`", "`"),
    ("**", "**"),
    ("__", "__"),
    ("*", "*"),
    ('"', '"'),
    ("'", "'"),
)
_NESTED = re.compile(r"\\boxed\{(\\boxed\{.*\})\}", re.DOTALL)
_ELLIPSIS = re.compile(r"\.\.\.+|\\(?:dots|cdots|dotsc|ldots)(?![a-zA-Z])")
_TRAILING = " .,;:?\n\t"
_GROUPED = re.compile(r"(?<=[0-9])(?:\\,|\\!|\\ |\{,\}|\\text\{,\}|,\\!|, ?\\! ?)(?=\s?[0-9]{3}(?![0-9]))\s?")
_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_BASES["sixteen"] = 16


def _base(match: re.Match[str]) -> str:
    """The base of a number in digits: `1011_{two}` as `1011_{2}`."""
    return f"_{{{_BASES[match[1]]}}}"


_REWRITES: tuple[tuple[re.Pattern[str], Any], ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|\\degree(?![a-zA-Z])", " degrees "),
        (r"\\(?:[dtcs]|nice|x)frac(?![a-zA-Z])", r"\\frac"),
        (r"\\[dt]binom(?![a-zA-Z])", r"\\binom"),
        (r"\{([^{}]*)\\over(?![a-zA-Z])([^{}]*)\}", r"\\frac{\1}{\2}"),
        (r"^([^{}\\]*)\\over(?![a-zA-Z])([^{}\\]*)$", r"\\frac{\1}{\2}"),
        (r"\\frac\s*([0-9])\s*([0-9])", r"\\frac{\1}{\2}"),
        (r"\\frac\s*([0-9])\s*\{", r"\\frac{\1}{"),
        (r"\\frac\s*\{([^{}]*)\}\s*([0-9])", r"\\frac{\1}{\2}"),
        (r"(?<![\\a-zA-Z])(sqrt|sin|cos|tan|cot|ln|log|pi)(?![a-zA-Z])", r"\\\1"),
        (r"(?<![\\a-zA-Z])(exp|arcsin|arccos|arctan|sinh|cosh|tanh|max|min|gcd|lcm)\s*\(", r"\\\1("),
        (r"(?<![\\a-zA-Z])a(sin|cos|tan)\s*\(", r"\\arc\1("),
        (r"(?<![\\a-zA-Z])(?:infinity|inf)(?![a-zA-Z])|\\infin(?![a-zA-Z])", r"\\infty"),
        (r"\\sqrt\s*([0-9a-zA-Z])", r"\\sqrt{\1}"),
        (r"\\(?:[lr]?vert(?![a-zA-Z])|\|)", "|"),
        (r"(?<=[0-9a-zA-Z)\]}])\s*\*\*\s*(?=[-+0-9a-zA-Z({\\])", "^"),
        (r"\^\s*\(([^()]*)\)", r"^{\1}"),
        (r"\^\s*([-+]?[0-9]{2,})(?![0-9.])", r"^{\1}"),
        (r"([_^])\s*\{\s*([0-9a-zA-Z])\s*\}(?!\s*[0-9])", r"\1\2"),
        (r"(?<=[0-9])\s*\^\s*\{?\s*(st|nd|rd|th)\s*\}?(?![a-zA-Z])", r" \1"),
        (r"(?<=[0-9])\s*[xX]\s*(?=10\s*\^)", r"\\times "),
        (r"\^\s*\{\s*\\prime\s*\\prime\s*\}", "''"),
        (r"\^\s*(?:\{\s*\\prime\s*\}|\\prime(?![a-zA-Z]))", "'"),
        (r"\\lbrace(?![a-zA-Z])", r"\\{"),
        (r"\\rbrace(?![a-zA-Z])", r"\\}"),
        (r"\\(?:varnothing|empty)(?![a-zA-Z])|\\\{\s*\\\}", r"\\emptyset"),
        (r"\\(?:leq|leqslant|leqq)(?![a-zA-Z])|<=", r"\\le "),
        (r"\\(?:geq|geqslant|geqq)(?![a-zA-Z])|>=", r"\\ge "),
        (r"\\lt(?![a-zA-Z])", "<"),
        (r"\\gt(?![a-zA-Z])", ">"),
        (r"\\not\s*=|\\ne(?![a-zA-Z])", r"\\neq "),
        (r"\\(?:R(?![a-zA-Z])|mathbb\s*R(?![a-zA-Z])|Bbb\s*\{?R\}?|mathds\s*\{R\})", r"\\mathbb{R}"),
        (r"^[\s$]*\\approx(?![a-zA-Z])|\\(?:therefore|because)(?![a-zA-Z])", ""),
        (r"(\\mathbb\{[A-Z]\})\s*(?:-|\\backslash(?![a-zA-Z]))\s*(?=\\\{)", r"\1 \\setminus "),
        (r"^\s*=\s*(?=[^=]+$)", ""),
        (r"^[Tt]he\s+(?=[0-9]+ ?(?:st|nd|rd|th)$)", ""),
        (r"(?<=[0-9}])\s*\\Omega$", " ohm"),
        (r"(?<=[0-9}])\s*\\mu\s*m$", " micrometer"),
        (r"\+\s*/\s*-", r"\\pm "),
        (r"^(?:negative|minus)\s+(?=[0-9\\.])", "-"),
        (r"\(\s*\\?[bp]?mod\s*\{?\s*([0-9]+)\s*\}?\s*\)", r" \\pmod{\1}"),
        (r"\s*\\[bp]?mod\s*(?:\{\s*([0-9]+)\s*\}|([0-9]+))", r" \\pmod{\1\2}"),
        (r"\{([:=])\}", r"\1"),
        (r"^(?:[Tt]he\s+)?(?:final\s+|correct\s+)?[Aa]nswer\s+is\s*:?\s+(?=[-+0-9\\.])", ""),
        (r"_\s*\{?\s*(two|three|four|five|six|seven|eight|nine|ten|sixteen)(?![a-zA-Z])\s*\}?", _base),
        (r"\\%", "%"),
        (r"\\?\$", ""),
    )
)
# A row break is two backslashes. It is matched first, so its second backslash does not start a spacing command.
_SPACING = re.compile(
    r"(\\\\)|\\!|\\[,;:> ]|\\q?quad(?![a-zA-Z])|~|\\h(?:space\*?\s*\{[^{}]*\}|fill(?![a-zA-Z]))|&nbsp;"
)
_NEEDLESS = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])|(?<=[0-9]) (?=[A-Za-z])|(?<=[A-Za-z]) (?=[0-9])")


def tidy(answer: str) -> str:
    """Rewrite an answer in the normal form that the tiers read; its value does not change."""
    if _TIDY.fullmatch(answer) and not _SPECIAL.search(answer):
        return " ".join(answer.split()).rstrip("., ")
    text = answer if answer.isascii() else in_latex(answer)
    text = _unwrap(_without_trailing(_ELLIPSIS.sub(r"\\ldots ", text)))
    text = with_currency(unformatted(_GROUPED.sub(",", text)))
    text = _SPACING.sub(lambda m: m[1] or ("" if m[0] == r"\!" else " "), text)
    text = functions_called(text)
    for pattern, new in _REWRITES:
        text = pattern.sub(new, text)
    return _without_trailing(" ".join(text.split()))


def compact(text: str) -> str:
    """Drop the spaces of a tidy answer, except those between two numbers or two words."""
    return _NEEDLESS.sub("", text)


def spelling(text: str) -> str:
    """A text in normal form and one case, so texts that differ only in notation compare equal."""
    return compact(tidy(text)).casefold()


def _without_trailing(text: str) -> str:
    """Drop punctuation and line breaks at the end."""
    text = text.strip()
    while text and (text[-1] in _TRAILING or text[-1] == "\\"):
        text = text[:-1]  # a backslash is left of `5\,` or of a line break
    return text


def _unwrap(text: str) -> str:
    for _ in range(4):
        if text[:1] == "{" and text[-1:] == "}" and not set("{}") & set(text[1:-1]) and r"\over" not in text:
            text = text[1:-1].strip()
        for opening, closing in _WRAPPERS:
            inner = text[len(opening) : -len(closing)]
            if text == f"{opening}{inner}{closing}" and opening not in inner and closing not in inner:
                text = _without_trailing(inner)
        while (nested := _NESTED.fullmatch(text)) is not None:
            text = nested[1]
        boxed = last_boxed(text) if text.startswith(r"\boxed") else None
        if boxed is not None and "".join(text.split()) == "".join(rf"\boxed{{{boxed}}}".split()):
            text = boxed
    return text
