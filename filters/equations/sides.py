"""The two sides of an equation in a text: the formula next to the sign, and whether it is the whole side.

A side is open when it is a part of something else: `x + 2` has the formula `2`, and `3 dozen` has the formula `3`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from filters.equations.formulas import Formula, Number, Operation, Sign
from filters.equations.lexemes import Lexeme
from filters.equations.parser import parse
from filters.equations.words import MEASURES, changes_value, ends_in_letter, is_letter, is_unit, unit_names

_LONGEST = 60  # lexemes of a side
_PLAIN_BREAKS = frozenset(".,;:→\"'“”#•、，：（）&>")
_MOST_UNIT_WORDS = 3
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")


@dataclass(frozen=True, slots=True)
class Side:
    """A formula with its units, and the span of its lexemes.

    `is_open` says that the formula is only a part of the side; `is_named`, that a word stands before a lone number,
    which may then be a label ("Day 3"); `is_of`, that "of" stands before it; `follows`, that a relation does.
    `otherwise` is the formula in another reading: after a number that may be a label and a dash ("Day 1 - 3 + 4"), with
    the dash of a bullet as its sign, or without an exclamation mark at the end.
    """

    formula: Formula
    units: frozenset[str]
    mixes_units: bool
    is_open: bool
    is_named: bool
    is_of: bool
    follows: bool
    start: int
    end: int
    otherwise: Formula | None = None

    @property
    def is_fraction(self) -> bool:
        """Whether the side is a quotient of two numbers, which may name a share and not a calculation."""
        match self.formula:
            case Operation("/" | "mixed", Number(), Number() | Operation("/", Number(), Number())):
                return True
        return False

    @property
    def is_lone(self) -> bool:
        """Whether the side is one number, with its sign and percent sign."""
        inner = self.formula
        while isinstance(inner, Sign):
            inner = inner.inner
        return isinstance(inner, Number)


def left_side(pieces: Sequence[Lexeme], relation: int) -> Side | None:
    """The longest formula that ends at the relation; None if none does."""
    low = relation
    while low > 0 and relation - low < _LONGEST and pieces[low - 1].kind not in ("break", "relation"):
        low -= 1
    window = pieces[low:relation]
    if not any(piece.kind == "number" for piece in window):
        return None
    for start in range(len(window)):
        parsed = parse(window, start)
        if parsed is not None and parsed.end == len(window):
            first = low + start
            bullet = pieces[first].kind == "sign" and _is_bullet(pieces, first)
            signed = None
            if bullet and (without := parse(window, start + 1)):
                signed = parsed.formula
                parsed, first = without, first + 1
            before = pieces[first - 1] if first else None
            return Side(
                formula=parsed.formula,
                units=parsed.units,
                mixes_units=parsed.mixes_units,
                is_open=relation - low >= _LONGEST
                or not _begins_alone(pieces, first)
                or _is_span(pieces[first:relation], before),
                is_named=before is not None and before.kind in ("word", "number"),
                is_of=before is not None and before.symbol == "of",
                follows=before is not None and before.kind == "relation",
                start=pieces[first].start,
                end=pieces[relation - 1].end,
                otherwise=signed or _unlabelled(pieces[first:relation], before),
            )
    return None


def right_side(pieces: Sequence[Lexeme], relation: int) -> Side | None:
    """The longest formula that begins after the relation; None if none does."""
    high = relation + 1
    while high < len(pieces) and high - relation <= _LONGEST and pieces[high].kind not in ("break", "relation"):
        high += 1
    window = pieces[relation + 1 : high]
    parsed = parse(window, spoken=False)
    if parsed is None:
        return None
    after = relation + 1 + parsed.end
    exclaims = pieces[after - 1].kind == "bang" and parsed.end == len(window)
    calm = parse(window[:-1], spoken=False) if exclaims else None
    return Side(
        formula=parsed.formula,
        units=parsed.units or _later_units(pieces, after),
        mixes_units=parsed.mixes_units,
        is_open=high - relation > _LONGEST or not _ends_alone(pieces, after),
        is_named=False,
        is_of=False,
        follows=True,
        start=window[0].start,
        end=pieces[after - 1].end,
        otherwise=calm.formula if calm else None,
    )


def _begins_alone(pieces: Sequence[Lexeme], first: int) -> bool:
    if first == 0:
        return pieces[0].kind != "sign" or pieces[0].symbol == "-"
    before, piece = pieces[first - 1], pieces[first]
    if before.kind == "relation":
        return True
    if before.kind == "break":
        is_plain = before.symbol in _PLAIN_BREAKS and not _runs_over(pieces, first)
        return is_plain and (piece.kind != "sign" or _starts_with_minus(pieces, first))
    if before.kind == "open":
        return first < 2 or pieces[first - 2].kind in ("word", "break", "relation")
    if before.kind == "word":
        is_glued = before.end == piece.start and ends_in_letter(before.symbol)
        return piece.kind != "sign" and not is_glued and not _binds(pieces, first - 1)
    return before.kind in ("close", "sign", "number") and _is_label(pieces, first - 1)


def _is_span(side: Sequence[Lexeme], before: Lexeme | None) -> bool:
    """Whether the side may be a span like that of "Weeks 1-2" or "2019-2020" and not a difference."""
    if [piece.kind for piece in side] != ["number", "sign", "number"]:
        return False
    low, dash, high = side
    if (before is None or before.kind != "word") and not all(_YEAR.fullmatch(end.symbol) for end in (low, high)):
        return False
    is_tight = low.end == dash.start and dash.end == high.start
    return dash.symbol == "-" and is_tight and Fraction(low.symbol) < Fraction(high.symbol)


def _unlabelled(side: Sequence[Lexeme], before: Lexeme | None) -> Formula | None:
    """The formula after a number that may belong to the word before it, and a dash."""
    starts_so = [(piece.kind, piece.symbol) for piece in side[:2]] == [("number", side[0].symbol), ("sign", "-")]
    if before is None or before.kind != "word" or not starts_so:
        return None
    parsed = parse(side, 2)
    return parsed.formula if parsed is not None and parsed.end == len(side) else None


def _runs_over(pieces: Sequence[Lexeme], first: int) -> bool:
    """Whether the formula began before a point or a comma: `. 84 + .82` after a sign, `14, 400 / 80`."""
    if first < 2:
        return False
    earlier, mark, piece = pieces[first - 2 : first + 1]
    is_cut_number = earlier.kind == piece.kind == "number" and mark.symbol == "," and len(piece.symbol) == 3
    return is_cut_number or (earlier.kind == "sign" and mark.end - mark.start == 1 and mark.symbol == ".")


def _starts_with_minus(pieces: Sequence[Lexeme], first: int) -> bool:
    """Whether the side starts with a minus sign glued to its number, as in "Then, -2 + 5"."""
    piece = pieces[first]
    return piece.symbol == "-" and first + 1 < len(pieces) and piece.end == pieces[first + 1].start


def _binds(pieces: Sequence[Lexeme], index: int) -> bool:
    """Whether the word takes the number after it as an operand: a variable, "twice", "half of", "sum of 3 and"."""
    word = pieces[index].symbol
    if is_letter(word) or changes_value(word):
        return True
    earlier = pieces[index - 1] if index else None
    if (
        word == "of"
        and index > 1
        and pieces[index - 2].kind == "number"
        and earlier is not None
        and earlier.kind == "word"
    ):
        return True  # "40 pieces of $1"
    if earlier is None or word not in ("of", "and", "to", "by", "from", "the"):
        return False
    if word == "the":
        return earlier.symbol in ("of", "to", "by", "from")
    is_part = earlier.kind == "word" and (changes_value(earlier.symbol) or is_letter(earlier.symbol))
    return is_part or earlier.kind in ("percent", "number", "close")


def _is_label(pieces: Sequence[Lexeme], last: int) -> bool:
    """Whether the line starts with a label or a bullet that ends with the lexeme `last`: `(1)`, `2)`, `-`."""
    if pieces[last].kind == "sign":
        return _is_bullet(pieces, last)
    if pieces[last].kind != "close":
        return False
    start = last - 1
    if start < 0 or pieces[start].kind not in ("number", "word") or len(pieces[start].symbol) > 2:
        return False
    if start > 0 and pieces[start - 1].kind == "open":
        start -= 1
    return start == 0 or pieces[start - 1].ends_sentence


def _is_bullet(pieces: Sequence[Lexeme], index: int) -> bool:
    """Whether a sign is the bullet of a line rather than the continuation of a formula on the line before."""
    if index + 1 >= len(pieces) or pieces[index].end == pieces[index + 1].start or pieces[index].symbol not in "-*+":
        return False
    if index == 0:
        return True
    if not pieces[index - 1].ends_sentence:
        return False
    earlier = next((pieces[n] for n in range(index - 2, -1, -1) if not pieces[n].ends_sentence), None)
    return pieces[index].symbol != "+" and (earlier is None or earlier.kind in ("word", "break", "number", "close"))


def _ends_alone(pieces: Sequence[Lexeme], after: int) -> bool:
    if after >= len(pieces):
        return True
    piece, last = pieces[after], pieces[after - 1]
    if piece.kind == "break":
        follower = pieces[after + 1] if after + 1 < len(pieces) else None
        is_ratio = piece.symbol == ":" and follower is not None and follower.kind in ("number", "currency")
        return piece.symbol in _PLAIN_BREAKS and not is_ratio
    if piece.kind == "word":
        return not _continues(pieces, after)
    if piece.kind == "open":
        return piece.symbol != "{" and piece.start > last.end
    return piece.kind in ("relation", "close")


def _continues(pieces: Sequence[Lexeme], index: int) -> bool:
    """Whether the word at `index` makes more of the number before it: "dozen", "of the rest", "and a half"."""
    word = pieces[index].symbol
    following = [piece.symbol for piece in pieces[index + 1 : index + 5]]
    if index + 1 < len(pieces) and pieces[index + 1].kind == "number" and unit_names([word]) & MEASURES:
        return True  # "1 hour 15 minutes"
    if word == "a":
        return not (following and len(following[0]) > 1)
    if is_letter(word) or changes_value(word) or word in ("of", "or", "to"):
        return True
    if word == "and":
        follower = pieces[index + 1] if index + 1 < len(pieces) else None
        is_part = follower is not None and (follower.kind in ("number", "command") or changes_value(follower.symbol))
        return is_part or following[:1] == ["a"]
    return "than" in following and word in ("more", "less", "fewer", "greater", "higher", "lower")


def _later_units(pieces: Sequence[Lexeme], after: int) -> frozenset[str]:
    words = []
    for piece in pieces[after : after + _MOST_UNIT_WORDS]:
        if piece.kind != "word" or not is_unit(piece.symbol):
            break
        words.append(piece.symbol)
    return unit_names(words)
