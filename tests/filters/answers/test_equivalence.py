import pytest

from filters.answers.exact import compare_exactly
from filters.answers.verdicts import Verdict

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED

NOTATION = [
    ("1,000", "1000", EQUAL),
    ("$1{,}234{,}567$", "1234567", EQUAL),
    ("1.234.567", "1234567", EQUAL),
    ("1'234'567", "1234567", EQUAL),
    ("1.234,5", "1234.5", EQUAL),
    ("3 000 000", "3,000,000", EQUAL),
    ("52_{8}", "52_8", EQUAL),
    ("~5", "5", EQUAL),
    ("1½", "1.5", EQUAL),
    ("⅓", "1/3", EQUAL),
    ("2⅔", "8/3", EQUAL),
    ("x³", "x^3", EQUAL),
    ("10⁻³", "0.001", EQUAL),
    ("3×10⁴", "30000", EQUAL),
    ("３．５", "3.5", EQUAL),
    ("۱۲", "12", EQUAL),
    ("−5", "-5", EQUAL),
    ("–5", "-5", EQUAL),
    ("B, C", "BC", EQUAL),
    (r"\textcolor{red}{7}", "7", EQUAL),
    (r"{\color{red} 7}", "7", EQUAL),
    (r"\color{red}{7}", "7", EQUAL),
    (r"\bf{7}", "7", EQUAL),
    (r"\mathbf{7}", "7", EQUAL),
    (r"{\bf 7}", "7", EQUAL),
    (r"\displaystyle\frac{1}{2}", "1/2", EQUAL),
    (r"1\text{ or }2", "1,2", EQUAL),
    (r"1, \quad 2", "1,2", EQUAL),
    ('"7"', "7", EQUAL),
    ("'7'", "7", EQUAL),
    ("**7**", "7", EQUAL),
    ("__7__", "7", EQUAL),
    ("7!", "7!", EQUAL),
    ("7。", "7", EQUAL),
    (r"\underline{7}", "7", EQUAL),
    (r"\fbox{7}", "7", EQUAL),
    ("7\\", "7", EQUAL),
    (r"1 \over 2", "0.5", EQUAL),
    (r"\nicefrac{1}{2}", "1/2", EQUAL),
    (r"\begin{array}{c}12\end{array}", "12", EQUAL),
    (r"\begin{align*} x &= 5 \end{align*}", "5", EQUAL),
    ("<strong>5</strong>", "5", EQUAL),
    ("x<sup>2</sup>", "x^2", EQUAL),
    ("2^10", "1024", EQUAL),
    ("2**3", "8", EQUAL),
    ("1e3", "1000", EQUAL),
    ("1.2e-3", "0.0012", EQUAL),
    ("3 x 10^5", "300000", EQUAL),
    ("3·10^5", "300000", EQUAL),
    ("+3", "3", EQUAL),
    ("3.0", "3", EQUAL),
    ("007", "7", EQUAL),
    ("-0", "0", EQUAL),
    ("1,5", "15", DIFFERENT),
    ("3,4", "34", DIFFERENT),
    ("0,5", "5", DIFFERENT),
    ("3x", "3", DIFFERENT),
    ("3n", "3", DIFFERENT),
    ("52_8", "53_8", DIFFERENT),
    ("0.3333", "1/3", DIFFERENT),
    ("3.14", r"\pi", DIFFERENT),
    ("1,5", "1.5", UNPARSED),
    ("52_{10}", "52", UNPARSED),
    ("101_2", "5", UNPARSED),
    (r"\text{the sum is }3+4", "7", UNPARSED),
    ("the answer is 3/4 of the cake", "3/4", UNPARSED),
]
CONTAINERS = [
    ("(1, 200)", "(1,200)", EQUAL),
    ("1,200 and 3,400", "1200, 3400", EQUAL),
    (r"\exp(3)", "exp(3)", EQUAL),
    (r"\{1,2,2,3\}", r"\{3,2,1\}", EQUAL),
    (r"\{a,a\}", r"\{a\}", EQUAL),
    (r"1 \text{ and } 2", "1, 2", EQUAL),
    ("7;", "7", EQUAL),
    ("7,", "7", EQUAL),
    (r"7\,", "7", EQUAL),
    ("1; 2; 3", "1, 2, 3", EQUAL),
    ("(1; 2)", "(1, 2)", EQUAL),
    ("(3)", "3", EQUAL),
    ("7,100", "(7,101)", DIFFERENT),
    ("(1,000)", "1000", DIFFERENT),
    ("(2,345)", "2345", DIFFERENT),
    ("[1,234]", "1234", DIFFERENT),
    (r"\{1,234\}", "1234", DIFFERENT),
    (r"\{100,200\}", "100200", DIFFERENT),
    (r"\{1,2,2,3\}", r"\{3,2\}", DIFFERENT),
]
DECIMALS = [
    (r"\{\pm 2\}", r"\{2,-2\}", EQUAL),
    (r"x = \pm 2", "2 or -2", EQUAL),
    ("x=2, x=-2", r"\pm 2", EQUAL),
    ("+/-2", r"\pm 2", EQUAL),
    (r"(\pm 1, 0)", "(1,0), (-1,0)", EQUAL),
    (r"\approx 3.14", "3.14", EQUAL),
    (r"x \approx 3.14", "3.14", EQUAL),
    (r"3\frac{1}{7} \approx 3.14", "22/7", EQUAL),
    (r"0.\overline{6}", "2/3", EQUAL),
    (r"0.1\overline{6}", "1/6", EQUAL),
    ("0.666...", "2/3", EQUAL),
    ("0.1666...", "1/6", EQUAL),
    ("0.(3)", "1/3", EQUAL),
    ("0.142857142857...", "1/7", EQUAL),
    (r"1.\overline{09}", "12/11", EQUAL),
    (r"0.\dot{1}\dot{8}", "2/11", EQUAL),
    ("0.3̅", "1/3", EQUAL),
    (r"0.\overline{9}", "1", EQUAL),
    (r"\pm 2", r"\pm 3", DIFFERENT),
    (r"\pm 2", "2", DIFFERENT),
    (r"0.\overline{3}", "0.3", DIFFERENT),
    (r"0.\overline{3}", "0.33", DIFFERENT),
    ("approximately 5", "5", UNPARSED),
]
CALLS = [
    ("abs(-3)", "3", EQUAL),
    ("|-3|", "3", EQUAL),
    ("ceil(2.1)", "3", EQUAL),
    ("ceiling(2.1)", "3", EQUAL),
    (r"\lfloor -2.5 \rfloor", "-3", EQUAL),
    (r"\operatorname{gcd}(4,6)", "2", EQUAL),
    (r"\max\{1,2,3\}", "3", EQUAL),
    (r"\begin{vmatrix}1&2&3\\4&5&6\\7&8&10\end{vmatrix}", "-3", EQUAL),
    (r"\det\begin{pmatrix}1&2\\3&4\end{pmatrix}", "-2", EQUAL),
    (r"\binom{5}{2}", "10", EQUAL),
    (r"{5 \choose 2}", "10", EQUAL),
    (r"\lfloor 2.5 \rfloor", "3", DIFFERENT),
]
NAMES = [
    ("(x,y)=(1,2)", "(x, y) = (1, 2)", EQUAL),
    ("x=1, y=2", "(1,2)", EQUAL),
    ("x=1 and y=2", "(x,y)=(1,2)", EQUAL),
    ("x=1,y=2", "y = 2, x = 1", EQUAL),
    ("a_3=2, a_{37}=19", "a_{37}=19, a_3=2", EQUAL),
    ("x = 1; y = 2", "x=1, y=2", EQUAL),
    ("x=1,y=2", "1,2", EQUAL),
    ("AB = 5", "5", EQUAL),
    (r"\text{Area} = 12", "12", EQUAL),
    ("f(x) = x^2", "x^2", EQUAL),
    ("f(2) = 5", "5", EQUAL),
    (r"P(A) = \frac12", "0.5", EQUAL),
    ("x_1 = 3", "3", EQUAL),
    ("k=5", "5", EQUAL),
    (r"\begin{cases} x=1 \\ y=2 \end{cases}", "x=1, y=2", EQUAL),
    ("x=1,y=2", "x=2,y=1", DIFFERENT),
    ("x=1,y=2", "(2,1)", DIFFERENT),
    ("(x,y)=(1,2)", "(2,1)", DIFFERENT),
    ("k=5", "6", DIFFERENT),
]


@pytest.mark.parametrize(("one", "other", "verdict"), NOTATION)
def test_what_only_sets_type_or_spells_otherwise_changes_no_value(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), CONTAINERS)
def test_tuples_sets_and_lists_are_read_before_thousands_separators(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), DECIMALS)
def test_both_signs_approximations_and_repeating_decimals_have_exact_values(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), CALLS)
def test_functions_of_plain_numbers_are_computed_exactly(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), NAMES)
def test_a_name_before_the_value_is_no_part_of_it(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict
