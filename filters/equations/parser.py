r"""Parses lexemes as a formula of plain numbers, with the units that the numbers carry.

Reads `2 * (3 + 4)`, `\frac{3}{4} \cdot 8`, `20% of 50`, `3 apples + 4 apples`, `$5/hour * 3 hours`, `1 1/2`. Letters,
functions and everything that may not be a number by itself end a formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from filters.equations.formulas import Formula, Function, Number, Operation, Sign
from filters.equations.lexemes import Lexeme
from filters.equations.words import (
    SPOKEN_PARTS,
    SPOKEN_SIGNS,
    is_glued_unit,
    is_letter,
    is_unit,
    unit_names,
)

_MOST_UNIT_WORDS = 4
_MOST_DEPTH = 20
_LONGEST_NUMBER = 40
_ARTICLES = frozenset({"the", "a", "an", "all", "these", "those", "her", "his", "their", "its", "my", "our", "your"})
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_FRACTIONS = (r"\frac", r"\dfrac", r"\tfrac", r"\cfrac")
_POWERS = {"squared": 2, "cubed": 3}


class NoFormula(Exception):
    """There is no formula at this place."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A formula, the units in it, whether it adds different ones, and the index of the first lexeme after it."""

    formula: Formula
    units: frozenset[str]
    mixes_units: bool
    end: int


def parse(window: Sequence[Lexeme], start: int = 0, *, spoken: bool = True) -> Parsed | None:
    """The longest formula that begins with the lexeme at `start`; None if none does.

    `spoken` signs are words: "plus", "divided by".
    """
    parser = _Parser(window, start, spoken=spoken)
    try:
        formula = parser.sum()
    except NoFormula:
        return None
    return Parsed(formula, frozenset(parser.units), parser.mixes_units, parser.at)


class _Parser:
    """One pass over the lexemes; `at` is the next one."""

    def __init__(self, window: Sequence[Lexeme], start: int, *, spoken: bool) -> None:
        self._window = window
        self._spoken = spoken
        self._depth = 0
        self.at = start
        self.units: set[str] = set()
        self.mixes_units = False

    def sum(self) -> Formula:
        """Terms and the signs between them."""
        before, self.units = self.units, set()
        value = self._product()
        kinds = [self.units]
        while symbol := self._sign("+-"):
            at, self.units = self.at, set()
            self._take_sign()
            try:
                term = self._product()
            except NoFormula:
                self.at = at
                break
            value = Operation(symbol, value, term)
            kinds.append(self.units)
        self._compare_units(kinds)
        self.units = before.union(*kinds)
        return value

    def _compare_units(self, kinds: Sequence[set[str]]) -> None:
        named = [units for units in kinds if units]
        percents = ["%" in units for units in kinds]
        self.mixes_units |= any(percents) and not all(percents)
        self.mixes_units |= bool(named) and not set.intersection(*named)

    def _product(self) -> Formula:
        value = self._signed()
        while True:
            at = self.at
            try:
                symbol = self._factor_sign(value)
                if symbol is None:
                    return value
                value = Operation(symbol, value, self._signed())
            except NoFormula:
                self.at = at
                return value

    def _factor_sign(self, value: Formula) -> str | None:
        """Take what joins two factors, if something does: a sign, `of` after a share, or nothing before a bracket."""
        if symbol := self._sign("*/"):
            self._take_sign()
            return symbol
        if self._word() == "of" and _is_share(value):
            self.at += 1
            if self._word() in _ARTICLES:
                self.at += 1
            return "of"
        follower = self._peek()
        if follower is None or self.at == 0:
            return None
        is_glued = follower.start == self._window[self.at - 1].end
        is_group = follower.kind == "open" and follower.symbol == "(" and is_glued
        return "*" if is_group or (follower.kind == "command" and follower.symbol in (r"\sqrt", *_FRACTIONS)) else None

    def _signed(self) -> Formula:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise NoFormula
        symbol = self._sign("+-", spoken=False)
        if symbol:
            self.at += 1
        value = self._signed() if symbol else self._power()
        self._depth -= 1
        return Sign("-", value) if symbol == "-" else value

    def _power(self) -> Formula:
        value = self._measured(self._atom())
        if self._sign("^"):
            self.at += 1
            value = self._measured(Operation("^", value, self._exponent()))
        return value

    def _exponent(self) -> Formula:
        symbol = self._sign("+-", spoken=False)
        if symbol:
            self.at += 1
        value = self._atom()
        if self._sign("^"):
            raise NoFormula  # a tower of powers: which one binds first is a convention
        return Sign("-", value) if symbol == "-" else value

    def _measured(self, value: Formula) -> Formula:
        """The value with what stands after it: a percent sign, an exclamation mark, "squared", a unit."""
        if self._kind() == "percent":
            self.at += 1
            self.units.add("%")
            return Sign("%", value)
        if self._kind() == "currency" and self._is_glued():
            self.units.add(self._window[self.at].symbol)
            self.at += 1
            return value
        if self._kind() == "bang" and self._is_glued() and self._goes_on(self.at + 1):
            self.at += 1
            return Function(0, value)
        if (power := _POWERS.get(self._word())) is not None:
            self.at += 1
            return Operation("^", value, Number(Fraction(power), 0))
        self._take_units()
        return value

    def _atom(self) -> Formula:
        lexeme = self._peek()
        if lexeme is None:
            raise NoFormula
        if lexeme.kind == "currency" and self.at + 1 < len(self._window):
            self.at += 1
            self.units.add(lexeme.symbol)
            return self._number()
        if lexeme.kind == "number":
            return self._number()
        if lexeme.kind == "open":
            return self._group()
        if lexeme.kind == "command" and lexeme.symbol in _FRACTIONS:
            return self._fraction()
        if lexeme.kind == "command" and lexeme.symbol == r"\sqrt":
            self.at += 1
            return self._root()
        raise NoFormula

    def _number(self) -> Formula:
        lexeme = self._peek()
        if lexeme is None or lexeme.kind != "number" or len(lexeme.symbol) > _LONGEST_NUMBER:
            raise NoFormula
        self.at += 1
        whole = _number(lexeme.symbol)
        follower = self._peek()
        if follower is not None and follower.kind == "close" and follower.symbol == "]":
            return whole
        if follower is not None and follower.kind == "number":
            return Operation("mixed", whole, self._proper_fraction())
        if follower is not None and follower.symbol in _FRACTIONS:
            return Operation("mixed", whole, self._atom())
        return whole

    def _proper_fraction(self) -> Formula:
        above, slash, below = (*self._window[self.at : self.at + 3], None, None, None)[:3]
        if above is None or slash is None or below is None or slash.symbol != "/" or below.kind != "number":
            raise NoFormula
        is_tight = above.end == slash.start and slash.end == below.start
        if not is_tight or "." in above.symbol + below.symbol or not 0 < int(above.symbol) < int(below.symbol):
            raise NoFormula
        self.at += 3
        return Operation("/", _number(above.symbol), _number(below.symbol))

    def _group(self) -> Formula:
        closing = _CLOSING[self._window[self.at].symbol]
        self.at += 1
        value = self.sum()
        lexeme = self._peek()
        if lexeme is None or lexeme.symbol != closing:
            raise NoFormula
        self.at += 1
        return value

    def _fraction(self) -> Formula:
        self.at += 1
        lexeme = self._peek()
        if lexeme is not None and lexeme.kind == "number" and len(lexeme.symbol) == 2 and lexeme.symbol.isdigit():
            self.at += 1
            return Operation("/", _number(lexeme.symbol[0]), _number(lexeme.symbol[1]))  # `\frac12`
        return Operation("/", self._argument(), self._argument())

    def _argument(self) -> Formula:
        lexeme = self._peek()
        if lexeme is not None and lexeme.kind == "open" and lexeme.symbol == "{":
            return self._group()
        if lexeme is None or lexeme.kind != "number" or len(lexeme.symbol) > 1:
            raise NoFormula
        self.at += 1
        return _number(lexeme.symbol)

    def _root(self) -> Formula:
        degree = 2
        lexeme = self._peek()
        if lexeme is not None and lexeme.symbol == "[":
            index, closing = (*self._window[self.at + 1 : self.at + 3], None, None)[:2]
            if index is None or closing is None or closing.symbol != "]" or index.symbol not in ("2", "3", "4", "5"):
                raise NoFormula
            degree = int(index.symbol)
            self.at += 3
        return Function(degree, self._argument())

    def _take_units(self) -> None:
        """Take the words of a unit, if a sign, a bracket or the end of the side follows them."""
        at = self.at
        words: list[str] = []
        if self._is_glued() and self._kind() == "word" and not is_glued_unit(self._word()):
            raise NoFormula
        if self._word() == "of":
            return
        while len(words) <= _MOST_UNIT_WORDS and at < len(self._window):
            lexeme = self._window[at]
            if self._is_per_unit(at, has_unit=bool(words or self.units)):
                words.append("per")
                at += 2
                continue
            if lexeme.kind != "word" or not is_unit(lexeme.symbol):
                break
            words.append(lexeme.symbol)
            at += 1
            at += self._area(at)
        if words and len(words) <= _MOST_UNIT_WORDS and self._goes_on(at):
            self.at = at
            self.units |= unit_names(words)

    def _area(self, at: int) -> int:
        """How many lexemes at `at` raise a unit to a power: two of `cm^2`, one of `cm²`."""
        rest = [lexeme.symbol for lexeme in self._window[at : at + 2]]
        return 2 if rest in (["^", "2"], ["^", "3"]) else 1 if rest[:1] in (["squared"], ["cubed"]) else 0

    def _is_per_unit(self, at: int, *, has_unit: bool) -> bool:
        slash, unit = (*self._window[at : at + 2], None, None)[:2]
        if slash is None or unit is None or slash.symbol != "/" or unit.kind != "word" or not has_unit:
            return False
        return is_unit(unit.symbol) or (is_letter(unit.symbol) and unit.symbol in ("h", "s", "m", "L", "g"))

    def _goes_on(self, at: int) -> bool:
        if at >= len(self._window):
            return True
        lexeme = self._window[at]
        return lexeme.kind in ("sign", "relation", "close") or lexeme.symbol in (*SPOKEN_SIGNS, *SPOKEN_PARTS)

    def _peek(self) -> Lexeme | None:
        return self._window[self.at] if self.at < len(self._window) else None

    def _kind(self) -> str:
        lexeme = self._peek()
        return lexeme.kind if lexeme else ""

    def _word(self) -> str:
        lexeme = self._peek()
        return lexeme.symbol if lexeme and lexeme.kind == "word" else ""

    def _is_glued(self) -> bool:
        return 0 < self.at < len(self._window) and self._window[self.at].start == self._window[self.at - 1].end

    def _sign(self, signs: str, *, spoken: bool = True) -> str:
        """The sign at this place if it is one of `signs`; empty otherwise."""
        lexeme = self._peek()
        if lexeme is None:
            return ""
        symbol = lexeme.symbol if lexeme.kind == "sign" else ""
        if lexeme.kind == "word" and spoken and self._spoken:
            follower = self._window[self.at + 1].symbol if self.at + 1 < len(self._window) else ""
            symbol = SPOKEN_PARTS.get(lexeme.symbol, "") if follower == "by" else SPOKEN_SIGNS.get(lexeme.symbol, "")
        return symbol if symbol and symbol in signs else ""

    def _take_sign(self) -> None:
        is_spoken_part = self._kind() == "word" and self._word() in SPOKEN_PARTS
        self.at += 2 if is_spoken_part else 1


def _number(symbol: str) -> Number:
    whole, _, decimals = symbol.partition(".")
    zeros = 0 if decimals else len(whole) - len(whole.rstrip("0"))
    return Number(Fraction(f"0{symbol}" if symbol.startswith(".") else symbol), len(decimals), zeros)


def _is_share(value: Formula) -> bool:
    """Whether "of" after this value takes a part: a percentage or a fraction."""
    return (isinstance(value, Sign) and value.symbol == "%") or (
        isinstance(value, Operation) and value.symbol == "/" and isinstance(value.left, Number)
    )
