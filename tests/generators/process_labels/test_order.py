"""The labels of a problem do not change when its attempts are permuted."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.choosing import choose_solutions
from generators.process_labels.recipe import ProcessLabelsConfig, choose, label
from generators.process_labels.settings import Settings
from generators.process_labels.table import process_labels_table
from generators.records import Attempt
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.sequential_test import SequentialTest
from tests.fakes import EOS, CharTokenizer

N = 8
LAW = Sampling(temperature=1.0, seed=3)
CONFIG = ProcessLabelsConfig(sampling=LAW, max_tokens=600, settings=Settings(solutions_per_problem=4))
ORIGIN = {"policy": "simulated", "round": "r1", "slice": "sums-0"}
STRATEGIES = [Exhaustive(rollouts_per_step=2), OmegaPRM(k=2, budget=20), SequentialTest(cap=12)]
orders = st.permutations(range(N))


@pytest.fixture(scope="module")
def policy():
    return SimulatedPolicy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ledger")


def in_hand(folder, policy, recipe):
    """What a recipe gives that is handed a problem, its attempts, and what it draws with."""

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            problem = policy.problem(1)
            drawn = AttemptsConfig(n=N, sampling=LAW, max_tokens=CONFIG.max_tokens)
            return await recipe(problem, await attempt(problem, config=drawn, **tools), tools)

    return asyncio.run(work())


def labels(folder, policy, strategy, order):
    """The rows of a problem whose attempts came in this order."""

    async def recipe(problem, attempts, tools):
        permuted = [attempts[number] for number in order]
        chosen = choose(permuted, tokenizer=policy.tokenizer, config=CONFIG).attempts
        made = await label(problem, permuted, chosen, config=CONFIG, strategy=strategy, **tools)
        return process_labels_table(made.solutions, ORIGIN)

    return in_hand(folder, policy, recipe)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
@settings(max_examples=6)
@given(order=orders)
def test_every_strategy_gives_the_same_rows(folder, policy, strategy, order):
    first = labels(folder, policy, strategy, range(N))
    assert first.height > 1
    assert labels(folder, policy, strategy, order).equals(first)


@pytest.mark.parametrize("strategy", [STRATEGIES[0], STRATEGIES[2]], ids=lambda strategy: strategy.name)
@settings(max_examples=6)
@given(order=st.permutations(range(4)))
def test_solutions_that_share_no_budget_are_labelled_alike_in_any_order(folder, policy, strategy, order):
    async def recipe(problem, attempts, tools):
        chosen = choose(attempts, tokenizer=policy.tokenizer, config=CONFIG).attempts
        assert len(chosen) == 4
        tables = []
        for solutions in (chosen, [chosen[number] for number in order]):
            made = await label(problem, attempts, solutions, config=CONFIG, strategy=strategy, **tools)
            tables.append(process_labels_table(made.solutions, ORIGIN).sort("attempt_index"))
        return tables

    first, permuted = in_hand(folder, policy, recipe)
    assert permuted.equals(first)


RIGHT = Attempt(
    problem_id="p",
    attempt_index=0,
    prompt_token_ids=(1,),
    token_ids=(),
    text="",
    finish_reason="eos",
    verdict=Verdict.EQUAL,
    extracted="4",
)
# text, answer: some are told twice, some answers are given twice
TOLD = [("a\nb", "4"), ("a\nb", "4"), ("c\nd", "5"), ("e\nf", "5"), ("g\nh", "6"), ("g\nh", "6"), ("one line", "4")]


def told(index, text, answer):
    verdict = Verdict.EQUAL if answer == "4" else Verdict.DIFFERENT
    ids = (*CharTokenizer().encode(text), EOS)
    return replace(RIGHT, attempt_index=index, token_ids=ids, text=text, verdict=verdict, extracted=answer)


@given(st.lists(st.sampled_from(TOLD), max_size=8), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_choice_of_solutions_and_every_reason_follow_from_the_set_of_attempts(said, most, chance):
    attempts = [told(index, *one) for index, one in enumerate(said)]
    config = replace(CONFIG, settings=Settings(solutions_per_problem=most))
    chosen = [
        choose(order, tokenizer=CharTokenizer(), config=config)
        for order in (attempts, chance.sample(attempts, len(attempts)))
    ]
    assert chosen[0] == chosen[1]


@given(
    st.lists(st.sampled_from(TOLD), min_size=1, max_size=8),
    st.sets(st.integers(0, 7)),
    st.randoms(use_true_random=False),
)
def test_the_items_of_a_slice_follow_from_the_set_of_attempts(said, unfit, chance):
    attempts = [told(index, *one) for index, one in enumerate(said)]
    first, permuted = (
        choose_solutions(
            [SimpleNamespace(problem_id="p")],
            SimpleNamespace(of=lambda problem_id, held=held: held),
            {"p": unfit},
            tokenizer=CharTokenizer(),
            rule=AnswerRule(),
            config=CONFIG,
        )
        for held in (attempts, chance.sample(attempts, len(attempts)))
    )
    assert permuted == first
    assert not set(first.items[0].chosen) & unfit
