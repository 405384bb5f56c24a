r"""Parses a tidy expression into a tree by a small grammar, which refuses ambiguous text (`1/2x`, `\sin x y`, `f(x)`).

A tree has no value of its own: `values` computes it in double precision, `rationals` in fractions, `zeros` exactly.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from filters.answers.algebra.tokens import GREEK, CannotEvaluate, number_of, tokens_of

MAX_LENGTH = 300
MAX_DEPTH = 30
MAX_ROWS = 4
MAX_FACTORS = 64
TRIGONOMETRIC = frozenset({r"\sin", r"\cos", r"\tan", r"\cot", r"\sec", r"\csc"})
INVERSE = {r"\sin": r"\arcsin", r"\cos": r"\arccos", r"\tan": r"\arctan", r"\cot": r"\arccot"}
FUNCTIONS = TRIGONOMETRIC | set(INVERSE.values()) | {r"\sinh", r"\cosh", r"\tanh", r"\ln", r"\lg", r"\log", r"\exp"}
_LISTED = frozenset({r"\max", r"\min", r"\gcd", r"\lcm"})
_ENCLOSED = {r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
_NAMED = {r"\floor": r"\lfloor", r"\ceil": r"\lceil", r"\abs": "|"}
_PRODUCTS = frozenset({"*", r"\cdot", r"\times"})
_QUOTIENTS = frozenset({"/", r"\div"})
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_ENDS = frozenset({"", "+", "-", ")", "}", "]", "=", "/", "|", ",", r"\rfloor", r"\rceil"}) | _PRODUCTS | _QUOTIENTS
_UNKNOWN_FUNCTIONS = frozenset("fghFGH")


@dataclass(frozen=True, slots=True)
class Expression:
    r"""A node of the tree: what it is (`+`, `^`, `\sin`, `number`, `letter`), its operands, and a leaf's content."""

    head: str
    operands: tuple["Expression", ...] = ()
    value: Fraction | str = ""


def number(value: Fraction | int) -> Expression:
    """A number as a leaf."""
    return Expression("number", value=Fraction(value))


PI = Expression("pi")
MINUS_ONE = number(-1)


def difference(left: Expression, right: Expression) -> Expression:
    """`left - right`."""
    return Expression("+", (left, Expression("*", (MINUS_ONE, right))))


def letters_of(tree: Expression) -> frozenset[str]:
    """The names of the variables in a tree."""
    if tree.head == "letter":
        return frozenset({str(tree.value)})
    return frozenset().union(*map(letters_of, tree.operands))


def differ_in_case(left: Expression, right: Expression) -> bool:
    """Whether the variables are the same but for their case: `c` may be meant by `C`, as a constant often is."""
    ours, theirs = letters_of(left), letters_of(right)
    return ours != theirs and set(map(str.lower, ours)) == set(map(str.lower, theirs))


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """The tree of a text; raises CannotEvaluate if the grammar does not hold it."""
    if len(text) > MAX_LENGTH:
        raise CannotEvaluate
    return _Parser(tokens_of(text)).whole()


class _Parser:
    """One pass over the tokens, by descent."""

    def __init__(self, tokens: list[str], depth: int = 0) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = depth
        self._in_bars = False

    def whole(self) -> Expression:
        tree = self._sum()
        if self._at != len(self._tokens):
            raise CannotEvaluate
        return tree

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise CannotEvaluate

    def _sum(self) -> Expression:
        terms = [self._signed(self._product)]
        while self._next in ("+", "-"):
            terms.append(self._signed(self._product))
        return terms[0] if len(terms) == 1 else Expression("+", tuple(terms))

    def _signed(self, read: Callable[[], Expression]) -> Expression:
        if self._next not in ("+", "-"):
            return read()
        is_negative = self._take() == "-"
        tree = read()
        return Expression("*", (MINUS_ONE, tree)) if is_negative else tree

    def _product(self) -> Expression:
        tree, divided = self._power(), False
        for _ in range(MAX_FACTORS):
            if self._next in _PRODUCTS:
                self._take()
                tree = Expression("*", (tree, self._signed(self._power)))
            elif self._next in _QUOTIENTS:
                self._take()
                tree, divided = Expression("/", (tree, self._signed(self._power))), True
            elif self._starts_factor():
                after_number = self._tokens[self._at - 1][0].isdigit()
                factor = self._power()
                if divided or (after_number and _is_plain_fraction(factor)):
                    raise CannotEvaluate  # `1/2x`, or a mixed number
                tree = Expression("*", (tree, factor))
            else:
                return tree
        raise CannotEvaluate

    def _starts_factor(self) -> bool:
        token = self._next
        if token in _ENDS or token[0] in "^!" or (token == "|" and self._in_bars):
            return False
        is_raised = self._tokens[self._at + 1 : self._at + 2] == ["^"]
        if (token[0].isdigit() or token[0] == ".") and not is_raised:
            raise CannotEvaluate  # right after a factor, a product or a typo; but `2^6 3^5` is a product
        return True

    def _power(self) -> Expression:
        tree = self._base()
        if self._next == "^":
            self._take()
            tree = Expression("^", (tree, self._exponent()))
        if self._next == "!":
            self._take()
            tree = Expression("!", (tree,))
        if self._next == r"\degree":
            self._take()
            tree = Expression("*", (tree, Expression("/", (PI, number(180)))))
        if self._next in ("^", "!"):
            raise CannotEvaluate
        return tree

    def _exponent(self) -> Expression:
        return self._signed(self._base)

    def _base(self) -> Expression:
        token = self._take()
        if not token:
            raise CannotEvaluate
        if token in _CLOSING:
            return self._group(_CLOSING[token])
        if token[0].isdigit() or token[0] == ".":
            return Expression("number", value=number_of(token))
        if token[0].isalpha() or token in GREEK or token.partition("_")[0] in GREEK:
            return self._letter(token)
        if token == r"\pi":
            return PI
        return self._command(token)

    def _command(self, token: str) -> Expression:
        if token in FUNCTIONS:
            return self._function(token)
        if token == r"\frac":
            return Expression("/", (self._braced(), self._braced()))
        if token == r"\sqrt":
            return self._root()
        if token == r"\cbrt":
            return Expression("root", (number(3), self._in_parentheses()[0]))
        if token == r"\binom":
            pair = self._in_parentheses() if self._next == "(" else (self._braced(), self._braced())
            if len(pair) != 2:
                raise CannotEvaluate
            return Expression(r"\binom", pair)
        if token == "|":
            return self._absolute()
        if token in _ENCLOSED:
            return Expression(token, (self._group(_ENCLOSED[token]),))
        if token in _NAMED:
            return Expression(_NAMED[token], self._in_parentheses(1))
        if token in _LISTED:
            return Expression(token, self._in_parentheses())
        if token.startswith(r"\begin"):
            return self._determinant(token)
        if token == r"\det" and self._next.startswith(r"\begin"):
            return self._determinant(self._take())
        raise CannotEvaluate

    def _absolute(self) -> Expression:
        if self._in_bars:
            raise CannotEvaluate
        self._in_bars = True
        tree = self._group("|")
        self._in_bars = False
        return Expression("|", (tree,))

    def _group(self, closing: str) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CannotEvaluate
        bars, self._in_bars = self._in_bars, closing == "|"
        tree = self._sum()
        self._expect(closing)
        self._in_bars = bars
        self._depth -= 1
        return tree

    def _braced(self) -> Expression:
        self._expect("{")
        return self._group("}")

    def _in_parentheses(self, count: int | None = None) -> tuple[Expression, ...]:
        """The operands of a function in plain text, separated by commas."""
        self._expect("(")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CannotEvaluate
        operands = [self._sum()]
        while self._next == ",":
            self._take()
            operands.append(self._sum())
        self._expect(")")
        self._depth -= 1
        if count is not None and len(operands) != count:
            raise CannotEvaluate
        return tuple(operands)

    def _root(self) -> Expression:
        degree = 2
        if self._next == "[":
            self._take()
            written = self._take()
            self._expect("]")
            if not written.isdigit() or not 2 <= int(written) <= 1000:
                raise CannotEvaluate
            degree = int(written)
        radicand = self._in_parentheses(1)[0] if self._next == "(" else self._braced()
        return Expression("root", (number(degree), radicand))

    def _function(self, name: str) -> Expression:
        base = None
        if name == r"\log" and self._next == "_":
            self._take()
            if self._next.isdigit() and len(self._next) > 1 and self._next != "10":
                raise CannotEvaluate  # `\log_23` is a logarithm to base 2 in LaTeX
            base = self._base()
        exponent = None
        if self._next == "^":
            self._take()
            exponent = self._exponent()
            if exponent == MINUS_ONE or exponent == Expression("*", (MINUS_ONE, number(1))):
                name, exponent = INVERSE.get(name, ""), None
        if not name:
            raise CannotEvaluate
        argument = self._argument()
        tree = Expression(r"\log_", (base, argument)) if base else Expression(name, (argument,))
        return tree if exponent is None else Expression("^", (tree, exponent))

    def _argument(self) -> Expression:
        """What a function is applied to: a group, or a product of a number, one letter, pi and fractions."""
        if self._next in ("(", "|"):
            return self._base()
        if self._next == "{":
            tree = self._base()
            if self._next not in _ENDS and self._next[0] in "^!":
                raise CannotEvaluate
            return tree
        factors: list[Expression] = []
        while self._belongs_to_argument(factors):
            factors.append(self._power())
        if not factors or (self._next not in _ENDS and self._next not in FUNCTIONS):
            raise CannotEvaluate
        tree = factors[0]
        for factor in factors[1:]:
            tree = Expression("*", (tree, factor))
        return tree

    def _belongs_to_argument(self, factors: list[Expression]) -> bool:
        token = self._next
        if not token:
            return False
        if token[0].isdigit() or token in (r"\frac", r"\sqrt", r"\lfloor"):
            return not factors
        has_letter = any(letters_of(factor) for factor in factors)
        return token == r"\pi" or (not has_letter and (token[0].isalpha() or token.partition("_")[0] in GREEK))

    def _letter(self, token: str) -> Expression:
        if token in ("e", "i"):
            return Expression(token)
        if token in _UNKNOWN_FUNCTIONS and self._next == "(":
            raise CannotEvaluate
        return Expression("letter", value=token)

    def _determinant(self, token: str) -> Expression:
        body = re.sub(r"\\(?:begin|end)\s*\{vmatrix\}", "", token)
        rows = [row.split("&") for row in body.split(r"\\") if row.strip()]
        if not 1 <= len(rows) <= MAX_ROWS or {len(row) for row in rows} != {len(rows)}:
            raise CannotEvaluate
        if self._depth >= MAX_DEPTH:
            raise CannotEvaluate
        return _expanded([[_Parser(tokens_of(cell), self._depth + 1).whole() for cell in row] for row in rows])


def _is_plain_fraction(tree: Expression) -> bool:
    return tree.head == "/" and all(operand.head == "number" for operand in tree.operands)


def _expanded(rows: list[list[Expression]]) -> Expression:
    """A determinant along its first row."""
    if len(rows) == 1:
        return rows[0][0]
    terms = []
    for column, entry in enumerate(rows[0]):
        minor = _expanded([row[:column] + row[column + 1 :] for row in rows[1:]])
        terms.append(Expression("*", (number((-1) ** column), Expression("*", (entry, minor)))))
    return Expression("+", tuple(terms))
