import re

import pytest

from filters.answers.extraction import last_boxed
from generators.problems.word_problems import EXAMPLES

TERMS = re.compile(r"^(\d+) ([-+*/]) (\d+) = (\d+)$", re.MULTILINE)
MEANING = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__, "/": int.__floordiv__}


@pytest.mark.parametrize(("problem", "solution"), EXAMPLES)
def test_every_step_of_a_worked_example_holds_and_the_last_one_is_its_answer(problem, solution):
    steps = [(int(left), sign, int(right), int(value)) for left, sign, right, value in TERMS.findall(solution)]
    assert steps and all(MEANING[sign](left, right) == value for left, sign, right, value in steps)
    assert last_boxed(solution) == str(steps[-1][-1])
    assert str(steps[0][0]) in problem
