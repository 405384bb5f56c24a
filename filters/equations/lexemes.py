r"""Lexemes of a line that may hold equations: numbers, signs, brackets, relations, words and breaks, with their spans.

Reads plain text and LaTeX alike: `3 × 4`, `3 \times 4`, `\frac{1}{2}`, `1{,}000`, `$2.50`, `\text{ apples}`.
"""

import re
from dataclasses import dataclass
from typing import Literal, cast

Kind = Literal["number", "sign", "open", "close", "command", "relation", "percent", "currency", "bang", "word", "break"]

_GROUP_MARK = r"(?:,|\{,\}|\\,|\\!|,\\!)"
_NUMBER = rf"\d{{1,3}}(?:{_GROUP_MARK}\d{{3}})+(?:\.\d+)?(?![\d,]\d)|\d+(?:\.\d+)?|\.\d+"
_LEXEME = re.compile(
    r"(?P<degrees>\^\s*\{?\s*\\circ(?![a-zA-Z])\s*\}?)"
    r"|(?P<dots>\.{3,}|…|\\(?:[lc]?dots|dotsc?)(?![a-zA-Z]))"
    r"|(?P<relation>\\(?:approx|neq?|equiv|sim(?:eq)?|cong|doteq|l(?:eq?|t)|g(?:eq?|t)|propto)(?![a-zA-Z])"
    r"|[≈≠≡≤≥∼≅∝≃]|[:!<>+*/~-]=|=[<=~]|[<>](?![<>=-])|(?<!-)>|=(?!>))"
    r"|(?P<arrow>[=-]+>|[→⇒⟹⇔↔←—―]|\\(?:Right|Left|right|left|Longright|long)\w*arrow|\\(?:implies|iff|to|therefore|because"
    r"|qquad|quad|item|newline|hline|par)(?![a-zA-Z])|[∴∵])"
    rf"|(?P<odd>(?<!\d)0\d+(?![.\d])|\d+(?::\d+)+|(?!\d{{1,3}}(?:,\d{{3}})+(?!,?\d))\d+(?:,\d+)+)"
    rf"|(?P<number>{_NUMBER})"
    r"|(?P<times>(?<=[\d)\]}])[xX](?=[\d(])|(?<=\s)[xX](?=\s*[-+]?\\?[$£€]?[\d(]))"
    r"|(?P<sign>\\(?:times|cdot|div|ast)(?![a-zA-Z])|(?<=\d)\*\*(?=\d)|(?<=\d )\*\*(?= \d)|\*(?!\*)|(?<!\*)\*(?=\d)"
    r"|[-+/^×·÷−⋅∙∗–])"
    r"|(?P<percent>\\?%|％|percent\b)|(?P<currency>\\?[$£€¥₹¢])|(?P<superscript>[²³])|(?P<degree>°)"
    r"|(?P<open>[({\[])|(?P<close>[)}\]])|(?P<bang>!)"
    r"|(?P<command>\\[a-zA-Z]+)"
    r"|(?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*|_\w*|[|'′″√±∓])"
    r"|(?P<ends>[.?;。？；！]|\n|\\\\)|(?P<break>\S)"
)
_SIGNS = {
    **dict.fromkeys((r"\times", r"\cdot", r"\ast", "×", "·", "⋅", "∙", "∗", "x", "X"), "*"),
    **dict.fromkeys((r"\div", "÷"), "/"),
    **dict.fromkeys(("−", "–"), "-"),
    "**": "^",
}
_KINDS: dict[str, tuple[Kind, str]] = {
    "dots": ("word", "..."),
    "odd": ("word", "#"),
    "arrow": ("break", "→"),
    "ends": ("break", "."),
    "degree": ("word", "degree"),
    "degrees": ("word", "degree"),
}
# Markup that says nothing about a value. It is replaced by as many spaces, so every span stays that of the text.
_MARKUP = re.compile(
    r"\\(?:displaystyle|textstyle|boxed|fbox|limits|middle|left|right)(?![a-zA-Z])|\\(?:begin|end)\{[^{}]*\}"
    r"|(?<![\d,])\\[,!;:> ]|\\[;:> ]|(?<!\\)&|~~|\*\*(?!\d)|(?<!\d)\*\*|`|\\[()\[\]]|\$\$"
)
_IN_DOLLARS = re.compile(r"(?<![\\$])\$(?=\S)([^$\n]*[^$\s\\])\$(?![\d$])")
_SIZED = re.compile(r"(\\(?:left|right|[bB]igg?[lr]?)\s*)([()\[\]])")
_WRAPPED = re.compile(r"(\\(?:text|mathrm|mathbf|textbf|mbox|textit|operatorname|textrm|hbox)\s*\{)([^{}]*)(\})")
_BACKSLASHED_SPACE = re.compile(r"\\(?=\s)")


@dataclass(frozen=True, slots=True)
class Lexeme:
    r"""A piece of a line and its span; `symbol` is its plain form (`*` for `\times`, `1000` for `1,000`)."""

    kind: Kind
    symbol: str
    start: int
    end: int

    @property
    def ends_sentence(self) -> bool:
        """Whether a sentence or a line ends here."""
        return self.kind == "break" and self.symbol == "."


def lexemes(text: str) -> list[Lexeme]:
    """The pieces of a text in order, without white space and markup."""
    pieces = [_lexeme(match) for match in _LEXEME.finditer(_without_markup(text))]
    after = [*pieces[1:], None][: len(pieces)]
    return [piece for piece, then in zip(pieces, after, strict=True) if not _is_delimiter(piece, then)]


def _is_delimiter(piece: Lexeme, then: Lexeme | None) -> bool:
    """Whether a dollar sign opens or closes a formula; a price follows its sign at once."""
    is_price = then is not None and then.kind == "number" and then.start == piece.end
    return piece.kind == "currency" and piece.symbol == "$" and piece.end - piece.start == 1 and not is_price


def _lexeme(match: re.Match[str]) -> Lexeme:
    group, piece = str(match.lastgroup), match.group()
    if group in _KINDS:
        kind, symbol = _KINDS[group]
    elif group == "times":
        kind, symbol = "sign", "*"
    elif group == "superscript":
        kind, symbol = "word", "squared" if piece == "²" else "cubed"
    else:
        kind, symbol = cast(Kind, group), _SIGNS.get(piece, piece.lstrip("\\") if group != "command" else piece)
        if kind == "number":
            symbol = re.sub(r"[^\d.]", "", piece)
        elif kind == "relation" and piece != "=":
            symbol = "other"
    return Lexeme(kind, symbol, match.start(), match.end())


def _without_markup(text: str) -> str:
    text = _WRAPPED.sub(lambda match: _blank(match[1]) + match[2] + " ", text)
    text = _IN_DOLLARS.sub(r" \1 ", text)
    text = _SIZED.sub(lambda match: match[2] + _blank(match[1]), text)
    return _BACKSLASHED_SPACE.sub(" ", _MARKUP.sub(_blanked, text))


def _blank(text: str) -> str:
    return " " * len(text)


def _blanked(match: re.Match[str]) -> str:
    return _blank(match.group())
