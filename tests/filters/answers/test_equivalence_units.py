import pytest

from filters.answers.exact import compare_exactly
from filters.answers.verdicts import AnswerRule, Verdict

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED

UNITS = [
    ("18 eggs", "18 egg", EQUAL),
    (r"$-5^\circ C$", "-5", EQUAL),
    (r"5\,\text{cm}^2", "5", EQUAL),
    ("5 cm^2", "5 square centimeters", EQUAL),
    ("12 sq ft", "12 square feet", EQUAL),
    (r"12 \text{ ft}^2", "12 square feet", EQUAL),
    (r"60 \text{ km/h}", "60", EQUAL),
    (r"60 \mathrm{~km} / \mathrm{h}", "60 km/h", EQUAL),
    ("60 km per hour", "60 km/h", EQUAL),
    ("60 miles per hour", "60 mph", EQUAL),
    (r"9.8 \text{ m/s}^2", "9.8", EQUAL),
    (r"9.8\ \mathrm{m/s^2}", "9.8 m/s^2", EQUAL),
    ("9.8 m s^{-2}", "9.8 m/s^2", EQUAL),
    ("5 hours", "5 hrs", EQUAL),
    ("5 min", "5 minutes", EQUAL),
    (r"3 \text{ s}", "3", EQUAL),
    (r"3\text{ L}", "3 liters", EQUAL),
    (r"100\,^\circ\mathrm{C}", "100", EQUAL),
    ("90°", "90 degrees", EQUAL),
    (r"\angle A = 90^\circ", "90", EQUAL),
    (r"50 \%", "50%", EQUAL),
    ("50 percent", r"50\%", EQUAL),
    (r"\left\lceil \frac{7}{2} \right\rceil", "4", EQUAL),
    ("min(2,3)", "2", EQUAL),
    ("lcm(4,6)", "12", EQUAL),
    (r"\operatorname{lcm}(4,6)", "12", EQUAL),
    (r"\left|\begin{array}{cc}1&2\\3&4\end{array}\right|", "-2", EQUAL),
    (r"x \ne 2", r"(-\infty,2) \cup (2,\infty)", EQUAL),
    (r"\text{Area}=12\text{ cm}^2", "12", EQUAL),
    (r"\theta = 30^\circ", "30", EQUAL),
    (r"x \ge 3", r"[3,\infty)", EQUAL),
    ("x > 3", r"(3, +\infty)", EQUAL),
    (r"x<3 \text{ or } x>5", r"(-\infty,3)\cup(5,\infty)", EQUAL),
    (r"x \leq 2", r"(-\infty, 2]", EQUAL),
    (r"\{x | x > 3\}", r"(3,\infty)", EQUAL),
    (r"$\left( 1, 2 \right)$", "(1,2)", EQUAL),
    ("12 ft^2", "12 ft^3", DIFFERENT),
    ("5 kg", "5 km", DIFFERENT),
    ("5 kg", "5 g", DIFFERENT),
    ("5 km", "5000 m", UNPARSED),
    ("5 km", "5000 meters", UNPARSED),
    (r"50\%", "0.5", UNPARSED),
    ("50%", "50", UNPARSED),
    ("5m", "5", UNPARSED),
    ("12 twelfths", "1", EQUAL),
    (r"5 \text{ square cm}", "5 cm^2", EQUAL),
    (r"5\text{ cubic meters}", r"5\ \text{m}^3", EQUAL),
    (r"10 \mathrm{~m} / \mathrm{s}^{2}", "10 m/s^2", EQUAL),
    (r"\frac{1}{2}\text{ hour}", "0.5 hours", EQUAL),
    (r"1\frac{1}{2} hours", "1.5", EQUAL),
    ("1 1/2 hours", "1.5 hours", EQUAL),
    (r"\left\{1,2\right\}", r"\{2, 1\}", EQUAL),
    (r"x\in(-\infty,0)\cup(0,\infty)", r"x \neq 0", EQUAL),
    (r"(-\infty, 0) \cup (0, +\infty)", r"(0,\infty) \cup (-\infty,0)", EQUAL),
    (r"\{x: x \ge 2\}", r"[2,\infty)", EQUAL),
    (r"\{x \in \mathbb{R} \mid x \neq 2\}", r"(-\infty,2)\cup(2,\infty)", EQUAL),
    (r"(2, \infty)", "x>2", EQUAL),
    (r"y \ge 0", r"[0,\infty)", EQUAL),
    ("∞", r"\infty", EQUAL),
    ("50％", "50%", EQUAL),
    (r"\left(5\right)", "5", EQUAL),
    (r"10\,000\text{ km}", "10000", EQUAL),
    (r"3.5\%", "3.5 percent", EQUAL),
    (r"45^\circ", "45°", EQUAL),
    (r"45 ^ { \circ }", "45", EQUAL),
    (r"20^\circ\text{F}", "20 degrees Fahrenheit", EQUAL),
    (r"5 km\cdot h^{-1}", "5 km/h", EQUAL),
    (r"25 \text{ miles per hour}", "25 mph", EQUAL),
    (r"3 \text{ g/cm}^3", "3 g/cm^3", EQUAL),
    (r"5 \text{ sq. units}", "5", EQUAL),
    (r"12 \text{ cm}, 5 \text{ cm}", "12, 5", EQUAL),
    (r"(12 \text{ cm}, 5 \text{ cm})", "(12,5)", EQUAL),
    ("2 hrs.", "2 hours", EQUAL),
    ("30 minutes", "30 mins", EQUAL),
    (r"9.8 \text{ N/kg}", "9.8", EQUAL),
    (r"\infty", r"+\infty", EQUAL),
    ("infinity", r"\infty", EQUAL),
    ("-inf", r"-\infty", EQUAL),
    (r"(-\infty, \infty)", r"(-\infty, +\infty)", EQUAL),
    (r"[0, \infty)", r"x \geq 0", EQUAL),
    (r"x \geqslant 0", r"[0,+\infty)", EQUAL),
    (r"x<-1 \cup x>3", r"(-\infty,-1) \cup (3,\infty)", EQUAL),
    (r"(-\infty,1)\cup(1,2)\cup(2,\infty)", r"x \neq 1,2", EQUAL),
    (r"(3,\infty) \cup (-\infty,1)", "x<1 or x>3", EQUAL),
    (r"\left[\frac{1}{2}, \infty\right)", r"[0.5, \infty)", EQUAL),
    (r"\text{Perimeter} = 20\text{ cm}", "20", EQUAL),
    (r"\angle A = 30°", "30", EQUAL),
    ("5 cm", "6 cm", DIFFERENT),
    ("5 cm", "6", DIFFERENT),
    ("5 km/h", "6 km/h", DIFFERENT),
    ("5 cm^2", "5 cm", DIFFERENT),
    ("1 week", "7 hours", DIFFERENT),
    (r"\infty", r"-\infty", DIFFERENT),
    ("12 twelfths", "12", UNPARSED),
    ("5 percent", "5", UNPARSED),
    ("5 minutes to 3", "5", UNPARSED),
    ("10% off", "10%", UNPARSED),
    (r"\sqrt{5} cm", "5", DIFFERENT),
    ("90 minutes", "1.5 hours", UNPARSED),
]
MONEY = [
    ("€5", "5", EQUAL),
    ("5 euros", "€5", EQUAL),
    ("£12.50", "12.50", EQUAL),
    ("¥500", "500", EQUAL),
    ("₹100", "100", EQUAL),
    ("500 yen", "500", EQUAL),
    ("$12.50", "12.5", EQUAL),
    (r"\$1,200", "1200", EQUAL),
    ("$1,200", "1200 dollars", EQUAL),
    ("5 bucks", "5", EQUAL),
    ("$5k", "5000", EQUAL),
    ("$5", "5 yuan", UNPARSED),
    ("50 cents", "$0.50", UNPARSED),
    ("50 cents", "0.5", UNPARSED),
    ("50 cents", "50", UNPARSED),
    (r"\$5 per hour", "5", EQUAL),
    ("$5/hour", "$5 per hour", EQUAL),
    ("5 dollars an hour", "5", EQUAL),
    ("5.00", r"\$5", EQUAL),
    ("5 dollars and 50 cents", r"\$5.50", EQUAL),
    ("5 dollars 50 cents", r"\$5.50", EQUAL),
]


@pytest.mark.parametrize(("one", "other", "verdict"), UNITS)
def test_a_unit_on_one_side_is_no_difference_and_two_units_are(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), MONEY)
def test_an_amount_of_money_is_the_number_with_its_currency(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


SUMS = [
    ("5 ft 3 in", "63 inches", EQUAL),
    ("5 ft 3 in", "5 feet 3 inches", EQUAL),
    ("2 hours and 30 minutes", "150 min", EQUAL),
    ("2 hours 30 minutes", "2 hours 40 minutes", DIFFERENT),
    ("5 ft 3 in", "64 inches", DIFFERENT),
    ("2 hours 30 minutes", "2.5 hours", UNPARSED),
    ("5 ft 3 in", "63", UNPARSED),
    ("5 ft 3 in", "5", UNPARSED),
]
CONVERTED = [
    ("1 km", "1000 m", EQUAL),
    ("1 km", r"1000 \text{ m}", EQUAL),
    ("1 year", "12 months", EQUAL),
    ("36 km/h", r"10 \text{ m/s}", EQUAL),
    ("50 cents", r"\$0.50", EQUAL),
    ("2 hours", "120 minutes", EQUAL),
    ("1 L", r"1000 \text{ cm}^3", EQUAL),
    ("1 km", "100 meters", DIFFERENT),
    ("1 km", "1000 grams", DIFFERENT),
    ("1 km^2", "1000 square meters", DIFFERENT),
    ("1 year", "365 days", UNPARSED),
    (r"180^\circ", "3.14 radians", UNPARSED),
    (r"0^\circ C", r"32^\circ F", UNPARSED),
    ("3 apples", "3 boxes", UNPARSED),
]
CLOSE = [
    ("3.14", "3.142", EQUAL),
    ("3.14", r"\pi", EQUAL),
    (r"\sqrt{2}", "1.414", EQUAL),
    ("(1.414, 2)", r"(\sqrt{2}, 2)", EQUAL),
    ("0.333 cm", "1/3", EQUAL),
    ("1000", "1000.9", EQUAL),
    ("3.14", "3.15", DIFFERENT),
    ("1.41x", "1.42x", DIFFERENT),
    ("0", "0.0001", DIFFERENT),
    ("-3.14", "3.14", DIFFERENT),
]


@pytest.mark.parametrize(("one", "other", "verdict"), SUMS)
def test_a_sum_of_two_units_is_one_amount(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), CONVERTED)
def test_units_are_converted_exactly_where_the_rule_asks_for_it(one, other, verdict):
    rule = AnswerRule(units="converted")
    assert compare_exactly(one, other, rule).verdict is verdict
    assert compare_exactly(other, one, rule).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), [pair for pair in CONVERTED if pair[2] is EQUAL])
def test_without_that_rule_two_units_of_one_amount_are_left_open(one, other, verdict):
    assert compare_exactly(one, other).verdict is UNPARSED


@pytest.mark.parametrize(("one", "other", "verdict"), CLOSE)
def test_two_numbers_within_the_tolerance_of_a_source_are_equal(one, other, verdict):
    rule = AnswerRule(tolerance=0.001)
    assert compare_exactly(one, other, rule).verdict is verdict
    assert compare_exactly(other, one, rule).verdict is verdict
