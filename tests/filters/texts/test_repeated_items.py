"""Copies of evaluation items, and rows that share something else with one, as `decontaminate` tells them apart."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.texts.contamination import decontaminate
from tests.filters.texts.test_repeated_problems import ALPACA, DAPO, GARDEN, QWEN, SET, STORY, TEMPLATES

IDENTITY = r"Use the identity $a^3+b^3+c^3-3abc=(a+b+c)(a^2+b^2+c^2-ab-bc-ca)$ "
TRUTH_TABLE = (
    "Construct a truth table for the following compound statement, with one row for each combination of truth values "
    "of its variables, and say whether it is a tautology, a contradiction or neither: {}"
)


def is_found(item, row, others=()):
    items = pl.DataFrame({"evaluation_set": "e", "item": ["1"], "text": [item]})
    rows = pl.DataFrame({"id": ["row", *map(str, range(len(others)))], "prompt": [row, *others]})
    return "row" in decontaminate(rows, items, key="id", column="prompt").matches["key"].to_list()


@pytest.mark.parametrize(
    ("item", "row"),
    [
        (IDENTITY + "to find all primes $p$ with $a+b+c=p$ for natural $a, b, c$ whose cubes sum to $3abc + 7p$.",
         IDENTITY + "to show that $x^3+y^3+z^3$ is never equal to $3xyz$ for pairwise different positive numbers."),
        (r"Given that $\sin^2 x + \cos^2 x = 1$ and $\sin 2x = 2 \sin x \cos x$, find the period of $\sin^4 x$.",
         r"Given that $\sin^2 x + \cos^2 x = 1$ and $\sin 2x = 2 \sin x \cos x$, prove that $\tan x$ has no bound."),
        (TRUTH_TABLE.format("(p ∧ q) → ¬r"), TRUTH_TABLE.format("(p ∨ q) → r")),
        (TRUTH_TABLE.format(r"$p \to (q \wedge r)$"), TRUTH_TABLE.format(r"$(p \vee q) \leftrightarrow \neg r$")),
        (TRUTH_TABLE.format("¬p ∨ q"), TRUTH_TABLE.format("p ∧ ¬q")),
        ("Decide whether the following series converges absolutely, converges conditionally or diverges, and name the "
         r"test that you use: $\sum_{n=1}^\infty (-1)^n / \sqrt{n}$",
         "Decide whether the following series converges absolutely, converges conditionally or diverges, and name the "
         r"test that you use: $\sum_{k=2}^\infty \frac{1}{k \ln k}$"),
        ("Write the sum in lowest terms and give it as a mixed number if it is greater than one: 3/4 + 5/6",
         "Write the sum in lowest terms and give it as a mixed number if it is greater than one: 2/9 - 1/7 + 8"),
        (STORY, STORY.split("How many")[0] + "What share of the apples that Ann had at first did nobody eat that day?"),
        (GARDEN, GARDEN.replace("area", "perimeter")),
        (SET, SET.replace("divisible", "not divisible")),
        (DAPO.format(STORY), DAPO.format(GARDEN)),
        (ALPACA.format(STORY), ALPACA.format(SET)),
        (QWEN.format("What is 14 + 9?"), QWEN.format("What is 14 + 8?")),
    ],
)  # fmt: skip
def test_a_row_that_shares_less_than_the_problem_is_kept(item, row):
    assert not is_found(item, row)


def renumbered(text):
    return text.translate(str.maketrans("12573", "83641"))


@pytest.mark.parametrize("text", [STORY, GARDEN, SET])
@pytest.mark.parametrize(
    "dress",
    [
        lambda text: text,
        str.upper,
        renumbered,
        lambda text: f"Here is a riddle for you. {text} Write down all 3 steps of it.",
        lambda text: text.replace("a", "а").replace("e", "е"),
        lambda text: text.replace("garden", "yard").replace("apples", "apple").replace("subsets", "sub sets"),
        lambda text: text.replace(" the ", " that "),
        lambda text: " ".join([text.split(". ", 1)[1], text.split(". ", 1)[0] + "."]),
        lambda text: text.replace("Ann", "Mia"),
        *[template.format for template in TEMPLATES],
    ],
)
def test_a_copy_of_an_item_is_found_however_it_is_dressed(text, dress):
    assert is_found(text, dress(text))


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_item_in_a_template_is_found_without_it(template):
    assert is_found(template.format(STORY), STORY)
    assert not is_found(template.format(STORY), template.format(GARDEN))


def test_a_template_that_many_rows_share_is_no_part_of_an_item():
    template = "The oracle of Delphi whispers to every visitor who climbs the hill at dawn: {} So spoke the oracle."
    others = [template.format(f"Count the {name} of the {place}.") for name in ("cats", "dogs", "hats", "pens")
              for place in ("house", "town", "farm", "lake")]  # fmt: skip
    assert is_found(template.format(STORY), STORY, others)
    assert not is_found(template.format(STORY), template.format(SET), others)
    assert not is_found(template.format("Name a leaf."), template.format("Name a tree."), others)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.none() | st.text())
def test_no_text_raises(item, row):
    is_found(item, row)
