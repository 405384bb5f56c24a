"""Which solutions of a slice are labelled: an item only names its attempts, which are read when it is worked on."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from filters.answers.checker import AnswerRule
from generators.engine.tokenizer import Tokenizer
from generators.process_labels.recipe import Chosen, ProcessLabelsConfig, choose
from generators.records import Attempt, Problem
from generators.search.prior_fit import Attempted


class Attempts(Protocol):
    """The attempts of a slice by problem."""

    def of(self, problem_id: str) -> Sequence[Attempt]:
        """The attempts at a problem in the order of their index; none if it was not attempted."""
        ...


@dataclass(frozen=True, slots=True)
class Item:
    """A problem, the indexes of the attempts that are labelled, and what is known of all its attempts.

    `n_steps` is the mean number of steps of the labelled ones, if there are any.
    """

    problem: Problem
    chosen: tuple[int, ...]
    n_steps: float | None
    first_right: int | None
    n_right: int
    n_decided: int

    @property
    def tried(self) -> Attempted:
        """What a fit of base rates takes of the problem."""
        return Attempted(self.n_right, self.n_decided, self.n_steps)


@dataclass(frozen=True, slots=True)
class Choice:
    """Every problem that was attempted, and each attempt that was passed over with the reason."""

    items: list[Item]
    passed_over: list[tuple[str, int, str]]


def choose_solutions(
    problems: Sequence[Problem],
    attempts: Attempts,
    unfit: Mapping[str, Set[int]],
    *,
    tokenizer: Tokenizer,
    rule: AnswerRule,
    config: ProcessLabelsConfig,
) -> Choice:
    """The solutions to label, problem by problem; the `unfit` attempts of a problem are not among them."""
    found = Choice([], [])
    for problem in problems:
        tried = attempts.of(problem.problem_id)
        fit = [attempt for attempt in tried if attempt.attempt_index not in unfit.get(problem.problem_id, ())]
        chosen = choose(fit, tokenizer=tokenizer, config=config)
        found.passed_over.extend(
            (attempt.problem_id, attempt.attempt_index, reason) for attempt, reason in chosen.passed_over
        )
        if tried:
            found.items.append(_item(problem, tried, chosen, rule))
    return found


def _item(problem: Problem, tried: Sequence[Attempt], chosen: Chosen, rule: AnswerRule) -> Item:
    decided = [right for right in _outcomes(tried, rule) if right is not None]
    return Item(
        problem=problem,
        chosen=tuple(attempt.attempt_index for attempt in chosen.attempts),
        n_steps=fmean(chosen.n_steps) if chosen.n_steps else None,
        first_right=min((attempt.attempt_index for attempt in tried if attempt.verdict.is_right), default=None),
        n_right=sum(decided),
        n_decided=len(decided),
    )


def _outcomes(tried: Sequence[Attempt], rule: AnswerRule) -> Iterator[bool | None]:
    return (rule.is_right(attempt.verdict) for attempt in tried)
