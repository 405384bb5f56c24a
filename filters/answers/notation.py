r"""Normalises notation that LaTeX and plain text write in many ways: spaces, delimiters, `\dfrac`, units in `\text{}`.

It rewrites text only and never changes a value.
"""

import re

from filters.answers.extraction import last_boxed

_UNICODE = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "﹣": "-",
        "×": r"\times ",
        "·": r"\cdot ",
        "⋅": r"\cdot ",
        "÷": r"\div ",
        "π": r"\pi ",
        "∞": r"\infty ",
        "∪": r"\cup ",
        "∈": r"\in ",
        "°": r"^\circ ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
        "\u2062": "",
    }
)
# Digits, signs and separators only: nothing to rewrite.
_TIDY = re.compile(r"[-+0-9.,/ ]+")
_WRAPPERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), ("**", "**"))
_GROUPED = re.compile(r"(?<=[0-9])(?:\\,|\\!|\\ |\{,\}|,\\!|, ?\\! ?)(?=\s?[0-9]{3}(?![0-9]))\s?")
_REWRITES = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"\\right\.|\\left\.", ""),
        (r"\\(?:left|right|[bB]ig{1,2}[lr]?|displaystyle|textstyle|limits)(?![a-zA-Z])", ""),
        (
            r"\\(?:text(?:bf|it|rm|normal)?|math(?:rm|bf|it)|mbox|operatorname)(?:\s*\{([^{}]*)\}|\s+([a-zA-Z]))",
            r" \1\2 ",
        ),
        (r"\s*\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|\\degree(?![a-zA-Z])", " degrees "),
        (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
        (r"\\frac\s*([0-9])\s*([0-9])", r"\\frac{\1}{\2}"),
        (r"\\frac\s*([0-9])\s*\{", r"\\frac{\1}{"),
        (r"\\frac\s*\{([^{}]*)\}\s*([0-9])", r"\\frac{\1}{\2}"),
        (r"(?<![\\a-zA-Z])(sqrt|sin|cos|tan|cot|ln|log|pi)(?![a-zA-Z])", r"\\\1"),
        (r"(?<![\\a-zA-Z])infinity(?![a-zA-Z])", r"\\infty"),
        (r"\\sqrt\s*([0-9a-zA-Z])", r"\\sqrt{\1}"),
        (r"\\sqrt\s*\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"([_^])\s*\{\s*([0-9a-zA-Z])\s*\}", r"\1\2"),
        (r"\\lbrace(?![a-zA-Z])", r"\\{"),
        (r"\\rbrace(?![a-zA-Z])", r"\\}"),
        (r"\\infin(?![a-zA-Z])", r"\\infty"),
        (r"\\%", "%"),
        (r"\\?\$", ""),
    )
)
# A row break is two backslashes. It is matched first, so its second backslash does not start a spacing command.
_SPACING = re.compile(r"(\\\\)|\\!|\\[,;:> ]|\\q?quad(?![a-zA-Z])|~")
_NEEDLESS = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])|(?<=[0-9]) (?=[A-Za-z])|(?<=[A-Za-z]) (?=[0-9])")


def tidy(answer: str) -> str:
    """Rewrite an answer in the normal form that the tiers read; its value does not change."""
    if _TIDY.fullmatch(answer):
        return " ".join(answer.split()).rstrip(". ")
    text = _unwrap(answer.translate(_UNICODE).strip().rstrip("."))
    text = _GROUPED.sub(",", text)
    text = _SPACING.sub(lambda m: m[1] or ("" if m[0] == r"\!" else " "), text)
    for pattern, new in _REWRITES:
        text = pattern.sub(new, text)
    return " ".join(text.split()).rstrip(". ")


def compact(text: str) -> str:
    """Drop the spaces of a tidy answer, except those between two numbers or two words."""
    return _NEEDLESS.sub("", text)


def spelling(text: str) -> str:
    """A text in normal form and one case, so texts that differ only in notation compare equal."""
    return compact(tidy(text)).casefold()


def _unwrap(text: str) -> str:
    if text[:1] == "{" and text[-1:] == "}" and not set("{}") & set(text[1:-1]):
        text = text[1:-1].strip()
    for _ in range(3):
        for opening, closing in _WRAPPERS:
            inner = text[len(opening) : -len(closing)]
            if text == f"{opening}{inner}{closing}" and opening not in inner and closing not in inner:
                text = inner.strip().rstrip(".")
        boxed = last_boxed(text) if text.startswith(r"\boxed") else None
        if boxed is not None and "".join(text.split()) == "".join(rf"\boxed{{{boxed}}}".split()):
            text = boxed
    return text
