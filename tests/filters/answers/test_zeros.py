import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.answers.algebra.zeros import settle
from filters.answers.verdicts import Verdict

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED

PROVEN = [
    (r"\sqrt{117}", r"3\sqrt{13}"),
    (r"\frac{1}{1+\sqrt{2}}", r"\sqrt{2}-1"),
    (r"\sqrt{3+2\sqrt{2}}", r"1+\sqrt{2}"),
    (r"\sqrt[3]{2+\sqrt{5}}+\sqrt[3]{2-\sqrt{5}}", "1"),
    (r"2\cos(\pi/5)", r"\frac{1+\sqrt{5}}{2}"),
    (r"\sin 15 degrees", r"\frac{\sqrt{6}-\sqrt{2}}{4}"),
    (r"\cos(\pi/7)\cos(2\pi/7)\cos(3\pi/7)", "1/8"),
    (r"e^{i\pi}", "-1"),
    (r"1+i\sqrt{3}", r"2e^{i\pi/3}"),
    (r"\sqrt[3]{-8}", "-2"),
    (r"(\frac{5}{12})^{\frac{1}{3}}", r"\sqrt[3]{\frac{5}{12}}"),
    (r"\arcsin(1)", r"\frac{\pi}{2}"),
    (r"\tan^{-1}(1)", r"\frac{\pi}{4}"),
    (r"\ln 12", r"2\ln 2+\ln 3"),
    (r"\log_2 8", "3"),
    (r"\log 8", r"3\log 2"),
    (r"e^{2\ln 3}", "9"),
    (r"\sinh(\ln 2)", "3/4"),
    (r"|1-\sqrt{2}|", r"\sqrt{2}-1"),
    (r"\lfloor \pi \rfloor", "3"),
    (r"\lceil 3.2 \rceil", "4"),
    (r"\begin{vmatrix}2&1\\1&2\end{vmatrix}", "3"),
    (r"\binom{10}{3}", "120"),
    (r"0.1\overline{6}", "1/6"),
    (r"0.\dot{1}2\dot{3}", "123/999"),
    ("max(2,3) + gcd(12,18)", "9"),
    ("-q + p", "p - q"),
    ("ab+2a+5b+10", "(a+5)(b+2)"),
    ("(x+y+z)^3", "x^3+y^3+z^3+3(x+y)(y+z)(z+x)"),
    (r"\frac{1}{x-1}-\frac{1}{x+1}", r"\frac{2}{x^2-1}"),
    (r"\frac{\sqrt{2}}{x-\sqrt{3}}", r"\frac{\sqrt{2}x+\sqrt{6}}{x^2-3}"),
    (r"3\cos(2\sqrt{35}t)", r"3*cos(\sqrt{980/7}*t)"),
    (r"\sin(2x)", r"2\sin x\cos x"),
    (r"\cos x", r"1-2\sin^2(x/2)"),
    (r"\sin(x+\pi/3)", r"\frac{\sin x+\sqrt{3}\cos x}{2}"),
    (r"\frac{e^x-e^{-x}}{2}", r"\sinh x"),
    ("4^{n+1}", r"4\cdot 2^{2n}"),
    (r"\sqrt{x^4}", "x^2"),
    (r"\sqrt{\frac{2h}{g}}", r"\frac{\sqrt{2h}}{\sqrt{g}}"),
    (r"\sqrt{8x^3}", r"2x\sqrt{2x}"),
    (r"v^2_0 \sqrt{2}", r"\sqrt{2} v_{0}^{2}"),
    ("2x + 2y = 2", "x + y = 1"),
    ("y = -1/2*x + 3/4", "2x+4y-3=0"),
]

CERTAIN = [
    (r"(1+\sqrt{2})^{100}", r"(1+\sqrt{2})^{100}+(1-\sqrt{2})^{100}"),
    (r"\sqrt{2}+10^{-40}", r"\sqrt{2}"),
    (r"\sqrt{2}+10^{-300}", r"\sqrt{2}"),
    (r"\sqrt{10^{60}+1}", "10^{30}"),
    (r"10^{50}\pi", r"10^{50}\pi+1"),
    (r"\tanh(50)", "1"),
    (r"\cos(\sin 1)", r"\cos(\sin 1)+10^{-50}"),
    ("e^{2}", "7.389"),
    (r"\sqrt{1000001}+\sqrt{1000025}+\sqrt{1000031}", r"\sqrt{1000003}+\sqrt{1000018}+\sqrt{1000036}"),
]

OPEN = [
    (r"\sqrt{x^2}", "x", UNPARSED),  # equal where x is positive
    (r"|x|", "x", UNPARSED),
    (r"\sqrt{x^2y^2}", "xy", UNPARSED),
    (r"\sqrt{(x+30)^2}", "x+30", None),
    (r"\frac{1}{0}", r"\frac{2}{0}", None),
    (r"\frac{x-x}{x-x}", "1", None),
    ("0^0", "1", None),
    (r"\tan(\pi/2)", "1", None),
    (r"(-8)^{1/3}", "-2", None),
    (r"\ln(-2)", r"\ln(-2)", None),
    ("1/2x", "x/2", None),
    ("x = 1/y", "xy = 2", None),
    (r"((2^{1000})^{1000})^{1000}", "x", None),
    ("e^{e^{e^{e^e}}}", "5", None),
    (r"2^{10^{10}\sqrt{2}}", "5", None),
    ("x + c", "x + C", UNPARSED),
]


@pytest.mark.parametrize(("left", "right"), PROVEN)
def test_what_is_proven_to_be_the_same_is_equal(left, right):
    assert settle(left, right) is settle(right, left) is EQUAL


@pytest.mark.parametrize(("left", "right"), CERTAIN)
def test_what_differs_beyond_25_digits_is_certainly_different(left, right):
    assert settle(left, right) is settle(right, left) is DIFFERENT


@pytest.mark.parametrize(("left", "right", "verdict"), OPEN)
def test_what_has_no_proof_stays_open(left, right, verdict):
    assert settle(left, right) is settle(right, left) is verdict


WHOLE = st.integers(1, 30)


@settings(max_examples=100, deadline=None)
@given(WHOLE, WHOLE, WHOLE)
def test_a_square_of_a_sum_of_roots_is_what_it_expands_to(a, b, c):
    square = rf"(\sqrt{{{a}}}+\frac{{\sqrt{{{b}}}}}{{{c}}})^2"
    expanded = rf"{a}+\frac{{{b}}}{{{c * c}}}+\frac{{2\sqrt{{{a * b}}}}}{{{c}}}"
    assert settle(square, expanded) is EQUAL
    assert settle(square, rf"{expanded}+10^{{-60}}") is DIFFERENT


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=4))
def test_a_product_of_linear_factors_is_its_polynomial(roots):
    coefficients = [1]
    for root in roots:
        shifted = [*coefficients, 0]
        scaled = [0, *(-root * coefficient for coefficient in coefficients)]
        coefficients = [a + b for a, b in zip(shifted, scaled, strict=True)]
    degree = len(roots)
    polynomial = "+".join(f"({c})x^{{{degree - place}}}" for place, c in enumerate(coefficients))
    product = "".join(f"(x-({root}))" for root in roots)
    assert settle(product, polynomial) is EQUAL
    assert settle(product, f"{polynomial}+1") is not EQUAL
