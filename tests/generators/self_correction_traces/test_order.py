"""The corrections of a problem do not change when the rows of its labelled solutions are permuted."""

import asyncio
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.engine.protocol import Sampling
from generators.problems import prompt as solve
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.recipe import correct
from generators.self_correction_traces.settings import Settings
from generators.self_correction_traces.table import flawed_by_problem
from tests.fakes import EOS, CharTokenizer, ScriptedEngine

SAMPLING = Sampling(temperature=1.0, seed=1)
PROBLEM = Problem(problem_id="p", source="s", prompt="1 + 2 + 3?", answer="6")
CONFIG = SelfCorrectionConfig(
    settings=Settings(samples=3, first_budget=100, triggers=("Wait!",), max_triggers=1, extra_steps=0, lot=1, cap=2),
    sampling=SAMPLING,
    attempt_tokens=300,
    seed=0,
)
HEAD, RIGHT = "1 + 2 = 3\n", "3 + 3 = 6\n\\boxed{6}"
# Wrong solutions, wrong in their second step; the first three differ only after it, so that one correction mends them.
WRONG = [f"{HEAD}3 + 3 = 7\n{end}\\boxed{{7}}" for end in ("", "So ", "Thus ")] + [f"{HEAD}3 + 3 = 8\n\\boxed{{8}}"]


def script(prefix, seed):
    """Wrong at first; right after a trigger and after the first step."""
    if prefix.endswith("Wait!\n"):
        return HEAD + RIGHT
    return RIGHT if prefix.endswith(HEAD) else WRONG[0]


def row(index, text):
    tokenizer = CharTokenizer()
    ids = (*tokenizer.encode(text), EOS)
    return {
        "problem_id": "p",
        "attempt_index": index,
        "strategy": "sequential_test",
        "prompt_token_ids": tokenizer.chat(solve.messages(PROBLEM.prompt)),
        "token_ids": ids,
        "steps": text.splitlines(keepends=True),
        "step_ends": step_ends(ids, tokenizer),
        "verdict": "different",
        "extracted": "7",
        "found_by": "box",
        "first_error": 1,
    }


def corrected(rows):
    flawed = flawed_by_problem(pl.DataFrame(rows))["p"]

    async def work():
        with TemporaryDirectory() as folder, Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="p", engine=ScriptedEngine(script), tokenizer=CharTokenizer(), ledger=ledger)
            return await correct(PROBLEM, flawed, sampler=sampler, checker=checker, rule=AnswerRule(), config=CONFIG)

    return asyncio.run(work())


@settings(max_examples=8)
@given(st.permutations([row(index, text) for index, text in enumerate(WRONG)]))
def test_corrections_and_reasons_follow_from_the_set_of_wrong_solutions(permuted):
    assert corrected(permuted) == corrected([row(index, text) for index, text in enumerate(WRONG)])


def test_of_solutions_that_one_correction_mends_the_lowest_index_is_kept():
    found = corrected([row(index, text) for index, text in enumerate(WRONG)][::-1])
    kept = [one.attempt_index for one in found.corrections if one.origin == "composed"]
    repeated = [one.attempt_index for one in found.not_corrected if one.origin == "composed"]
    assert sorted(kept + repeated) == [0, 1, 2, 3]
    assert kept[0] == 0
