r"""Removes what only sets type: fonts, sizes, colours, HTML tags, environments around one line.

A unit of one letter in roman type, as in `5\text{ m}`, is spelt out, since `5m` alone may be a product.
"""

import re

from filters.answers.kinds.units import LETTERS, read_unit

_TAG = re.compile(r"<(b|i|u|strong|em|span|p|code|div|math)(?:\s[^<>]*)?>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_RAISED_TAG = re.compile(r"<(sup|sub)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_SWITCH = re.compile(
    r"\\(?:left|right|[bB]ig{1,2}[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits|bf|it|rm|sf|tt|sc|em|bfseries|itshape"
    r"|tiny|scriptsize|footnotesize|small|normalsize|large|Large|LARGE|huge|Huge|boldmath|unboldmath|centering"
    r"|noindent|newline|strut|middle|nonumber)(?![a-zA-Z])"
    r"|\\(?:color\s*(?:\[[^\[\]]*\])?|label|tag|phantom|vspace\*?)\s*\{[^{}]*\}"
)
_COLOURED = re.compile(r"\\(?:textcolor|colorbox)\s*(?:\[[^\[\]]*\])?\s*\{[^{}]*\}\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_FONT = (
    r"\\(?:text(?:bf|it|rm|sf|tt|sc|up|md|normal)?|math(?:rm|bf|it|sf|tt|normal|cal)|mbox|hbox|operatorname\*?|emph|bm"
    r"|boldsymbol|pmb|underline|ensuremath|fbox|textstyle|mathop|mathord)"
)
_STYLED = re.compile(rf"{_FONT}(?:\s*\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}|\s+([a-zA-Z]))")
_SYMBOL = f"[{''.join(sorted(LETTERS))}]"
_ROMAN_LETTER = re.compile(
    rf"(?<=[0-9}})/.])((?:\s|~|\\[,;: ])*)\\(?:text|mathrm|textrm|rm|mbox)\s*\{{[\s~]*({_SYMBOL})[\s~.]*\}}(?!\s*[_(])"
)
_ENVIRONMENT = re.compile(
    r"\\begin\s*\{(aligned|align\*?|equation\*?|gathered|gather\*?|split|array|cases|displaymath|math|center)\}"
    r"(?:\s*\{[lcr| ]*\})?(.*)\\end\s*\{\1\}",
    re.DOTALL,
)
_NULL_DELIMITER = re.compile(r"\\(?:right|left)\s*\.(?![0-9])")
_ESCAPED_TWICE = re.compile(r"\\\\(?=(?:[dtc]?frac|sqrt|text|left|right|pi|times|cdot|infty|begin|boxed)(?![a-zA-Z]))")


def unformatted(text: str) -> str:
    """The text without commands and tags that only set type."""
    if "<" in text and ">" in text:
        text = _RAISED_TAG.sub(lambda m: ("^" if m[1].lower() == "sup" else "_") + f"{{{m[2]}}}", _TAG.sub(r"\2", text))
    if "\\" not in text:
        return text
    if r"\begin" not in text:
        text = _ESCAPED_TWICE.sub(r"\\", text)
    text = _COLOURED.sub(r"\1", _NULL_DELIMITER.sub("", text))
    text = _lines_joined(_SWITCH.sub(lambda m: " " if m[0][1:].isalpha() else "", text))
    text = _ROMAN_LETTER.sub(lambda m: f" {read_unit(m[2], letters=True)} ", text)
    for _ in range(3):
        text, changes = _STYLED.subn(r" \1\2 ", text)
        if not changes:
            break
    return text


def _lines_joined(text: str) -> str:
    """The lines of an environment around the whole text, with commas between them; a table or a chain stays."""
    match = _ENVIRONMENT.fullmatch(text.strip())
    if match is None:
        return text
    lines = [line.strip() for line in re.split(r"\\\\(?:\s*\[[^\[\]]*\])?", match[2]) if line.strip()]
    if len(lines) == 1 and lines[0].count("&") < 2:
        return lines[0].replace("&", " ")
    lines = [re.sub(r"&\s*(?=[=<>])|(?<=[=<>])\s*&", "", line).rstrip(" ,.") for line in lines]
    is_system = all("&" not in line and line.count("=") == 1 and line[0] not in "=<>" for line in lines)
    return ", ".join(lines) if is_system else text
