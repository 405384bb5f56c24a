r"""One spelling for texts that say the same: LaTeX as plain text, numbers in digits, one word for every ask.

`Determine the value of $\tfrac{3}{4}\times\text{twelve}$.` and `What is 3/4 · 12?` give the same words.
"""

import re
import unicodedata

from filters.texts.numerals import with_digits
from filters.texts.words import words

_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ"
_RAISED = str.maketrans(_SUPERSCRIPTS, "0123456789+-n")
_RAISED_RUN = re.compile(f"[{_SUPERSCRIPTS}]+")
_ACCENTS = re.compile("[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]")
# Cyrillic and Greek letters that look like Latin ones, then signs by their plain spelling.
_LOOKALIKES = dict(zip("аеорсухіјѕԁһӏѵԛԝкмтвн", "aeopcyxijsdhlvqwkmtbh", strict=True)) | dict(
    zip("οανρτυικχ", "oavptuikx", strict=True)
)
_SIGNS = {
    "×": "*", "·": "*", "∙": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "−": "-", "‐": "-", "‑": "-",
    "‒": "-", "–": "-", "—": " ", "―": " ", "≤": "<=", "⩽": "<=", "≥": ">=", "⩾": ">=", "≠": "<>", "∧": " land ",
    "∨": " lor ", "¬": " lnot ", "→": " to ", "⇒": " to ", "↔": " iff ", "⇔": " iff ", "∈": " in ", "∉": " notin ",
    "∪": " cup ", "∩": " cap ", "⊂": " subset ", "⊆": " subset ", "⊃": " supset ", "∞": " infty ", "∑": " sum ",
    "∏": " prod ", "∫": " int ", "√": " sqrt ", "±": " pm ", "∓": " mp ", "°": " degrees ", "º": " degrees ",
    "∠": " angle ", "∀": " forall ", "∃": " exists ", "∅": " emptyset ", "⊥": " perp ", "∥": " parallel ",
    "π": "pi", "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "θ": "theta", "λ": "lambda", "μ": "mu",
    "ω": "omega", "φ": "phi", "ϕ": "phi", "σ": "sigma", "ε": "epsilon", "’": "'", "‘": "'",
}  # fmt: skip
_PLAIN = str.maketrans(_LOOKALIKES | _SIGNS)
_COMMANDS = {
    "times": "*", "cdot": "*", "ast": "*", "div": "/", "over": "/", "leq": "<=", "leqslant": "<=", "le": "<=",
    "geq": ">=", "geqslant": ">=", "ge": ">=", "neq": "<>", "ne": "<>", "lt": "<", "gt": ">", "circ": " degrees ",
    "degree": " degrees ", "percent": "%", "wedge": " land ", "vee": " lor ", "neg": " lnot ", "rightarrow": " to ",
    "implies": " to ", "longrightarrow": " to ", "leftrightarrow": " iff ", "subseteq": " subset ", "lvert": "|",
    "rvert": "|", "mid": "|", "vert": "|", "ldots": " ", "dots": " ", "cdots": " ", "begin": " ", "end": " ",
    "left": " ", "right": " ", "displaystyle": " ", "textstyle": " ", "text": " ", "textbf": " ", "textit": " ",
    "textrm": " ", "mathrm": " ", "mathbf": " ", "mathit": " ", "mathbb": " ", "mbox": " ", "operatorname": " ",
    "quad": " ", "qquad": " ", "big": " ", "bigg": " ", "item": " ", "varphi": " phi ", "varepsilon": " epsilon ",
}  # fmt: skip
_ARGUMENT = r"\s*(?:\{([^{}]*)\}|([0-9a-z]))"
_FRACTION = re.compile(rf"\\[dtc]?frac(?![a-z]){_ARGUMENT}{_ARGUMENT}")
_COMMAND = re.compile(r"\\([a-z]+)")
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ(?![a-z])\s*\}?")
_SPACING = re.compile(r"\\[,;:!> ]")
_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W\d_]{2})|(?<=\d)-(?=[^\W\d_]{3})| - (?=[^\W\d_]{3})|--+")
_ASIDE = re.compile(r"\(([^()+*/^=<>\d-]*[^\W\d_]{3}[^()+*/^=<>\d-]*)\)")
_ASK = re.compile(
    r"\b(?:please |kindly )?(?:(?:can|could) you (?:please )?)?(?:what(?:'s| is| are| was| were| will be| would be)"
    r"|find|determine|compute|calculate|evaluate|work out|give|state|obtain|figure out)\b"
    r"(?: the| a)?(?:(?: exact| numerical)? values? of(?: the)?)?"
)
_NUMBER_OF = re.compile(r"\bwhat is the (?:total )?number of\b")
_NOT = re.compile(r"n't\b|\bcannot\b")
_PERCENT = re.compile(r"(?<=\d) ?per ?cent\b")
_DEPTH = 4


def respelt(text: str) -> str:
    """The text in lower case and one spelling; sentence ends stay."""
    plain = text.lower() if text.isascii() else _unmarked(text)
    if "\\" in plain:
        plain = _without_latex(plain)
    plain = _NOT.sub(" not", plain)
    plain = _PERCENT.sub("%", _ASIDE.sub(r" \1 ", _HYPHEN.sub(" ", plain)))
    return _NUMBER_OF.sub("how many", _ASK.sub("what is the", plain))


def comparable(text: str) -> list[str]:
    """The words, numbers and signs by which texts are compared."""
    return _unwrapped(with_digits(words(respelt(text))))


def comparable_sentence(sentence: str) -> list[str]:
    """The words of a sentence of a text that is respelt already."""
    return _unwrapped(with_digits(words(sentence)))


def _unmarked(text: str) -> str:
    """The text without accents and invisible characters, and with plain letters and signs."""
    raised = _RAISED_RUN.sub(lambda run: "^" + run[0].translate(_RAISED), text.translate(_PLAIN))
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", raised))
    return unicodedata.normalize("NFKC", bare).casefold().translate(_PLAIN)


def _without_latex(text: str) -> str:
    plain = _DEGREES.sub(" degrees ", _SPACING.sub(" ", text.replace("\\%", "%").replace("{,}", ",")))
    for _ in range(_DEPTH):
        inlined = _FRACTION.sub(_inline, plain)
        if inlined == plain:
            break
        plain = inlined
    return _COMMAND.sub(lambda command: _COMMANDS.get(command[1], f" {command[1]} "), plain)


def _inline(fraction: re.Match[str]) -> str:
    above, below = (fraction[1] or fraction[2] or "", fraction[3] or fraction[4] or "")
    return f" ({above})/({below}) "


def _unwrapped(tokens: list[str]) -> list[str]:
    """The words without brackets around a single one."""
    if "(" not in tokens:
        return tokens
    kept: list[str] = []
    for token in tokens:
        if token == ")" and len(kept) > 1 and kept[-2] == "(":
            kept[-2:] = [kept[-1]]
        else:
            kept.append(token)
    return kept
