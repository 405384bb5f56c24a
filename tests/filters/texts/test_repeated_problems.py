"""The same problem re-dressed, and other problems that look alike, as `drop_near_duplicates` tells them apart."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.texts.duplicates import DuplicateSettings, drop_near_duplicates

DAPO = (
    "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
    "$Answer (without quotes) where $Answer is the answer to the problem.\n\n{}\n\nRemember to put your answer on its "
    'own line after "Answer:".'
)
QWEN = "{}\nPlease reason step by step, and put your final answer within \\boxed{{}}."
ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{}\n\n### Response: Let's think step by step."
)
STORY = (
    "Ann has 12 apples and gives 5 of them to her brother on Monday. Her brother eats 2 of his apples on the way to "
    "school. How many apples do Ann and her brother have together at the end of the day?"
)
GARDEN = (
    "A rectangular garden is 24 meters long and 17 meters wide. A path of 2 meters runs around the garden. "
    "Find the area of the path."
)
FUNCTION = "Let $f(x) = x^3 - 3x^2 + 4$ for all real $x$ in $[0, 3]$. Find the minimum value of $f$ on this interval."
SET = "Let S be the set of integers from 1 to 100 that are divisible by 3. How many subsets of S have an even sum?"


def is_repeat(text, other, **changes):
    rows = pl.DataFrame({"prompt": [text, other]})
    return drop_near_duplicates(rows, column="prompt", settings=DuplicateSettings(**changes)).dropped.height == 1


OTHER_PROBLEMS = [
    (FUNCTION, "minimum", "maximum"),
    (FUNCTION, "minimum", "smallest positive"),
    (GARDEN, "area", "perimeter"),
    (GARDEN, "around the garden", "inside the garden"),
    (GARDEN, "24 meters long and 17 meters wide", "17 meters long and 24 feet wide"),
    (SET, "that are divisible", "that are not divisible"),
    (SET, "even sum", "odd sum"),
    (SET, "divisible", "indivisible"),
    (SET, "have an even sum", "have at most an even sum"),
    (SET, "integers from", "positive integers from"),
    (STORY, "gives 5 of them to", "receives 5 of them from"),
    (STORY, "apples do Ann and her brother have together", "more apples does Ann have than her brother"),
    (STORY, "eats 2 of his apples", "eats 2 apples fewer"),
    (STORY, "12 apples and gives 5", "5 apples and gives 12"),
    ("How many positive divisors of 360 are greater than 20?", "greater", "less"),
    ("A price of 80 euros is increased by 15 percent. What is the new price?", "increased", "decreased"),
    ("A price of 80 euros increases by 15 percent. What is the new price?", "increases", "falls"),
    ("In a line of 30 children, who is the first one whose number is divisible by 7?", "first", "last"),
    ("What is the greatest common factor of 24 and 36?", "greatest common factor", "least common multiple"),
    ("Two cards are drawn with replacement from a deck of 52. What is the probability of 2 aces?", "with", "without"),
    ("A fair coin is tossed 10 times. Find the probability of at least 7 heads.", "at least", "at most"),
    ("A fair coin is tossed 10 times. Find the probability of at least 7 heads.", "at least", "exactly"),
    ("A bag holds 4 red marbles and 7 blue marbles, and one is lost. How many are red?", "are red", "are blue"),
    ("For which values of $x$ does $\\sin x = 1/2$ hold on the interval from 0 to 6?", "\\sin", "\\cos"),
    ("Let $A$ have 12 elements and $B$ have 9. How many does $A \\cup B$ have if 4 are in both?", "\\cup", "\\cap"),
    ("Find the radius of a circle whose chord of length 8 is 3 away from its center.", "radius", "diameter"),
    ("How many rows has a table with 45 cells and 5 columns?", "rows has a table with 45 cells and 5 columns",
     "columns has a table with 45 cells and 5 rows"),
    ("If $x + y = 10$ and $x - y = 4$, find $x$.", "find $x$", "find $y$"),
    ("Is the statement (p ∧ q) → r true for every choice of p, q and r?", "∧", "∨"),
    ("How many ways are there to seat 6 people in a row if Ann and Ben sit together?", "sit together",
     "never sit together"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new"), OTHER_PROBLEMS)
@pytest.mark.parametrize("template", ["{}", DAPO, QWEN])
def test_a_small_word_that_changes_the_problem_counts(text, old, new, template):
    assert old in text
    assert not is_repeat(template.format(text), template.format(text.replace(old, new)))


SAME_PROBLEM = [
    (STORY, STORY.upper()),
    (STORY, STORY.replace(".", " .").replace(",", "")),
    (STORY, STORY.replace("12", "twelve").replace("5", "five").replace("2 of his", "two of his")),
    (STORY, STORY.replace("Ann", "Mia").replace("brother", "cousin").replace("apples", "pears")),
    (STORY, STORY.replace("At the end", "By the end").replace("on the way", "on his way")),
    (STORY, " ".join([STORY.split(". ")[1] + ".", STORY.split(". ")[0] + ".", STORY.split(". ")[2]])),
    (STORY, "How many apples do Ann and her brother have together at the end of the day? " + STORY.split(" How")[0]),
    (STORY, STORY.replace("a", "а").replace("o", "ο")),
    (STORY, STORY.replace(" ", "\u00a0").replace("and", "a\u200bnd")),
    (STORY, STORY.translate({ord(letter): ord(letter) + 0xFEE0 for letter in "0123456789abcdefgh"})),
    (GARDEN, GARDEN.replace("Find the area", "What is the area").replace("path.", "path?")),
    (GARDEN, GARDEN.replace("Find the area", "Determine the area")),
    (GARDEN, GARDEN.replace("Find the area", "Please calculate the area")),
    (GARDEN, "Find the area of the path. " + GARDEN.split(" Find")[0]),
    (FUNCTION, "Let f(x) = x³ − 3x² + 4 for all real x in [0, 3]. What is the smallest value of f on this interval?"),
    (FUNCTION, FUNCTION.replace("$", "").replace("minimum", "least")),
    (r"Compute $\dfrac{3}{4} \times \sqrt{16} + 2 \cdot 5$.", "What is 3/4 * √16 + 2·5?"),
    (r"Solve $x^2 \leq 49$ for integers $x \neq 0$. How many solutions?",
     "Solve x² ≤ 49 for integers x ≠ 0. How many solutions?"),
    (r"An angle of $60^\circ$ is cut into 4 equal parts. How large is each?",
     "An angle of 60° is cut into four equal parts. How large is each?"),
    ("How many of the two hundred and fifty children wear a hat if 20% do?",
     "How many of the 250 children wear a hat if 20 percent do?"),
]  # fmt: skip
TEMPLATES = [
    DAPO,
    QWEN,
    ALPACA,
    "Question: {}\nAnswer:",
    '{} Let\'s think step by step and output the final answer after "####".',
    "You are a helpful assistant. Solve the problem and explain your reasoning.\n{}",
    "Problem: {}\n\nPresent the answer in LaTeX format: \\boxed{{Your answer}}",
    "请一步一步推理，并把最终答案放在 \\boxed{{}} 中。{}",
]


@pytest.mark.parametrize(("text", "other"), SAME_PROBLEM)
def test_the_same_problem_is_found_however_it_is_dressed(text, other):
    assert is_repeat(text, other)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("text", [STORY, GARDEN, FUNCTION, SET, "What is 14 + 9?"])
def test_a_problem_is_found_with_and_without_an_instruction(text, template):
    assert is_repeat(text, template.format(text))
    assert is_repeat(template.format(text), text)


@pytest.mark.parametrize("template", [*TEMPLATES, "On a fine day in the old town, the mayor read out to everyone: {}"])
def test_two_problems_in_one_template_are_kept(template):
    texts = ["Find the limit of the ratio as n grows.", "Prove that every tree has a leaf.", "Name a prime ideal of Z."]
    for text in texts[1:]:
        assert not is_repeat(template.format(texts[0]), template.format(text))


def numbered_problems(count, template):
    subjects = ["cats", "dogs", "cups", "hats", "pens", "cars", "bees", "keys", "maps", "nuts"]
    places = ["garden", "forest", "harbour", "village", "museum", "stadium", "kitchen"]
    return [
        template.format(
            f"The {places[n % 7]} keeper counts {subjects[n % 10]} near the {places[n // 7 % 7]} and "
            f"{subjects[n // 10]}."
        )
        for n in range(count)
    ]


def test_a_passage_that_many_rows_share_counts_for_nothing_whatever_it_says():
    template = "The ancient oracle of Delphi whispers to every visitor who climbs the hill at dawn: {} So spoke she."
    bare, dressed = (numbered_problems(60, form) for form in ("{}", template))
    kept = drop_near_duplicates(pl.DataFrame({"prompt": bare}), column="prompt").kept.height
    both = drop_near_duplicates(pl.DataFrame({"prompt": [*bare, *dressed]}), column="prompt")
    assert drop_near_duplicates(pl.DataFrame({"prompt": dressed}), column="prompt").kept.height == kept
    assert both.kept.height == kept


WORDS = st.sampled_from(["apple", "not", "most", "red", "has", "12", "5", "+", "(", "\\frac", "ten", ".", "{", "两"])


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=30).map(" ".join))
def test_a_text_repeats_itself(text):
    assert is_repeat(text, text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=10), st.randoms())
def test_the_number_of_distinct_texts_without_near_repeats_depends_on_no_order(texts, draw):
    exact = {"threshold": 1}
    shuffled = draw.sample(texts, len(texts))
    kept = [
        drop_near_duplicates(
            pl.DataFrame({"prompt": rows}, schema={"prompt": pl.String}),
            column="prompt",
            settings=DuplicateSettings(**exact),
        ).kept.height
        for rows in (texts, shuffled)
    ]
    assert kept[0] == kept[1]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | st.text(), max_size=4))
def test_no_text_raises(texts):
    rows = pl.DataFrame({"prompt": [*texts, "\0" * 9, ""]}, schema={"prompt": pl.String})
    made = drop_near_duplicates(rows, column="prompt")
    assert made.kept.height + made.dropped.height == rows.height
