import pytest

from filters.answers.exact import compare_exactly
from filters.answers.verdicts import Verdict

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED

REGIONS = [
    ("x≠2", r"x \neq 2", EQUAL),
    (r"x \in [-2,7]", "[-2,7]", EQUAL),
    (r"-2 \le x \le 7", "[-2,7]", EQUAL),
    ("0<x<12.5", "(0,12.5)", EQUAL),
    ("2x > 6", "x > 3", EQUAL),
    (r"3 - x \ge 1", r"x \le 2", EQUAL),
    (r"\{x \mid -2 \leq x < 1\}", "[-2,1)", EQUAL),
    (r"x>1 \text{ and } x<3", "(1,3)", EQUAL),
    (r"[0,1) \cup [1,3]", "[0,3]", EQUAL),
    (r"x \ne 2", r"x \neq 3", DIFFERENT),
    ("x>1", r"x \ge 1", DIFFERENT),
    (r"[0,1] \cup [2,3]", "[0,3]", DIFFERENT),
]


@pytest.mark.parametrize(("one", "other", "verdict"), REGIONS)
def test_inequalities_intervals_and_domains_are_sets_of_numbers(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict
