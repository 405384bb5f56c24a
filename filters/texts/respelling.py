r"""One spelling for texts that say the same: LaTeX as plain text, numbers in digits, one word for every ask.

`Determine the value of $\tfrac{3}{4}\times\text{twelve}$.` and `What is 3/4 · 12?` give the same words.
"""

import re
import unicodedata

from filters.texts.numerals import with_digits
from filters.texts.words import WORD

_END = "\n"
_WORD_OR_END = re.compile(rf"{WORD}|{_END}")
_PARTED = re.compile(r"\d[.,]\d")
_SENTENCE_END = re.compile(r"([.?!:;][\"')*]*)\s+|([。？！；：])\s*|\n\s*")

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
_RAISED_GROUP = re.compile(r"([\^_])\s*\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([a-z]+)")
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ(?![a-z])\s*\}?")
_SPACING = re.compile(r"\\[,;:!> ]")
_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W\d_]{2})|(?<=\d)-(?=[^\W\d_]{3})| - (?=[^\W\d_]{3})|--+")
_BRACKET = re.compile(r"\(([^()+*/^=<>\d-]{3,200})\)")
_PROSE = re.compile(r"[^\W\d_]{3}")
# "What is the value of" and the like, longest first; whatever asks is spelt as the first word after it.
_ASKS = frozenset(["what", "find", "determine", "compute", "calculate", "evaluate", "work", "give", "state", "obtain"])
_IS = frozenset(["is", "are", "was", "were", "s"])
_ARTICLES = frozenset(["the", "a", "an"])
_VALUE = frozenset(["value", "values"])
_PLEASE = frozenset(["please", "kindly"])
_FOLLOWED = {"what": _IS, "work": frozenset(["out"])}
_NOT = re.compile(r"n't\b|\bcannot\b")
_OWNS = re.compile(r"(?<=[^\W\d_])'s\b")
_BOLD = re.compile(r"(?<![\d)])\*\*|\*\*(?![\d(])")
_PERCENT = re.compile(r"(?<=\d) ?per ?cent\b")
_DEPTH = 4


def comparable(text: str) -> list[str]:
    """The words, numbers and signs by which texts are compared."""
    return [word for word in _tokens(text) if word != _END]


def comparable_sentences(text: str) -> list[list[str]]:
    """The same words, sentence by sentence."""
    found: list[list[str]] = [[]]
    for word in _tokens(text):
        if word == _END:
            found.append([])
        else:
            found[-1].append(word)
    return [sentence for sentence in found if sentence]


def _tokens(text: str) -> list[str]:
    """The words, with a line break after each sentence."""
    spelt = _SENTENCE_END.sub(r"\1\2\n", _respelt(text))
    tokens = _WORD_OR_END.findall(spelt)
    if _PARTED.search(spelt):
        tokens = [_one_number(word) if word[0].isdigit() else word for word in tokens]
    return _with_one_ask(_unwrapped(with_digits(tokens)))


def _one_number(number: str) -> str:
    """The number without separators and without zeros that say nothing: `1,200.50` is 1200.5."""
    bare = number.replace(",", "")
    return bare.rstrip("0").rstrip(".") if bare.count(".") == 1 else bare


def _respelt(text: str) -> str:
    """The text in lower case and one spelling; sentence ends stay."""
    plain = text.lower() if text.isascii() else _unmarked(text)
    if "\\" in plain:
        plain = _without_latex(plain)
    if "n't" in plain or "cannot" in plain:
        plain = _NOT.sub(" not", plain)
    if "'" in plain:
        plain = _OWNS.sub("", plain.replace("what's", "what is")).replace("'", "")
    if "**" in plain:
        plain = _BOLD.sub(" ", plain)
    if "per" in plain:
        plain = _PERCENT.sub("%", plain)
    if "-" in plain:
        plain = _HYPHEN.sub(" ", plain)
    return _BRACKET.sub(_without_brackets, plain) if "(" in plain else plain


def _with_one_ask(tokens: list[str]) -> list[str]:
    """The words with `what is the` for whatever asks: `find`, `please determine the value of`."""
    if _ASKS.isdisjoint(tokens):
        return tokens
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        end = _ask_ends(tokens, at)
        if end == at:
            kept.append(tokens[at])
            at += 1
            continue
        if kept and kept[-1] in _PLEASE:
            kept.pop()
        is_count = tokens[end : end + 2] == ["number", "of"]
        kept += ["how", "many"] if is_count else ["what", "is", "the"]
        at = end + 2 if is_count else end
    return kept


def _ask_ends(tokens: list[str], start: int) -> int:
    """Where an ask that starts here ends, or `start` if none does."""
    first = tokens[start]
    if first not in _ASKS:
        return start
    at = start + 1
    if first in _FOLLOWED:
        if tokens[at : at + 1] == [] or tokens[at] not in _FOLLOWED[first]:
            return start
        at += 1
    if at < len(tokens) and tokens[at] in _ARTICLES:
        at += 1
    ahead = at + (tokens[at : at + 1] in (["exact"], ["numerical"], ["total"]))
    if ahead + 1 < len(tokens) and tokens[ahead] in _VALUE and tokens[ahead + 1] == "of":
        at = ahead + 2
        at += at < len(tokens) and tokens[at] in _ARTICLES
    elif tokens[at : at + 3] == ["total", "number", "of"]:
        at += 1
    return at


def _without_brackets(aside: re.Match[str]) -> str:
    return f" {aside[1]} " if _PROSE.search(aside[1]) else aside[0]


def _unmarked(text: str) -> str:
    """The text without accents and invisible characters, and with plain letters and signs."""
    raised = _RAISED_RUN.sub(lambda run: "^" + run[0].translate(_RAISED), text.translate(_PLAIN))
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", raised))
    return unicodedata.normalize("NFKC", bare).casefold().translate(_PLAIN)


def _without_latex(text: str) -> str:
    plain = _DEGREES.sub(" degrees ", _SPACING.sub(" ", text.replace("\\%", "%").replace("{,}", ",")))
    for _ in range(_DEPTH):
        inlined = _FRACTION.sub(_inline, _RAISED_GROUP.sub(r"\1(\2)", plain))
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
