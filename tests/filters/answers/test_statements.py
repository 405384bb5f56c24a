"""Statements that hold values, formulas with a unit, decimals after an exact value, and unions with roots."""

import pytest

from filters.answers.checker import Verdict
from filters.answers.exact import compare_exactly

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED

STATEMENTS = [
    (r"\log_8(4) = \frac{2}{3}", r"\log_8(4) = \frac{3}{4}", DIFFERENT),
    (r"\max at x=2, \min at x=4", r"\max at x=2, \min at x=5", DIFFERENT),
    (r"\max at x=0.5", r"\max at x=\frac{1}{2}", EQUAL),
    ("max at x=2, min at x=4", "min at x=4, max at x=2", UNPARSED),
    (r"P(\{1\})=1/12, P(\{2\})=1/12", r"P(\{1\})=1/12, P(\{2\})=1/6", DIFFERENT),
    ("x=y=4, z=2", "x=y=5, z=2", DIFFERENT),
    ("y'+ry=0", "y'+ry=1", DIFFERENT),
    (r"E(t)=360t, t \geq 0", r"E(t)=460t, t \geq 0", DIFFERENT),
    (
        r"A^{T}B=[\begin{array}{rr}0 & -1\end{array}], AB^{T}=1",
        r"A^{T}B=[\begin{array}{rr}0 & -1\end{array}], AB^{T}=2",
        DIFFERENT,
    ),
    (r"concave up when $x<-1$ or $x>1$", r"concave up when $x<-2$ or $x>1$", DIFFERENT),
    ("falling when x<3 or x<5", "falling when x<2 or x<5", EQUAL),
    (r"$x<-7:(-\infty,-7)$", r"$x<-8:(-\infty,-8)$", DIFFERENT),
    (r"Solution is: $[x=\frac{1}{2}, y=3]$", r"x=\frac{1}{2}, y=3", EQUAL),
    (r"Solution is: $[x=\frac{1}{2}, y=3]$", r"x=\frac{1}{2}, y=4", DIFFERENT),
    ("Yes. It is closed.", "No. It is closed.", DIFFERENT),
    ("the matrix is not invertible", "the matrix is invertible", DIFFERENT),
    # the same statement, or one that only a reader can tell apart
    ("2+2=4", "1+3=4", None),
    ("the ratio is 2:4", "the ratio is 1:2", UNPARSED),
    ("the odds are 2 to 4", "the odds are 1 to 2", UNPARSED),
    ("the rest is 8 mod 7", "the rest is 1 mod 7", UNPARSED),
    ("the time is 1 hour and 90 minutes", "the time is 2 hour and 30 minutes", UNPARSED),
    ("x=1 or x=2", "x=2 or x=1", UNPARSED),
    ("x is 1 or 2", "x is 2 or 1", UNPARSED),
    ("a basis is (1,2,3)", "a basis is (2,4,6)", UNPARSED),
    (r"the families are at x=\frac{\pi}{2}+\pi k", r"the families are at x=-\frac{\pi}{2}+\pi k", UNPARSED),
    ("the value is n<6", r"the value is n \le 5", UNPARSED),
]
UNITS = [
    (r"4\sqrt{2} \mathrm{~s}", r"5\sqrt{2} \mathrm{~s}", DIFFERENT),
    (r"T=4\sqrt{2} \mathrm{~s}", r"T=5\sqrt{2} \mathrm{~s}", DIFFERENT),
    (r"y=\frac{1}{8} \sin 8 t \mathrm{ft}", r"y=\frac{1}{7} \sin 8 t \mathrm{ft}", DIFFERENT),
    (r"4\sqrt{2} \mathrm{~s}", r"4\sqrt{2} \mathrm{~m}", DIFFERENT),
]
APPROXIMATIONS = [
    (r"\frac{1}{3} \approx 0.33", r"\frac{1}{3} \approx 0.333", EQUAL),
    (r"\frac{1}{3} \approx 0.33", r"\frac{1}{3}", EQUAL),
    (r"\frac{40}{3} \approx 13.33 minutes", r"\frac{40}{3} \approx 23.33 minutes", UNPARSED),
    (r"\frac{40}{3} \approx 13.33", r"\frac{50}{3} \approx 16.67", DIFFERENT),
    (r"\frac{40}{3} \approx 13.33", r"13.33", UNPARSED),
    (r"\frac{40}{3} \approx 13.33", r"13.3", UNPARSED),
    (r"\frac{40}{3} \approx 13.33", "7", DIFFERENT),
    (r"\frac{40}{3} \approx 13.33", "1e401", UNPARSED),
    (r"$\approx 6.76$ miles", "6.76 miles", EQUAL),
]
VALUES = [
    ("e^{x^2}", "e^{x^2} + 1", DIFFERENT),
    (r"\frac{300x}{(100-x^2)^{5/2}}", r"\frac{400x}{(100-x^2)^{5/2}}", DIFFERENT),
    (r"a_{n+2}+3", r"a_{n+2}+4", DIFFERENT),
    (r"a_{n+2}+3", r"a_{2+n}+3", None),
    (r"\sqrt{(x-1)^2}", "x-1", None),
    (r"(-\infty,-\sqrt{2}) \cup (\sqrt{3},\infty)", r"(-\infty,-\sqrt{2}) \cup (\sqrt{5},\infty)", DIFFERENT),
    (r"(-\infty,-\sqrt{2}) \cup (\sqrt{9},\infty)", r"(3,\infty) \cup (-\infty,-\sqrt{2})", EQUAL),
    (
        r"\frac{1}{35}[\begin{array}{rr}1 & 5 \\ 5 & 25\end{array}]",
        r"[\begin{array}{rr}1/35 & 1/7 \\ 1/7 & 5/7\end{array}]",
        EQUAL,
    ),
    (
        r"\frac{1}{35}[\begin{array}{rr}1 & 5 \\ 5 & 25\end{array}]",
        r"\frac{1}{35}[\begin{array}{rr}2 & 5 \\ 5 & 25\end{array}]",
        DIFFERENT,
    ),
]
# General solutions, whose constants have no names, signs or multiples of their own.
VECTOR = r"y=c_1 [\begin{array}{l}1 \\ 2\end{array}] e^t+c_2 [\begin{array}{l}0 \\ 1\end{array}] e^{-t}"
FAMILIES = [
    ("C_1 e^t + C_2 e^{-t}", "C_1 e^t + C_2 e^{-2t}", DIFFERENT),
    ("C_1 e^t + C_2 e^{-t}", "C_2 e^t + C_1 e^{-t}", UNPARSED),
    ("C_1 e^t + C_2 e^{-t}", "3C_1 e^t - C_2 e^{-t}", UNPARSED),
    ("y=c_1 e^{2x} + x", "y=c_1 e^{2x} + x + e^{2x}", UNPARSED),
    ("y=c_1 e^{2x} + x", "y=c_1 e^{2x} + 2x", DIFFERENT),
    (r"\frac{x^2}{2}+C", r"\frac{x^2+3}{2}+C", UNPARSED),
    (r"\frac{x^2}{2}+C", r"\frac{x^2+3x}{2}+C", DIFFERENT),
    (VECTOR, VECTOR.replace("1 \\\\ 2", "3 \\\\ 6"), UNPARSED),
    (VECTOR, VECTOR.replace("1 \\\\ 2", "1 \\\\ 3"), DIFFERENT),
]


@pytest.mark.parametrize(("one", "other", "verdict"), FAMILIES + STATEMENTS + UNITS + APPROXIMATIONS + VALUES)
def test_the_values_of_two_statements_decide_where_all_else_is_the_same(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict
