"""What the simulated policy writes behind the opening tag of thoughts: its lines, the closing tag, the box."""

import asyncio
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.texts.thoughts import parse
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.simulated.draw import draw, score
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.position import Position, Task
from generators.engine.simulated.statement import Statement
from generators.engine.simulated.vocabulary import SimulatedTokenizer

TOKENIZER = SimulatedTokenizer()
STATEMENT = Statement(start=41, addends=(7, 35))
RATES = {"error_rate": 0.3, "recovery_rate": 0.2, "mend_rate": 0.4, "break_rate": 0.1, "filler_rate": 0.5}
TASKS = [Task(statement=STATEMENT, **RATES), Task(statement=STATEMENT, late=True, **RATES)]
LINES = "Adding 7 gives 48\nAdding 35 gives 83\n"
N = 1500


def position(text, task):
    return Position(task).read(TOKENIZER.encode(text))


def test_a_whole_answer_is_in_thoughts_and_solution():
    policy = SimulatedPolicy()
    asked = policy.tokenizer.chat([{"role": "user", "content": policy.problem(0).prompt}])
    asked += policy.tokenizer.encode("<think>\n")
    request = Request(prefix=asked, sampling=Sampling(), limits=Limits(max_tokens=2000), seed=3)
    (one,) = asyncio.run(policy.generate(request)).completions
    parsed = parse(f"<think>\n{one.text}")
    assert parsed.thoughts.startswith("Adding ") and "\\boxed" not in parsed.thoughts
    assert parsed.solution.startswith("\\boxed{") and parsed.solution.count("\n") == 0


# the text so far, and what the law writes next
NEXT = [
    ("<think>\n", "Adding"),
    ("<think>\n" + LINES, "<"),
    ("<think>\n" + LINES + "</thi", "n"),
    ("<think>\n" + LINES + "</think>", "\n"),
    ("<think>\n" + LINES + "</think>\n\n", "\\boxed{"),
    ("<think>\n</think>\n\n", "Adding"),
    ("think\n" + LINES, "\\boxed{"),
    (LINES + "<think>\n", "\\boxed{"),
    (LINES, "\\boxed{"),
]


@pytest.mark.parametrize(("text", "next_token"), NEXT)
def test_only_a_text_that_opens_thoughts_closes_them(text, next_token):
    assert [TOKENIZER.decode([token]) for token in position(text, TASKS[0]).next_tokens()] == [next_token]


@pytest.mark.parametrize("task", TASKS, ids=["steps", "late"])
@pytest.mark.parametrize("text", ["<think>\n", "<think>\n" + LINES, "<think>\n" + LINES + "</th"])
def test_tags_change_no_value_and_continuations_end_right_as_often_as_it_says(text, task):
    here, rng = position(text, task), Random(5)
    assert here.value == pytest.approx(position(LINES if LINES in text else "", task).value)
    right = sum(here.copy().read(draw(here, rng, 1000)).boxed == STATEMENT.answer for _ in range(N))
    assert abs(right - N * here.value) <= 4.5 * math.sqrt(N * here.value * (1 - here.value)) + 1e-9


@settings(deadline=None)
@given(late=st.booleans(), seed=st.integers(0, 2**32), max_tokens=st.integers(1, 60), excluded=st.booleans())
def test_every_token_that_is_drawn_has_a_share_and_a_shorter_limit_cuts_the_same_text(late, seed, max_tokens, excluded):
    here = position("<think>\n", TASKS[late])
    none = (TOKENIZER.encode("z")[0],) if excluded else ()
    drawn = draw(here, Random(seed), 1000, excluded=none)
    assert all(math.isfinite(one) for one in score(here, drawn))
    assert draw(here, Random(seed), max_tokens, excluded=none) == drawn[:max_tokens]
