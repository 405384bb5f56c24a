"""Which solutions of a slice are labelled: an item only names its attempts, which are read when it is worked on."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from filters.answers.checker import AnswerRule
from generators.engine.tokenizer import Tokenizer
from generators.process_labels.recipe import ProcessLabelsConfig, choose
from generators.records import Attempt, Problem


class Attempts(Protocol):
    """The attempts of a slice by problem."""

    def of(self, problem_id: str) -> Sequence[Attempt]:
        """The attempts at a problem in the order of their index; none if it was not attempted."""
        ...


@dataclass(frozen=True, slots=True)
class Item:
    """A problem, the indexes of the attempts that are labelled, and what is known of all its attempts."""

    problem: Problem
    chosen: tuple[int, ...]
    first_right: int | None
    n_right: int
    n_decided: int


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
            found.items.append(_item(problem, tried, chosen.attempts, rule))
    return found


def _item(problem: Problem, tried: Sequence[Attempt], chosen: Sequence[Attempt], rule: AnswerRule) -> Item:
    decided = [right for right in _outcomes(tried, rule) if right is not None]
    return Item(
        problem=problem,
        chosen=tuple(attempt.attempt_index for attempt in chosen),
        first_right=min((attempt.attempt_index for attempt in tried if attempt.verdict.is_right), default=None),
        n_right=sum(decided),
        n_decided=len(decided),
    )


def _outcomes(tried: Sequence[Attempt], rule: AnswerRule) -> Iterator[bool | None]:
    return (rule.is_right(attempt.verdict) for attempt in tried)
