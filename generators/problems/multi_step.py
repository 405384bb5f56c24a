"""Multi-step problems with written-out solutions: sums, sums of products, short stories.

The hash of its text assigns a problem to the training or the evaluation part, so that a policy is never asked what it
was warmed up on.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, get_args

from filters.rules import Filtered
from generators.problems.source import ColumnMapping, Entry, map_columns

Part = Literal["training", "evaluation"]

_MOST = 400  # every total is from 0 to this
_MOST_MISSES = 1000  # give up after this many draws in a row without a new problem
_THINGS = ("apples", "stamps", "marbles", "coins", "books", "shells", "cards", "pencils")
_NAMES = ("Ann", "Ben", "Cora", "Dan", "Ella", "Finn", "Gus", "Hana")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedProblem:
    """A problem, the lines of its solution except the last, and its answer; one line is one step."""

    prompt: str
    lines: tuple[str, ...]
    answer: str

    @property
    def solution(self) -> str:
        """The solution as text; the last line has the boxed answer."""
        return "\n".join([*self.lines, f"The answer is \\boxed{{{self.answer}}}."])

    @property
    def n_steps(self) -> int:
        """The number of lines of the solution, including the answer's."""
        return len(self.lines) + 1

    @property
    def part(self) -> Part:
        """The part that this problem belongs to, which depends only on its text."""
        return "training" if hashlib.blake2b(self.prompt.encode()).digest()[0] < 128 else "evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiStepProblems:
    """`size` distinct problems of one part, with `min_steps` to `max_steps` steps and terms up to `max_term`.

    Products go up to three times `max_term`, their factors up to 9.
    """

    name: str
    size: int
    part: Part = "evaluation"
    min_steps: int = 4
    max_steps: int = 10
    max_term: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name must not be empty, got ''")
        if self.size < 1:
            raise ValueError(f"size must be at least 1, got {self.size}")
        if self.part not in get_args(Part):
            raise ValueError(f"part must be one of {', '.join(get_args(Part))}, got {self.part!r}")
        if self.min_steps < 3:
            raise ValueError(f"min_steps must be at least 3, got {self.min_steps}")
        if self.max_steps < self.min_steps:
            raise ValueError(f"max_steps must be at least min_steps ({self.min_steps}), got {self.max_steps}")
        if not 5 <= self.max_term <= _MOST // 4:
            raise ValueError(f"max_term must be from 5 to {_MOST // 4}, got {self.max_term}")

    @property
    def has_answers(self) -> bool:
        """Always: every problem comes with its answer."""
        return True

    def fingerprint(self) -> str:
        """Nothing: the settings determine the problems."""
        return ""

    def candidates(self) -> Filtered:
        """Generate the problems."""
        entries = [
            Entry(f"item {index}", {"prompt": item.prompt, "answer": item.answer, "level": str(item.n_steps)})
            for index, item in enumerate(self.worked())
        ]
        return map_columns(entries, ColumnMapping(level="level"))

    def worked(self) -> list[WorkedProblem]:
        """The problems with solutions, cycling through kinds and step counts; the same on every machine."""
        items = list(islice(self._distinct(), self.size))
        if len(items) < self.size:
            raise ValueError(
                f"size must be at most {len(items)} with max_term {self.max_term} and seed {self.seed}, got {self.size}"
            )
        return items

    def _distinct(self) -> Iterator[WorkedProblem]:
        draw = random.Random(f"{self.seed}/{self.part}")
        spread = self.max_steps - self.min_steps + 1
        seen: set[str] = set()
        turn = misses = 0
        while misses < _MOST_MISSES:
            make, n_steps = _KINDS[turn % len(_KINDS)], self.min_steps + turn // len(_KINDS) % spread
            problem = make(draw, n_steps - 1, self.max_term)
            if problem.part == self.part and problem.prompt not in seen:
                seen.add(problem.prompt)
                turn, misses = turn + 1, 0
                yield problem
            else:
                misses += 1


def _sum(draw: random.Random, n_operations: int, most: int) -> WorkedProblem:
    total = draw.randint(2, most)
    text, lines = str(total), []
    for _ in range(n_operations):
        sign, term, result = _operation(draw, total, most)
        text += f" {sign} {term}"
        lines.append(f"{total} {sign} {term} = {result}")
        total = result
    return WorkedProblem(prompt=f"Calculate {text}.", lines=tuple(lines), answer=str(total))


def _products(draw: random.Random, n_operations: int, most: int) -> WorkedProblem:
    n_products = (n_operations + 1) // 2
    firsts = [draw.randint(2, 9) for _ in range(n_products)]
    factors = [(first, draw.randint(2, max(2, min(9, 3 * most // first)))) for first in firsts]
    terms = [a * b for a, b in factors]
    shown = [f"{a} * {b}" for a, b in factors]
    lines = [f"{text} = {term}" for text, term in zip(shown, terms, strict=True)]
    if n_operations % 2 == 0:  # one more single term makes the number of operations even
        single = draw.randint(2, most)
        terms.append(single)
        shown.append(str(single))
    total = terms[0]
    for term in terms[1:]:
        lines.append(f"{total} + {term} = {total + term}")
        total += term
    return WorkedProblem(prompt=f"Calculate {' + '.join(shown)}.", lines=tuple(lines), answer=str(total))


def _story(draw: random.Random, n_operations: int, most: int) -> WorkedProblem:
    name, things = draw.choice(_NAMES), draw.choice(_THINGS)
    total = draw.randint(2, most)
    sentences, lines = [f"{name} has {total} {things}."], []
    for _ in range(n_operations):
        if total <= most // 2 and draw.random() < 0.2:
            factor = draw.choice((2, 3))
            sentences.append(f"Then the number of {things} is multiplied by {factor}.")
            lines.append(f"{total} * {factor} = {total * factor}")
            total *= factor
            continue
        sign, term, result = _operation(draw, total, most)
        sentences.append(f"{name} {draw.choice(_VERBS[sign])} {term}.")
        lines.append(f"{total} {sign} {term} = {result}")
        total = result
    question = f"How many {things} does {name} have at the end?"
    return WorkedProblem(prompt=" ".join([*sentences, question]), lines=tuple(lines), answer=str(total))


def _operation(draw: random.Random, total: int, most: int) -> tuple[str, int, int]:
    sign, term = draw.choice("+-"), draw.randint(2, most)
    if sign == "-" and term > total:
        sign = "+"
    elif sign == "+" and total + term > _MOST:
        sign = "-"
    return sign, term, total + term if sign == "+" else total - term


_VERBS: dict[str, Sequence[str]] = {"+": ("finds", "buys", "is given"), "-": ("loses", "gives away", "sells")}
_KINDS: tuple[Callable[[random.Random, int, int], WorkedProblem], ...] = (_sum, _products, _story)
