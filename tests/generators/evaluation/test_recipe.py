import asyncio

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.recipe import AttemptsConfig
from generators.engine.protocol import Sampling
from generators.evaluation.recipe import ProblemResult, evaluated
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import CharTokenizer, ScriptedEngine

PROBLEM = Problem(problem_id="q", source="sums", prompt="1 + 1?", answer="2")


@pytest.fixture
def solve(tmp_path):
    """The result of sixteen solutions, of which `answers` says in turn what they end with; and the engine."""

    def run(answers):
        said = iter(answers)
        engine = ScriptedEngine(lambda prefix, seed: f"\\boxed{{{next(said)}}}")

        async def work():
            config = AttemptsConfig(n=16, sampling=Sampling(temperature=1.0, seed=1), max_tokens=20)
            with Ledger(UPath(tmp_path / "ledger")) as ledger, AnswerChecker() as checker:
                sampler = Sampler(policy="p", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
                return await evaluated(PROBLEM, sampler=sampler, checker=checker, rule=AnswerRule(), config=config)

        return asyncio.run(work()), engine

    return run


def test_right_solutions_votes_and_tokens_are_counted_and_drawn_once(solve):
    result, _ = solve("2222233322233333")
    length = len("\\boxed{2}") + 1
    expected = ProblemResult(problem_id="q", n=16, n_right=8, n_votes=2, n_votes_right=1, tokens=16 * length)
    assert result == expected
    again, engine = solve("")
    assert again == expected
    assert engine.requests == []
