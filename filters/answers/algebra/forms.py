r"""Rewrites a tree as a form: arithmetic and roots over whole numbers, cosines of parts of pi, `i`, and atoms.

An atom is what algebra knows nothing of: a variable, pi, e, a prime's logarithm, a sine of a variable. Two atoms are
one if their operands are proven equal. Every rewriting is an identity wherever both sides have a value: `\tan x` is
`\sin x / \cos x`, `e^{a+b}` is `e^a e^b`, `\ln 12` is `2\ln 2 + \ln 3`, `\arcsin 1` is `\pi/2`.
"""

import math
from fractions import Fraction

from filters.answers.algebra.bounds import is_zero
from filters.answers.algebra.enclosures import Enclosure, enclose, enclose_atoms, is_positive, is_real, whole_part
from filters.answers.algebra.evaluation import value_of
from filters.answers.algebra.expressions import MINUS_ONE, PI, Expression, difference, letters_of, number
from filters.answers.algebra.terms import (
    Factors,
    as_power,
    factors_of,
    has,
    part_of_pi,
    product,
    rational_or_none,
    terms_of,
)
from filters.answers.algebra.tokens import CannotEvaluate

_MAX_ATOMS = 12
_MAX_POWER = 1000
_MAX_DENOMINATOR = 120
_SIGN_BITS = 256
_ONE = number(1)
_HALF = Fraction(1, 2)
_EXACT_COSINES = {Fraction(part, 6): Fraction(halves, 2) for part, halves in ((0, 2), (2, 1), (3, 0), (4, -1), (6, -2))}


class Forms:
    """Rewrites trees that share their atoms."""

    def __init__(self, max_bits: int) -> None:
        self._max_bits = max_bits
        self.atoms: list[Expression] = []  # each with forms as operands
        self._parts: dict[Expression, int] = {}  # for a power, into how many roots of it the atom divides it
        self._divided_anew = False

    def of(self, tree: Expression) -> Expression:
        """The form of a whole tree; raises CannotEvaluate where there is none."""
        while True:
            self.atoms, self._divided_anew = [], False
            form = self.form(tree)
            if not self._divided_anew:  # else an atom met earlier is too coarse for a root met later
                return form

    def form(self, tree: Expression) -> Expression:
        """The form of a part of the tree."""
        if tree.head in ("number", "i"):
            return tree
        if tree.head in ("letter", "e"):
            return self._power_of_atom(tree, Fraction(1))
        if tree.head == "pi":
            return self._atom(tree)
        if tree.head in ("+", "*", "/"):
            return Expression(tree.head, tuple(map(self.form, tree.operands)))
        value = rational_or_none(tree)
        return self._rewritten(tree) if value is None else number(value)

    def _rewritten(self, tree: Expression) -> Expression:
        head, operands = tree.head, tree.operands
        if head == "^":
            return self._power(*operands)
        if head == r"\exp":
            return self._power(Expression("e"), operands[0])
        if head == "root":
            return self._root(int(Fraction(operands[0].value)), operands[1])
        if head == "|":
            return self._absolute(self.form(operands[0]))
        if head in _BY_SINE_AND_COSINE:
            return self._trigonometric(head, operands[0])
        if head in _HYPERBOLIC:
            return self.form(_HYPERBOLIC[head](operands[0]))
        if head in _TANGENT_OF:
            return self._angle(head, operands[0])
        if head in (r"\ln", r"\lg", r"\log", r"\log_"):
            return self._logarithm(head, operands)
        if head in (r"\lfloor", r"\lceil") and not letters_of(tree):
            return self._whole(head, operands[0])
        return self._atom(Expression(head, tuple(map(self.form, operands))))

    def _atom(self, atom: Expression) -> Expression:
        for index, known in enumerate(self.atoms):
            if known.head == atom.head and known.value == atom.value and self._same(known, atom):
                return Expression("atom", value=str(index))
        if len(self.atoms) == _MAX_ATOMS:
            raise CannotEvaluate
        self.atoms.append(atom)
        return Expression("atom", value=str(len(self.atoms) - 1))

    def _same(self, one: Expression, other: Expression) -> bool:
        if len(one.operands) != len(other.operands):
            return False
        return all(self._is_zero(difference(a, b)) for a, b in zip(one.operands, other.operands, strict=True))

    def _is_zero(self, form: Expression) -> bool:
        return is_zero(form, len(self.atoms), self._max_bits) is True

    def _enclosed(self, form: Expression) -> Enclosure:
        return enclose(form, enclose_atoms(self.atoms, _SIGN_BITS) if has(form, "atom") else [], _SIGN_BITS)

    def _power(self, base: Expression, exponent: Expression) -> Expression:
        """A power as a product of powers, one for each term of its exponent."""
        if (fraction := rational_or_none(exponent)) is not None:
            return self._rational_power(base, fraction)
        return product([self._term_power(base, *term) for term in terms_of(exponent)])

    def _term_power(self, base: Expression, times: Fraction, rest: Factors) -> Expression:
        if not rest:
            return self._rational_power(base, times)
        if base.head == "e" and sorted(factor.head for factor in rest) == ["i", "pi"]:
            return _on_circle(times)
        if base.head == "e" and len(rest) == 1 and rest[0].head == r"\ln":
            return self._power(rest[0].operands[0], number(times))
        exponent = product(list(rest))
        if (value := rational_or_none(base)) is not None:
            if value <= 0:
                raise CannotEvaluate
            return product(
                [
                    self._power_of_atom(Expression("^", (number(prime), exponent)), times * count)
                    for prime, count in factors_of(value)
                ]
                or [_ONE]
            )
        base = base if base.head == "e" else self.form(base)
        return self._power_of_atom(Expression("^", (base, exponent)), times)

    def _rational_power(self, base: Expression, exponent: Fraction) -> Expression:
        if exponent.denominator == 1:
            return _raised(self.form(base), int(exponent))
        if exponent.denominator % 2 and not letters_of(base) and not is_positive(self._enclosed(self.form(base))):
            raise CannotEvaluate  # the real root or the principal one
        whole = math.floor(exponent)
        rest = exponent - whole
        root = _raised(self._root(rest.denominator, base), rest.numerator)
        return root if whole == 0 else Expression("*", (_raised(self.form(base), whole), root))

    def _power_of_atom(self, base: Expression, times: Fraction) -> Expression:
        """A letter, or a power whose exponent is no number, to the power of `times`."""
        parts = self._parts.setdefault(base, times.denominator)
        if parts % times.denominator:
            parts = self._parts[base] = math.lcm(parts, times.denominator)
            self._divided_anew = True
        if base.head == "^":
            ground, exponent = base.operands
            inner = self.form(Expression("/", (exponent, number(parts))))
            atom = Expression("exp", (inner,)) if ground.head == "e" else Expression("^", (ground, inner))
        else:
            atom = Expression(base.head, value=base.value)
        return _raised(self._atom(atom), int(times * parts))

    def _root(self, degree: int, radicand: Expression) -> Expression:
        """A root; of a product, quotient or power of variables, the product of their roots."""
        if degree == 1:
            return self.form(radicand)
        if letters_of(radicand) or radicand.head == "e":
            return self._root_of_letters(degree, radicand)
        form = self.form(radicand)
        if has(form, "atom"):
            return self._atom(Expression("root", (number(degree), form)))
        return self._root_of_number(degree, form)

    def _root_of_letters(self, degree: int, radicand: Expression) -> Expression:
        if radicand.head in ("letter", "e"):
            return self._power_of_atom(radicand, Fraction(1, degree))
        if radicand.head in ("*", "/") and all(map(self._is_positive, radicand.operands)):
            return Expression(radicand.head, tuple(self._root(degree, factor) for factor in radicand.operands))
        if radicand.head in ("^", "root"):
            base, exponent = as_power(radicand)
            if exponent is not None and base.head in ("letter", "e"):
                return self._rational_power(base, exponent / degree)
            if exponent is not None and exponent % degree == 0:
                magnitude = base if degree % 2 else Expression("|", (base,))
                return _raised(self.form(magnitude), int(exponent / degree))
        return self._atom(Expression("root", (number(degree), self.form(radicand))))

    def _root_of_number(self, degree: int, radicand: Expression) -> Expression:
        if self._is_zero(radicand):
            return number(0)
        enclosure = self._enclosed(radicand)
        if is_positive(enclosure):
            return Expression("root", (number(degree), radicand))
        if not is_real(enclosure):
            raise CannotEvaluate
        opposite = Expression("root", (number(degree), Expression("*", (MINUS_ONE, radicand))))
        if degree == 2:
            return Expression("*", (Expression("i"), opposite))
        if degree % 2:
            return Expression("*", (MINUS_ONE, opposite))
        raise CannotEvaluate

    def _absolute(self, inner: Expression) -> Expression:
        if any(atom.head == "letter" for atom in self._atoms_in(inner)):
            opposite = Expression("|", (Expression("*", (MINUS_ONE, inner)),))
            known = [atom for atom in self.atoms if atom.head == "|" and self._same(atom, opposite)]
            return self._atom(known[0] if known else Expression("|", (inner,)))
        if self._is_zero(inner):
            return number(0)
        enclosure = self._enclosed(inner)
        if not is_real(enclosure):
            raise CannotEvaluate
        opposite = Expression("*", (MINUS_ONE, inner))
        if is_positive(enclosure):
            return inner
        if is_positive(self._enclosed(opposite)):
            return opposite
        raise CannotEvaluate

    def _atoms_in(self, form: Expression) -> list[Expression]:
        if form.head == "atom":
            atom = self.atoms[int(form.value)]
            return [atom, *(inner for operand in atom.operands for inner in self._atoms_in(operand))]
        return [atom for operand in form.operands for atom in self._atoms_in(operand)]

    def _whole(self, head: str, operand: Expression) -> Expression:
        floor = whole_part(self._enclosed(self.form(operand)))
        return number(floor + (head == r"\lceil"))

    def _trigonometric(self, head: str, angle: Expression) -> Expression:
        above, below = _BY_SINE_AND_COSINE[head]
        turns = part_of_pi(angle)
        parts = [_ONE if name is None else self._circular(name, angle, turns) for name in (above, below)]
        if parts[1] == number(0):
            raise CannotEvaluate
        return parts[0] if below is None else Expression("/", (parts[0], parts[1]))

    def _circular(self, name: str, angle: Expression, turns: Fraction | None) -> Expression:
        """A sine or cosine as powers of e, so that sums and multiples of angles are products and powers."""
        if turns is not None:
            return _cosine(turns if name == r"\cos" else _HALF - turns)
        forth = self._power(Expression("e"), Expression("*", (Expression("i"), angle)))
        back = _raised(forth, -1)
        if name == r"\cos":
            return Expression("/", (Expression("+", (forth, back)), number(2)))
        return Expression("/", (difference(forth, back), Expression("*", (number(2), Expression("i")))))

    def _angle(self, head: str, operand: Expression) -> Expression:
        """An arc function: a part of pi where its sine, cosine or tangent proves that, else an atom."""
        inner = self.form(operand)
        if not has(inner, "atom"):
            value = value_of(Expression(head, (operand,)))
            turns = Fraction(value.real / math.pi).limit_denominator(_MAX_DENOMINATOR)
            if not value.imag and abs(value.real / math.pi - turns) < 1e-9:
                angle = Expression("*", (number(turns), PI))
                back = self._trigonometric(_TANGENT_OF[head], angle)
                if self._is_zero(difference(back, inner)):
                    return self.form(angle)
        return self._atom(Expression(head, (inner,)))

    def _logarithm(self, head: str, operands: tuple[Expression, ...]) -> Expression:
        if head == r"\log_":
            return Expression("/", (self._logarithm(r"\ln", operands[1:]), self._logarithm(r"\ln", operands[:1])))
        if head == r"\lg":
            return self._logarithm(r"\log_", (number(10), operands[0]))
        argument = operands[0]
        if (value := rational_or_none(argument)) is not None:
            return self._of_primes(head, value)
        if argument.head == "e":
            return _ONE if head == r"\ln" else self._atom(Expression(head, (self.form(argument),)))
        if argument.head in ("^", "root", r"\exp") and not has(argument, "i"):
            base, exponent = as_power(argument)
            if base.head in ("letter", "e") or rational_or_none(base) is not None:
                factor = number(exponent) if exponent is not None else self.form(argument.operands[-1])
                return Expression("*", (factor, self._logarithm(head, (base,))))
        if argument.head in ("*", "/") and all(map(self._is_positive, argument.operands)):
            terms = [self._logarithm(head, (factor,)) for factor in argument.operands]
            return Expression("+", tuple(terms)) if argument.head == "*" else difference(*terms)
        return self._atom(Expression(head, (self.form(argument),)))

    def _is_positive(self, factor: Expression) -> bool:
        """Whether a factor is taken as positive: a variable, or a number that is."""
        if letters_of(factor):
            return factor.head in ("letter", "^", "root", "*", "/", "+")
        return is_positive(self._enclosed(self.form(factor)))

    def _of_primes(self, head: str, value: Fraction) -> Expression:
        """The logarithm of a positive fraction by its prime factors."""
        if value <= 0:
            raise CannotEvaluate
        terms = [
            Expression("*", (number(count), self._atom(Expression(head, (number(prime),)))))
            for prime, count in factors_of(value)
        ]
        return Expression("+", tuple(terms)) if terms else number(0)


def _raised(form: Expression, exponent: int) -> Expression:
    if abs(exponent) > _MAX_POWER or (exponent <= 0 and form == number(0)):
        raise CannotEvaluate
    return form if exponent == 1 else Expression("^", (form, number(exponent)))


def _on_circle(turns: Fraction) -> Expression:
    """`e^{i pi q}`."""
    return Expression("+", (_cosine(turns), Expression("*", (Expression("i"), _cosine(_HALF - turns)))))


def _cosine(turns: Fraction) -> Expression:
    """The cosine of a rational part of pi, as a number where it is one."""
    turns = abs((turns + 1) % 2 - 1)
    exact = _EXACT_COSINES.get(turns)
    return Expression("cos", value=turns) if exact is None else number(exact)


def _exponential(tree: Expression, sign: int) -> Expression:
    return Expression("^", (Expression("e"), Expression("*", (number(sign), tree))))


def _hyperbolic(tree: Expression, sign: int) -> Expression:
    total = Expression("+", (_exponential(tree, 1), Expression("*", (number(sign), _exponential(tree, -1)))))
    return Expression("/", (total, number(2)))


_BY_SINE_AND_COSINE: dict[str, tuple[str | None, str | None]] = {
    r"\sin": (r"\sin", None),
    r"\cos": (r"\cos", None),
    r"\tan": (r"\sin", r"\cos"),
    r"\cot": (r"\cos", r"\sin"),
    r"\sec": (None, r"\cos"),
    r"\csc": (None, r"\sin"),
}
_TANGENT_OF = {r"\arcsin": r"\sin", r"\arccos": r"\cos", r"\arctan": r"\tan", r"\arccot": r"\cot"}
_HYPERBOLIC = {
    r"\sinh": lambda tree: _hyperbolic(tree, -1),
    r"\cosh": lambda tree: _hyperbolic(tree, 1),
    r"\tanh": lambda tree: Expression("/", (_hyperbolic(tree, -1), _hyperbolic(tree, 1))),
}
