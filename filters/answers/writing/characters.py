r"""Rewrites characters outside ASCII in LaTeX or ASCII: `２½` becomes `2\frac{1}{2}`, `x²` becomes `x^{2}`.

Digits of every script, fractions, superscripts, roots, signs and quotation marks; other letters are left alone.
"""

import re
import unicodedata

_SIGNS = str.maketrans(
    {
        "−": "-",
        "‐": "-",
        "‑": "-",
        "‒": "-",
        "﹣": "-",
        "×": r"\times ",
        "·": r"\cdot ",
        "⋅": r"\cdot ",
        "∙": r"\cdot ",
        "÷": r"\div ",
        "⁄": "/",
        "∕": "/",
        "∶": ":",
        "±": r"\pm ",
        "∓": r"\mp ",
        "≈": r"\approx ",
        "≠": r"\neq ",
        "≤": r"\le ",
        "≥": r"\ge ",
        "⩽": r"\le ",
        "⩾": r"\ge ",
        "∞": r"\infty ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "∖": r"\setminus ",
        "∈": r"\in ",
        "∅": r"\emptyset ",
        "ℝ": r"\mathbb{R}",
        "°": r"^\circ ",
        "º": r"^\circ ",
        "℃": r"^\circ C",
        "℉": r"^\circ F",
        "∠": r"\angle ",
        "△": r"\triangle ",
        "⌈": r"\lceil ",
        "⌉": r"\rceil ",
        "⌊": r"\lfloor ",
        "⌋": r"\rfloor ",
        "…": r"\ldots ",
        "⋯": r"\ldots ",
        "‰": " per mille ",
        "′": "'",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "、": ",",
        "。": ".",
        "٫": ".",
        "٬": ",",
        "،": ",",
        "\u2062": "",
        "\u200b": "",
        "\u200e": "",
        "\u200f": "",
        "\u2060": "",
        "\ufeff": "",
        "π": r"\pi ",
        "α": r"\alpha ",
        "β": r"\beta ",
        "γ": r"\gamma ",
        "δ": r"\delta ",
        "θ": r"\theta ",
        "λ": r"\lambda ",
        "μ": r"\mu ",
        "ρ": r"\rho ",
        "σ": r"\sigma ",
        "φ": r"\phi ",
        "ω": r"\omega ",
        "Δ": r"\Delta ",
    }
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+")
_SUBSCRIPT = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋ₙ]+")
# Between two digits a dash is a range, elsewhere it is a minus sign.
_DASH = re.compile(r"(?<![0-9])\s?[–—]|[–—](?!\s?[0-9])")
_ROOT = re.compile(r"([√∛∜])\s*(?:([0-9]+(?:\.[0-9]+)?|[a-zA-Z])|(?=[({\\])|)")
_DEGREE = {"√": r"\sqrt", "∛": r"\sqrt[3]", "∜": r"\sqrt[4]"}
_BARRED = re.compile("(?:[0-9]\u0305)+")
_DOTTED = re.compile("([0-9])\u0307(?:([0-9]*)([0-9])\u0307)?")


def in_latex(text: str) -> str:
    """Rewrite the characters outside ASCII that have a spelling in LaTeX or ASCII."""
    text = "".join(char if char.isascii() else _plain(char) for char in text).translate(_SIGNS)
    text = _SUPERSCRIPT.sub(lambda m: f"^{{{m[0].translate(_RAISED)}}}", text)
    text = _SUBSCRIPT.sub(lambda m: f"_{{{m[0].translate(_LOWERED)}}}", text)
    text = _BARRED.sub(lambda m: rf"\overline{{{m[0][::2]}}}", text)
    text = _DOTTED.sub(lambda m: rf"\overline{{{m[1]}{m[2] or ''}{m[3] or ''}}}", text)
    return _ROOT.sub(_root, _DASH.sub("-", text))


def _plain(char: str) -> str:
    """A digit, full-width or mathematical letter, space or fraction in ASCII; any other character unchanged."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if unicodedata.category(char) == "Zs":
        return " "
    if "\uff01" <= char <= "\uff5e" or "\U0001d400" <= char <= "\U0001d7ff":
        return unicodedata.normalize("NFKC", char)
    if unicodedata.decomposition(char).startswith("<fraction>"):
        above, _, below = unicodedata.normalize("NFKC", char).partition("⁄")
        return rf"\frac{{{above}}}{{{below}}}" if above and below else char
    return char


def _root(match: re.Match[str]) -> str:
    return _DEGREE[match[1]] + (f"{{{match[2]}}}" if match[2] else " ")
