"""Small words that make another problem: opposites, negations, qualifiers, and what is asked for.

Each line of `_SCALES` holds words that exclude each other, cut by `/`; words on one side mean the same. A line that
begins with `+` holds qualifiers: adding or leaving out such a word makes another problem as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

_SCALES = """
+ not no never none nor neither non without except excluding unless nobody nothing
+ minimum min minimal minimize minimise minimizes least smallest lowest fewest shortest cheapest youngest lightest
  slowest nearest closest narrowest worst / maximum max maximal maximize maximise maximizes greatest largest biggest
  highest most longest tallest oldest heaviest fastest farthest furthest widest best
+ even / odd / prime / composite
+ positive / negative / nonnegative / nonpositive / nonzero
+ distinct
distinct different unique / same identical
+ consecutive
+ exactly / approximately approx
+ sin sine / cos cosine / tan tangent / cot cotangent / sec secant / csc cosecant / arcsin / arccos / arctan / sinh /
  cosh / tanh
+ log ln lg logarithm / exp exponential / sqrt
+ cup union / cap intersection
+ land / lor / lnot / iff / notin
subset / supset superset
+ int integral / prod / lim limit / derivative
+ forall / exists
+ floor / ceil ceiling
+ gcd gcf hcf / lcm
+ half halves / quarter quarters / third thirds / fifth fifths
+ once / twice double doubled doubles / thrice triple tripled triples / quadruple quadrupled
integer whole natural / rational / irrational / real / complex / imaginary
area / perimeter circumference / volume / surface / length long / width breadth wide / height altitude depth /
  diagonal / radius / diameter / hypotenuse / angle / slope gradient / intercept / vertex / arc / chord
base / height
sum total altogether plus / difference minus / product / quotient / ratio / remainder
add adds added adding / subtract subtracts subtracted subtracting / multiply multiplies multiplied multiplying / divide
  divides divided dividing
mean average / median / mode / range / variance / deviation
first / second / third / fourth / fifth / sixth / seventh / eighth / ninth / tenth / last final
next following / previous preceding
increase increases increased increasing grow grows grew rise rises rose gain gains gained / decrease decreases decreased
  decreasing fall falls fell drop drops dropped reduce reduces reduced shrink shrinks lose loses lost
+ more / less fewer
more greater larger bigger higher longer taller older heavier faster wider above over exceed exceeds / less fewer
  smaller lower shorter younger lighter slower narrower below under
expensive costlier / cheap cheaper
before earlier ago / after later
begin begins beginning start starts starting initial initially / end ends ending finish finishes finally
inside inscribed interior internal within / outside circumscribed exterior external around surrounding surrounds
opposite / adjacent
parallel / perpendicular orthogonal perp
horizontal horizontally / vertical vertically
left leftmost / right rightmost
up upward upwards upstream uphill / down downward downwards downstream downhill
top upper / bottom
north northward / south southward / east eastward / west westward / northeast / northwest / southeast / southwest
buy buys bought buying purchase purchases purchased / sell sells sold selling
give gives gave given giving donate donates donated / receive receives received receiving take takes took taking
  get gets got
win wins won / lose loses lost / draw draws drew
deposit deposits deposited / withdraw withdraws withdrew
enter enters entered entering / leave leaves leaving exit exits exited
remove removes removed removing / add adds added adding
borrow borrows borrowed / lend lends lent
spend spends spent / earn earns earned / save saves saved
profit / loss
arrive arrives arrived / depart departs departed
open opens opened / close closes closed
fill fills filled / empty empties emptied drain drains drained
all every each / some / any
both / either
with / without
and / or
find finds found / lose loses lost
discount discounted / markup surcharge tax taxed
towards toward / away
ones units unit / tens ten / hundreds hundred / thousands thousand / tenths tenth / hundredths hundredth
heads head / tails tail
inner / outer
front / back
binary / octal / decimal / hexadecimal
hot hotter hottest warm warmer / cold colder coldest cool cooler
full / empty
weekday weekdays / weekend weekends
child children kid kids / adult adults
squared squares / cubed cubes
pays paid pay / receives received receive
passed passes pass / failed fails fail
present attend attended / absent missed
true / false
convex / concave
acute / obtuse / right
equilateral / isosceles / scalene
triangle triangular / square / rectangle rectangular / circle circular / pentagon / hexagon / heptagon / octagon /
  trapezoid trapezium / parallelogram / rhombus / kite / cube / sphere / hemisphere / cylinder / cone / pyramid /
  prism / ellipse / parabola / hyperbola / tetrahedron
row / column
numerator / denominator
domain / range / codomain
base / exponent
ascending / descending
clockwise / counterclockwise anticlockwise
simple / compound
arithmetic / geometric / harmonic
permutation arrangement / combination
dependent / independent
divisor factor / multiple
sufficient / necessary
linear / quadratic / cubic
odds / probability / percentage percent / fraction / expected
rows / columns
edge edges / face faces / vertices
millisecond / second sec / minute min / hour hr / day / week / month / year / decade / century
mm millimeter millimetre / cm centimeter centimetre / meter metre / km kilometer kilometre / inch /
  foot feet / yard / mile
gram / kg kilogram / ton / ounce / lb
cent / dollar / euro / penny pence pennies / nickel / dime
ml milliliter / liter litre / gallon / pint / quart / cup
degree / radian
celsius / fahrenheit / kelvin
daily / weekly / monthly / quarterly semiannually / yearly annually
monday / tuesday / wednesday / thursday / friday / saturday / sunday
january / february / march / april / may / june / july / august / september / october / november / december
yesterday / today / tomorrow
boys boy / girls girl
men man / women woman
speed rate velocity / distance / time / acceleration
cost price / revenue income / profit
"""
_PREFIXES = ("un", "in", "im", "ir", "il", "non", "dis", "anti", "semi")


def opposed(mine: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two texts that share all but these words differ in an opposite, a negation or a qualifier."""
    own, foreign = _poles(mine), _poles(others)
    for scale in own.keys() | foreign.keys():
        here, there = own.get(scale, Counter()), foreign.get(scale, Counter())
        if here.keys() != there.keys() and ((here and there) or scale in _QUALIFIERS):
            return True
    return False


def is_small_word(word: str) -> bool:
    """Whether a word has an opposite, or qualifies."""
    return word in _POLES or word.removesuffix("s") in _POLES


def negates(word: str, other: str) -> bool:
    """Whether one word is the other with a prefix that turns its sense: `finite` and `infinite`."""
    short, long = sorted((word, other), key=len)
    return len(short) > _SHORT and any(long == prefix + short for prefix in _PREFIXES)


_SHORT = 3


def _poles(words: Iterable[str]) -> dict[int, Counter[int]]:
    found: dict[int, Counter[int]] = defaultdict(Counter)
    for word in words:
        for scale, pole in _POLES.get(word) or _POLES.get(word.removesuffix("s"), []):
            found[scale][pole] += 1
    return found


def _read() -> tuple[dict[str, list[tuple[int, int]]], frozenset[int]]:
    lines: list[str] = []
    for line in _SCALES.strip().splitlines():
        if line.startswith("  "):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    poles: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for scale, line in enumerate(lines):
        for pole, words in enumerate(line.removeprefix("+").split("/")):
            for word in words.split():
                poles[word].append((scale, pole))
    return dict(poles), frozenset(scale for scale, line in enumerate(lines) if line.startswith("+"))


_POLES, _QUALIFIERS = _read()
