"""The problems of the laboratory: those of a seed's round, and those held out for choosing and for testing."""

import asyncio
from collections.abc import Sequence
from itertools import chain

from filters.answers.checker import AnswerChecker
from generators.problems.laboratory.law import Truth, truth
from generators.problems.laboratory.problems import LaboratoryProblems, Part
from generators.problems.laboratory.tasks import NAMES, task_of
from generators.problems.loading import load_problems
from generators.problems.table import problems_of
from generators.records import Problem

VALIDATION_SEED = 1_000_000  # the rounds have the seeds from 0 on, in a part of their own
TEST_SEED = 2_000_000


def of_round(size: int, seed: int) -> list[Problem]:
    """`size` problems to make data of, the tasks in turn; the first ones are the same for every size."""
    return _in_turn("training", size, seed)


def for_validation(size: int, test: Sequence[Problem]) -> list[Problem]:
    """`size` problems to choose settings by, none of them in `test`."""
    tested = {problem.problem_id for problem in test}
    drawn = _in_turn("evaluation", size + len(test), VALIDATION_SEED)
    return [problem for problem in drawn if problem.problem_id not in tested][:size]


def for_test(size: int) -> list[Problem]:
    """`size` problems on which results are reported."""
    return _in_turn("evaluation", size, TEST_SEED)


def truth_of(prompt: str, solution: str) -> Truth:
    """The truth of a solution, step by step."""
    return truth(task_of(prompt), prompt, solution)


def _in_turn(part: Part, size: int, seed: int) -> list[Problem]:
    of_task = -(-size // len(NAMES))
    sources = [LaboratoryProblems(name=task, task=task, part=part, size=of_task, seed=seed) for task in NAMES]

    async def load() -> list[list[Problem]]:
        with AnswerChecker() as checker:
            return [problems_of((await load_problems(source, checker=checker)).kept) for source in sources]

    return list(chain.from_iterable(zip(*asyncio.run(load()), strict=True)))[:size]
