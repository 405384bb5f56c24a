r"""Generates inputs for fuzzing answers: LaTeX from a grammar, and known answers with mutations.

Seeded: the same seed gives the same inputs. Some are sound mathematics, most are broken in ways that models break it:
cut, doubled, with swapped braces, `\pm` anywhere, unicode, deep nesting, long digits.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.answer_cases import read_cases
from benchmarks.answer_pairs import answer_pairs

TOKENS = [
    token for line in Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines() for token in line.split()
]
# What cannot be seen in a file: odd spaces, marks that turn or join letters, half of a surrogate pair, controls.
TOKENS += ["\u200b", "\u202e", "\u00a0", "\u2009", "\u0301", "\ud83d", "\x00", "\x1b", "\n", "\t"]
RESPONSES = (
    r"So \boxed{%s}.",
    "#### %s",
    "The answer is %s.",
    r"Thus $\boxed{%s}$ and \boxed{%s}",
    "Final Answer: %s",
    "**Answer:** %s\n",
    "<think>%s</think> %s",
    "<answer>%s</answer>",
    r"\boxed{%s Wait, that is wrong. The answer is %s",
    "答案是 %s。",
    "%s",
)
_RELATIONS = ("=", "<", r"\le", ">", r"\in", r"\approx", r"\neq")
_FUNCTIONS = (r"\sin", r"\cos", r"\tan", r"\ln", r"\arctan", r"\log_2", "exp")
_UNITS = ("cm", "km/h", r"\text{ dollars}", r"\%", "eggs", "hours", r"^\circ", "PM", "th")


class Fuzz:
    """A source of inputs with its own random numbers."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._known = known_answers()
        self._mutations: Sequence[Callable[[str], str]] = (
            self._cut,
            self._doubled,
            self._swapped,
            self._inserted,
            self._nested,
            self._with_long_digits,
            self._joined,
        )

    def answers(self, n: int) -> Iterator[str]:
        """`n` answers."""
        for _ in range(n):
            yield self.answer()

    def answer(self) -> str:
        """One answer: from the grammar or a known one, mutated up to four times."""
        text = self.grammatical() if self._draw.random() < 0.4 else self._draw.choice(self._known)
        for _ in range(self._draw.choice((0, 1, 1, 2, 4))):
            text = self._draw.choice(self._mutations)(text)
        return text

    def gold(self, answer: str) -> str:
        """A gold answer for an answer: a known one, or a near copy of the answer."""
        if self._draw.random() < 0.6:
            return self._draw.choice(self._known)
        return self._draw.choice(self._mutations)(answer)

    def response(self, answer: str) -> str:
        """A response that claims an answer, in one of many ways."""
        shape = self._draw.choice(RESPONSES)
        return shape.replace("%s", answer)

    def grammatical(self) -> str:
        """An answer by the grammar."""
        draw, term = self._draw, self._expression
        kind = draw.randrange(12)
        if kind == 0:
            items = ", ".join(term(2) for _ in range(draw.randint(1, 5)))
            return draw.choice(("(%s)", "[%s)", r"\{%s\}", r"\left(%s\right]", "%s")) % items
        if kind == 1:
            rows = r" \\ ".join(" & ".join(term(1) for _ in range(2)) for _ in range(draw.randint(1, 3)))
            shape = draw.choice(("pmatrix", "vmatrix", "cases", "array", "aligned"))
            return rf"\begin{{{shape}}} {rows} \end{{{shape}}}"
        if kind == 2:
            return f"{term(2)} {draw.choice(_RELATIONS)} {term(2)}"
        if kind == 3:
            return rf"{term(2)} \pm {term(2)}"
        if kind == 4:
            return f"{term(1)} {draw.choice(_UNITS)}"
        if kind == 5:
            return rf"({term(1)}, {term(1)}) \cup [{term(1)}, \infty)"
        return term(draw.randint(1, 4))

    def _expression(self, depth: int) -> str:
        draw = self._draw
        if depth == 0 or draw.random() < 0.15:
            return draw.choice(("x", "n", "e", "i", r"\pi", "2", "-3", "0.5", "10", "1/2", str(draw.randint(0, 10**6))))
        inner = self._expression(depth - 1)
        other = self._expression(depth - 1) if draw.random() < 0.6 else str(draw.randint(1, 9))
        shapes = (
            rf"\frac{{{inner}}}{{{other}}}",
            rf"\sqrt{{{inner}}}",
            rf"\sqrt[{draw.randint(2, 5)}]{{{inner}}}",
            rf"{inner}^{{{other}}}",
            f"{inner} + {other}",
            f"{inner} - {other}",
            rf"{inner} \cdot {other}",
            f"({inner})({other})",
            rf"\left({inner}\right)/{other}",
            f"{draw.choice(_FUNCTIONS)}({inner})",
            f"|{inner}|",
            rf"\lfloor {inner} \rfloor",
            rf"\binom{{{inner}}}{{{other}}}",
            rf"\frac{{{inner} \pm {other}}}{{2}}",
            f"{other}!",
        )
        return draw.choice(shapes)

    def _cut(self, text: str) -> str:
        start, end = sorted(self._draw.randint(0, len(text)) for _ in range(2))
        return self._draw.choice((text[:end], text[start:], text[:start] + text[end:]))

    def _doubled(self, text: str) -> str:
        start, end = sorted(self._draw.randint(0, len(text)) for _ in range(2))
        return text[:end] + text[start:end] * self._draw.choice((1, 1, 2, 20)) + text[end:]

    def _swapped(self, text: str) -> str:
        swap = str.maketrans(self._draw.choice(("{}", "()", "[]", "}{")), self._draw.choice(("}{", ")(", "][", "{}")))
        return text.translate(swap)

    def _inserted(self, text: str) -> str:
        for _ in range(self._draw.randint(1, 3)):
            at = self._draw.randint(0, len(text))
            text = text[:at] + self._draw.choice(TOKENS) + text[at:]
        return text

    def _nested(self, text: str) -> str:
        opening, closing = self._draw.choice(
            (("{", "}"), ("(", ")"), (r"\frac{1}{", "}"), (r"\sqrt{", "}"), ("2^{", "}"), (r"\boxed{", "}"), ("[", ")"))
        )
        depth = self._draw.choice((1, 2, 3, 12, 60))
        return opening * depth + text + closing * self._draw.choice((depth, depth, depth - 1, 0))

    def _with_long_digits(self, text: str) -> str:
        at = self._draw.randint(0, len(text))
        return text[:at] + str(self._draw.randrange(10 ** self._draw.choice((3, 9, 40, 400)))) + text[at:]

    def _joined(self, text: str) -> str:
        return self._draw.choice((" ", ", ", " and ", "=", "+", r"\pm ", "/", "^", "\n")).join(
            (text, self._draw.choice(self._known))
        )


def known_answers() -> list[str]:
    """The answers and golds of the hand-made table and of the public cases."""
    pairs = [(answer, gold) for answer, gold, _ in answer_pairs()]
    pairs += [(case.text, case.gold) for case in read_cases()]
    return sorted({text for pair in pairs for text in pair})


def long_answers(length: int) -> list[str]:
    """Answers of about `length` characters, each one piece again and again: where a search could be quadratic."""
    pieces = [*TOKENS, "the answer is ", "1,", "1 ", "a b ", r"\boxed{1} ", "1/2 ", r"\frac12 ", "Answer: 5\n", "9."]
    return [piece * (length // len(piece)) for piece in pieces]
