"""Phrases around an equation that say how it is meant: another arithmetic, a supposition, a mistake, a rounding."""

import re


def _phrases(words: str, *others: str) -> re.Pattern[str]:
    """A pattern that finds any of the words, one pattern a line, or one of the other patterns."""
    lines = [line.strip() for line in words.strip().splitlines()]
    return re.compile("|".join((rf"\b(?:{'|'.join(lines)})\b", *others)), re.IGNORECASE)


# Anywhere in the text or in its problem: numbers may not mean what they usually do.
OTHER_ARITHMETIC = _phrases(
    r"""
    mod|modul[oe]|modular|congruent|xor|complement|float(?:ing)?[- ]point
    binary|octal|hexa(?:decimal)?|(?:in|of|to|from) base
    base[- ]?(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|sixteen|[a-z])
    o['’]?clock|clock|digit sum|vectors?|matri(?:x|ces)
    defined? (?:by|as|to be|a new|the)|operation|cryptarithm\w*|alphametics?
    """,
    r"\\pmod|\\bmod|≡|\\equiv|[⊕⊗⊙★☆◆◇◎⋆]|\\(?:oplus|otimes|star|diamond|odot|circ|bullet)(?![a-zA-Z])",
    r"\d\s?(?::\d\d|[ap]\.?m\b)|(?<=\d)_\{?\d",
)
SUPPOSED = _phrases(
    r"""
    suppos\w*|assum\w*|imagin\w*|pretend\w*|hypothe\w*|were (?:to|equal)|for the sake of
    let(?!['’]?s\b| us\b| me\b)|if|whether|unless|even though
    claim\w*|guess\w*|thought|maybe|perhaps|check\w*|verify\w*|test\w*|try\w*|does|could
    """,
    "假设|如果|若|假如|检验|验证",
)
PREMISE = _phrases(r"suppos\w*|assum\w*|imagin\w*|pretend\w*|hypothe\w*", "假设|假如")
MISTAKEN = _phrases(
    r"""
    wrong\w*|mistak\w*|incorrect\w*|error\w*|false\w*|invalid|untrue|misread\w*|erroneous\w*|absurd|impossible
    nonsense|inconsistent|instead of|rather than|someone|student|not|never|no|cannot|contradict\w*|contrary
    correction|typo
    """,
    r"n['’]t\b|✗|❌|✘|×\s*$|≠|\\neq?\b|不对|错|不等于|不是|矛盾",
)
RETRACTED = _phrases(
    r"""
    wrong|mistak\w*|incorrect\w*|errors?|false|untrue|contradict\w*|impossible|absurd|oops|wait|scratch that|typo
    (?:is|was|are|that['’]s) (?:not|off)|isn['’]t|wasn['’]t
    do(?:esn['’]t|es not) (?:work|match|fit|hold|equal|add|make)
    not (?:right|correct|true|equal|possible|valid)|should (?:be|actually)
    let me (?:re\w*|correct|fix|check|try)|(?:re)?check|redo|correct(?:ed|ion)
    too (?:high|low|big|small|large|much|many)
    """,
    r"^\W*(?:no|nope|wait|but wait|oops|hmm+|hm|actually|sorry|not quite|scratch|my bad|ah|uh|oh)\b",
    "✗|❌|✘|≠|不对|错|不等于|矛盾|等等",
)
ROUNDED = _phrases(
    r"""
    approx\w*|about|around|roughly|nearly|almost|round\w*|nearest|estimat\w*|ballpark|close to|at (?:least|most)
    floor\w*|ceil\w*|truncat\w*|integer (?:part|division)|whole (?:number|part)|significant|decimal places?
    """,
    r"≈|\\approx|\\sim|~|约|四舍五入",
)
REMAINDER = _phrases(r"remain\w*|left ?over|leftovers?|rem|r ?\d+", "余")
# The sign of a shortfall is often left out: "20 - 30 = 10 degrees colder".
SHORTFALL = _phrases(
    r"""
    less|fewer|short\w*|below|under|behind|decreas\w*|los[st]\w*|losing|debt|owe\w*|incomplete|lower|dropp?\w*
    colder|deficit|missing|negative|difference|apart|away|ago|before|earlier|slower|smaller|younger
    """
)
CONSEQUENCE = re.compile(r"[,;:，；：⇒→]|\b(?:so|then|thus|therefore|hence|we get|we have|this means)\b", re.IGNORECASE)
