"""The critical-token pair of a problem does not change when its attempts are permuted."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.critical_token_pairs.choice import choose_solutions
from generators.critical_token_pairs.pairs import tree_of
from generators.critical_token_pairs.settings import Settings
from generators.critical_token_pairs.tokens.nominees import CriticalTokensConfig, critical_tokens
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.search.priors import Priors
from tests.wrong_solutions import LAW, MAX_TOKENS

N = 16
CONFIG = CriticalTokensConfig(sampling=LAW, max_tokens=MAX_TOKENS, priors=Priors(), settings=Settings())
RULE = AnswerRule()


@pytest.fixture(scope="module")
def policy():
    return SimulatedPolicy(law=SimulatedLaw(base_rates=(0.6,), recovery_rate=0.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ledger")


def outcome(folder, policy, order):
    """The solutions that are chosen of a problem whose attempts came in this order, and the tests of the wrong one."""

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": RULE}
            problem = policy.problem(0)
            drawn = await attempt(problem, config=AttemptsConfig(n=N, sampling=LAW, max_tokens=MAX_TOKENS), **tools)
            attempts = [drawn[number] for number in order]
            choice = choose_solutions(attempts, rule=RULE, given=problem.prompt)
            tree = tree_of(SimpleNamespace(pair=choice.pair, problem=problem), None, attempts, RULE)
            return choice, await critical_tokens(
                problem, choice.pair.rejected, step_range=None, scores=None, tree=tree, config=CONFIG, **tools
            )

    return asyncio.run(work())


@settings(max_examples=6)
@given(order=st.permutations(range(N)))
def test_pair_training_solutions_and_tested_tokens_follow_from_the_set_of_attempts(folder, policy, order):
    first = outcome(folder, policy, range(N))
    assert first[1].tokens
    assert outcome(folder, policy, order) == first
