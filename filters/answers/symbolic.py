r"""The last tier: two expressions are equal if math-verify and our own numeric check both say so.

`decide` runs in a worker process that its owner may kill at any moment; the owner calls `admits` first. math-verify
alone takes some different answers for equal, because it rounds tiny numbers away and drops what it cannot read. So
`equal` also needs the same value at several points, to 25 digits.
"""

import re
from collections.abc import Iterator
from typing import Any

from filters.answers.verdicts import Verdict

MAX_LENGTH = 300
MAX_DIGITS = 40
MAX_EXPONENT = 1000
MAX_FACTORIAL = 200

_FUNCTIONS = r"sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|ln|log|exp"
_GREEK = r"pi|alpha|beta|gamma|delta|theta|lambda|mu|phi|omega|rho|sigma|tau"
_VOCABULARY = re.compile(
    rf"(?:\\(?:frac|sqrt|cdot|times|div|{_FUNCTIONS}|{_GREEK})(?![a-zA-Z])|[0-9]+(?:\.[0-9]+)?|\.[0-9]+"
    r"|[a-zA-Z]{1,3}(?![a-zA-Z])|[-+*/^=(){}\[\]!\s])+"
)
_TOWER = re.compile(r"\^\s*(?:\{[^{}]*\^|\{[^{}]*\{[^{}]*\^|\(|[0-9a-zA-Z]+\s*\^)")
_CONSTANTS = {"e": "E", "i": "I"}
_POINTS = ((37, 23), (113, 71), (59, 97), (131, 61))


def admits(text: str) -> bool:
    """Whether a tidy expression is safe to compute with: known words only, no power towers, no huge factorials."""
    if not text or len(text) > MAX_LENGTH or not _VOCABULARY.fullmatch(text) or not _has_bounded_numbers(text):
        return False
    if re.search(r"[a-zA-Z]{2}", re.sub(r"\\[a-zA-Z]+", " ", text)):
        # A run of letters is a product only next to other mathematics; alone it may be a word.
        return bool(re.search(r"[0-9+*/^=\\]", text))
    return True


def decide(answer: str, gold: str, cpu_seconds: int) -> Verdict:
    """Compare two admitted expressions; the kernel kills a process that computes longer than `cpu_seconds`."""
    _limit_cpu(cpu_seconds)
    if ("=" in answer) != ("=" in gold):
        return Verdict.UNPARSED
    ours, theirs = _parse(answer), _parse(gold)
    if ours is None or theirs is None:
        return Verdict.UNPARSED
    if "=" in gold:
        return _same_equation(ours, theirs)
    same = _same_value(ours, theirs)
    return _settle(_math_verify_agrees(ours, theirs), same)


def _has_bounded_numbers(text: str) -> bool:
    if _TOWER.search(text) or any(len(digits) > MAX_DIGITS for digits in re.findall(r"[0-9]+", text)):
        return False
    exponents = re.findall(r"\^\s*\{?\s*[-+]?\s*([0-9]+)", text)
    if any(int(exponent) > MAX_EXPONENT for exponent in exponents) or text.count("=") > 1:
        return False
    factorials = re.findall(r"(\S?)\s*!", text)
    small = [n for n in re.findall(r"(?<![0-9.])([0-9]{1,3})\s*!(?!\s*!)", text) if int(n) <= MAX_FACTORIAL]
    return len(factorials) == len(small)


def _limit_cpu(seconds: int) -> None:
    # The owner's time-out is gone if the owner is killed; the kernel's limit still holds.
    import resource
    import time

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + seconds + 2, hard))


def _parse(text: str) -> Any | None:
    """Return the sympy expression; for an equation, left side minus right side."""
    from latex2sympy2_extended import NormalizationConfig
    from math_verify import LatexExtractionConfig, parse
    from sympy import Expr

    left, _, right = text.partition("=")
    if "=" in text and not (left.strip() and right.strip()):
        return None
    latex = f"({left}) - ({right})" if right else text
    # Units are read elsewhere: the parser would read `5m` as 5.
    whole = LatexExtractionConfig(normalization_config=NormalizationConfig(basic_latex=True, units=False))
    parsed = parse(f"${latex}$", [whole], parsing_timeout=None)
    expression = parsed[0] if parsed and isinstance(parsed[0], Expr) else None
    return expression if expression is not None and _letters(text) <= _names(expression) else None


def _letters(text: str) -> set[str]:
    """The variables in a text; a parse that lost one of them cannot be trusted."""
    return set(re.findall(r"[a-zA-Z]", re.sub(r"\\[a-zA-Z]+", " ", text)))


def _names(expression: Any) -> set[str]:
    return {str(symbol) for symbol in expression.free_symbols} | _CONSTANTS.keys()


def _math_verify_agrees(ours: Any, theirs: Any) -> bool:
    from math_verify import verify

    return bool(verify(theirs, ours, timeout_seconds=None) or verify(ours, theirs, timeout_seconds=None))


def _settle(agreed: bool, same: bool | None) -> Verdict:
    if same is None or agreed != same:
        return Verdict.UNPARSED
    return Verdict.EQUAL if same else Verdict.DIFFERENT


def _same_value(ours: Any, theirs: Any) -> bool | None:
    """Whether both agree at every point where both have a value; None if there is no such point."""
    pairs = list(_values(ours, theirs, points=2))  # four more points were compared before, in double precision
    if not pairs:
        return None
    return all(_close(a, b) for a, b in pairs)


def _same_equation(ours: Any, theirs: Any) -> Verdict:
    """Two equations are equal when their sides' differences have a constant, non-zero ratio."""
    pairs = list(_values(ours, theirs, points=4))
    if len(pairs) < 3 or any(a == 0 or b == 0 for a, b in pairs):
        return Verdict.UNPARSED
    ratios = [a / b for a, b in pairs]
    return Verdict.EQUAL if all(_close(ratio, ratios[0]) for ratio in ratios) else Verdict.DIFFERENT


def _values(ours: Any, theirs: Any, *, points: int) -> Iterator[tuple[Any, Any]]:
    from sympy import Rational

    symbols = sorted(ours.free_symbols | theirs.free_symbols, key=str)
    for numerator, denominator in _POINTS[: points if symbols else 1]:
        point = {symbol: Rational(numerator + 7 * i, denominator + 3 * i * i) for i, symbol in enumerate(symbols)}
        pair = _value_at(ours, point), _value_at(theirs, point)
        if None not in pair:
            yield pair


def _value_at(expression: Any, point: dict[Any, Any]) -> Any | None:
    import sympy
    from sympy import Float, Rational

    named = {symbol: getattr(sympy, _CONSTANTS.get(str(symbol), ""), value) for symbol, value in point.items()}
    exact = expression.xreplace({number: Rational(str(number)) for number in expression.atoms(Float)})
    value = exact.subs(named).evalf(40)
    return value if value.is_number and value.is_finite else None


def _close(a: Any, b: Any) -> bool:
    if a == b:
        return True
    scale = max(abs(a.evalf(40)), abs(b.evalf(40)))
    return bool(abs((a - b).evalf(40)) <= scale * 1e-25)
