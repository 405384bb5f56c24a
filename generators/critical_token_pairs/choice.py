"""cDPO's choice of solutions (arXiv 2411.19943): what the contrastive models learn from, and which pairs are scored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from filters.answers.checker import AnswerRule
from filters.answers.groups import group_answers
from filters.equations.stated import refuted
from generators.records import Attempt

VERSION = "2"  # bump when a change here would change which solutions are chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionPair:
    """A right solution and one that ends in the most frequent wrong answer."""

    chosen: Attempt
    rejected: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionChoice:
    """The solutions of one problem that each model learns from, and the pair whose tokens are scored.

    A side without a usable solution is empty; the pair needs both sides. `all_refuted` says that there are right
    solutions and each states a false equation, so that none is used.
    """

    positive: Attempt | None
    negatives: tuple[Attempt, ...]
    pair: SolutionPair | None
    all_refuted: bool = False


def choose_solutions(attempts: Iterable[Attempt], *, rule: AnswerRule, given: str = "") -> SolutionChoice:
    """Choose among the finished attempts at one problem that have an answer with a decided verdict.

    The positive model gets one right solution. Right solutions that state a false equation are left out; `given` is the
    problem's text. The negative model gets one solution for each wrong answer, the most
    frequent answer first, until these answers cover half of the wrong solutions; from the second answer on, only
    answers that occur more than once count. Which solution represents an answer is drawn with a seed that depends on
    the problem alone. The pair avoids the solutions that the models learn from where there are others.
    """
    usable = sorted((attempt for attempt in attempts if _is_usable(attempt)), key=lambda attempt: attempt.attempt_index)
    problems = {attempt.problem_id for attempt in usable}
    if len(problems) > 1:
        raise ValueError(f"attempts must be at one problem, got {sorted(problems)}")
    draw = Random(next(iter(problems), ""))
    ending_right = [attempt for attempt in usable if attempt.verdict.is_right]
    right = _shuffled([attempt for attempt in ending_right if refuted(attempt.text, given) is None], draw)
    wrong = [_shuffled(group, draw) for group in _by_frequency([a for a in usable if not a.verdict.is_right], rule)]
    return SolutionChoice(
        positive=right[0] if right else None,
        negatives=tuple(group[0] for group in _half_covered(wrong)),
        pair=SolutionPair(chosen=right[-1], rejected=wrong[0][-1]) if right and wrong else None,
        all_refuted=bool(ending_right) and not right,
    )


def _is_usable(attempt: Attempt) -> bool:
    has_answer = bool(attempt.extracted and attempt.extracted.strip())
    return has_answer and attempt.finish_reason == "eos" and not attempt.verdict.is_undecided


def _by_frequency(wrong: Sequence[Attempt], rule: AnswerRule) -> list[list[Attempt]]:
    """Solutions grouped by answer, the most frequent answer first; among equals, the one that came first."""
    groups = group_answers([attempt.extracted or "" for attempt in wrong], rule)
    return sorted(([wrong[index] for index in group] for group in groups), key=len, reverse=True)


def _shuffled(group: Sequence[Attempt], draw: Random) -> list[Attempt]:
    return draw.sample(group, len(group))


def _half_covered(groups: Sequence[Sequence[Attempt]]) -> list[Sequence[Attempt]]:
    half = (sum(map(len, groups)) + 1) // 2
    taken: list[Sequence[Attempt]] = []
    covered = 0
    for group in groups:
        if covered >= half or (taken and len(group) == 1):
            break
        taken.append(group)
        covered += len(group)
    return taken
