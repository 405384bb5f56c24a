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
    ("3/4 cup", "0.75 cups", EQUAL),
    ("-2<=x<=7", "[-2,7]", EQUAL),
    (r"7 \ge x \ge -2", "[-2,7]", EQUAL),
    ("x<0 or x>0", r"x \neq 0", EQUAL),
    (r"-\frac{1}{2} < x < \frac{1}{2}", "(-0.5,0.5)", EQUAL),
    ("<code>5</code>", "5", EQUAL),
    (r"$\frac{3}{4}$ cups", "3/4", EQUAL),
    (r"\mathbb{R}\backslash\{1\}", r"x\neq 1", EQUAL),
    (r"\mathbb{R} - \{1\}", r"x \neq 1", EQUAL),
    ("all real numbers except 1", r"x\neq 1", EQUAL),
    (r"-1 < x \leq 3", "(-1, 3]", EQUAL),
    ("3 > x > -1", "(-1,3)", EQUAL),
    (r"x > -1 \text{ and } x < 3", "(-1,3)", EQUAL),
    ("x > -1, x < 3", "(-1,3)", EQUAL),
    (r"x \neq 1 \text{ and } x \neq 2", r"x\neq 1, 2", EQUAL),
    (r"[1,2] \cup [2,3]", "[1,3]", EQUAL),
    ("2 < x", "x > 2", EQUAL),
    (r"2x+1 \le 5", r"x \le 2", EQUAL),
    (r"\frac{x}{2} > 3", "x > 6", EQUAL),
    ("x<3", "x>3", DIFFERENT),
    (r"x \le 3", "x < 3", DIFFERENT),
    (r"(1,2) \cup (2,3)", "(1,3)", DIFFERENT),
    ("x > 2", r"x \geq 2", DIFFERENT),
    (r"n \le 5", "n < 6", UNPARSED),
]


@pytest.mark.parametrize(("one", "other", "verdict"), REGIONS)
def test_inequalities_intervals_and_domains_are_sets_of_numbers(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict
