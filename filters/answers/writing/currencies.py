r"""Writes currency signs as words after their number: `\$5` becomes `5 dollars`, `€5` and `5€` become `5 euro`."""

import re

_NUMBER = r"(-?\s*(?:[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+))(\s*(?:[kK](?![a-zA-Z])|thousand|million|billion|trillion))?"
_AFTER = r"(?:(?=\s*per\b|\s*/\s*[a-z]{2}|\s+an?\s+[a-z]{3})|(?![0-9]*\s*(?:[a-zA-Z\\^_(/*+=]|\.[0-9])))"
_SIGNS = {"€": "euro", "£": "sterling", "¥": "yuan", "₹": "rupee", "元": "yuan"}
_CODES = {
    "Rs": "rupee",
    "Rs.": "rupee",
    "INR": "rupee",
    "EUR": "euro",
    "USD": "dollars",
    "GBP": "sterling",
    "RMB": "yuan",
}
_DOLLARS = re.compile(rf"(?:US|U\.S\.)?\s*\\\$\s*{_NUMBER}{_AFTER}")
_LONE_DOLLAR = re.compile(rf"(?:US|U\.S\.)?\s*\$\s*{_NUMBER}{_AFTER}")
_BEFORE = re.compile(rf"([€£¥₹]|\b(?:Rs\.?|INR|EUR|USD|GBP|RMB)(?![a-zA-Z]))\s*{_NUMBER}{_AFTER}")
_SIGN = re.compile("[€£¥₹元]")
_MAY_HOLD = re.compile(r"\$|[€£¥₹元]|Rs|INR|EUR|USD|GBP|RMB")


def with_currency(text: str) -> str:
    """Put a word after each amount of money; a dollar sign that delimits mathematics stays."""
    if not _MAY_HOLD.search(text):
        return text
    text = _DOLLARS.sub(r" \1\2 dollars ", text)
    if len(re.findall(r"(?<!\\)\$", text)) == 1:
        text = _LONE_DOLLAR.sub(r" \1\2 dollars ", text)
    text = _BEFORE.sub(lambda m: f" {m[2]}{m[3] or ''} {_SIGNS.get(m[1]) or _CODES[m[1]]} ", text)
    return _joined_sign(_SIGN.sub(lambda m: f" {_SIGNS[m[0]]} ", text))


def _joined_sign(text: str) -> str:
    """`- 5 dollars` as `-5 dollars`."""
    return re.sub(r"^\s*-\s+(?=[0-9.])", "-", text)
