"""The corrections of one problem: what is drawn for them, what is not, and the reasons of what gave none."""

import asyncio

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import NotCorrected
from generators.self_correction_traces.recipe import correct
from generators.self_correction_traces.records import FlawedSolution
from generators.self_correction_traces.settings import Settings
from tests.fakes import CharTokenizer, ScriptedEngine

SAMPLING = Sampling(temperature=1.0, seed=1)
PROBLEM = Problem(problem_id="p", source="s", prompt="1 + 2 + 3?", answer="6")
WRONG, RIGHT = "1 + 2 = 3\n3 + 3 = 7\n\\boxed{7}", "1 + 2 = 3\n3 + 3 = 6\n\\boxed{6}"
SETTINGS = Settings(samples=3, first_budget=100, triggers=("Wait!",), max_triggers=1, extra_steps=0, lot=1, cap=2)
CONFIG = SelfCorrectionConfig(settings=SETTINGS, sampling=SAMPLING, attempt_tokens=300, seed=0)


def script(prefix, seed):
    """Wrong at first, right after a trigger and after the first step."""
    if prefix.endswith("Wait!\n"):
        return RIGHT
    return RIGHT.removeprefix("1 + 2 = 3\n") if prefix.endswith("1 + 2 = 3\n") else WRONG


@pytest.fixture
def made(tmp_path):
    """The corrected problem, whose first attempt is known to err in its second step, and what was drawn for it."""
    engine = ScriptedEngine(script)

    async def work():
        with Ledger(UPath(tmp_path)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="p", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            tried = await attempt(PROBLEM, config=AttemptsConfig(n=3, sampling=SAMPLING, max_tokens=300), **tools)
            ends = step_ends(tried[0].token_ids, sampler.tokenizer)
            engine.requests.clear()
            flawed = FlawedSolution(attempt=tried[0], step_ends=ends, first_error=1)
            return await correct(PROBLEM, [flawed], config=CONFIG, **tools)

    return asyncio.run(work()), engine.requests


def test_responses_that_begin_as_attempts_draw_only_what_follows_triggers(made):
    found, requests = made
    prefixes = [CharTokenizer().decode(request.prefix) for request in requests]
    assert [one.sample_index for one in found.responses] == [0, 1, 2]
    assert sum(prefix.endswith("Wait!\n") for prefix in prefixes) == 3
    assert [prefix.splitlines()[-1] for prefix in prefixes if not prefix.endswith("Wait!\n")] == ["1 + 2 = 3"]


def test_a_known_first_error_leaves_the_good_beginning_to_be_learnt(made):
    found, _ = made
    by_row = {(one.origin, one.attempt_index): one for one in found.corrections}
    texts = {key: [one.text[span.start : span.end] for span in one.masked] for key, one in by_row.items()}
    assert texts[("sampled", 0)] == ["3 + 3 = 7\n\\boxed{7}"]
    assert texts[("composed", 0)] == ["3 + 3 = 7\n"]


def test_a_text_is_a_row_once_and_repetitions_have_a_reason(made):
    found, _ = made
    assert [(one.origin, one.attempt_index) for one in found.corrections] == [("sampled", 0), ("composed", 0)]
    assert found.not_corrected == (
        NotCorrected("p", "sampled", 1, "repeated"),
        NotCorrected("p", "sampled", 2, "repeated"),
    )
