"""The step pairs of a problem do not change when the rows of its labelled solutions are permuted."""

import asyncio

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.labels import with_labels
from generators.process_labels.recipe import ProcessLabelsConfig, label
from generators.process_labels.settings import Settings as LabelSettings
from generators.process_labels.table import process_labels_table
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.step_preference_pairs.located_errors import located_errors
from generators.step_preference_pairs.recipe import StepPairsConfig, pair_steps
from generators.step_preference_pairs.settings import Settings
from generators.step_preference_pairs.table import errors_of, step_pairs_table

LAW = Sampling(temperature=1.0, seed=3)
CONFIG = StepPairsConfig(sampling=LAW, max_tokens=600, settings=Settings())
LABELS = ProcessLabelsConfig(sampling=LAW, max_tokens=600, settings=LabelSettings())
ORIGIN = {"policy": "simulated", "round": "r1", "slice": "sums-0"}


class World:
    """A simulated problem with every wrong attempt labelled, and a ledger that all pairings share."""

    def __init__(self, folder):
        self._folder, self._policy = folder, SimulatedPolicy()
        self.problem, self.labels = self._run(self._labelled)

    def pairs(self, labels):
        """The pairs of these rows, and what was passed over."""
        located = located_errors(labels, first_error="first_error", settings=CONFIG.settings, steps=(1, 32)).kept

        async def recipe(tools):
            (errors,) = errors_of(located).values()
            return await pair_steps(self.problem, errors, config=CONFIG, **tools)

        made = self._run(recipe)
        return step_pairs_table(made.pairs, "labels", ORIGIN), made.passed_over

    def _run(self, recipe):
        async def work():
            with Ledger(UPath(self._folder)) as ledger, AnswerChecker() as checker:
                policy = self._policy
                sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
                return await recipe({"sampler": sampler, "checker": checker, "rule": AnswerRule()})

        return asyncio.run(work())

    async def _labelled(self, tools):
        for problem in map(self._policy.problem, range(20)):
            drawn = AttemptsConfig(n=8, sampling=LAW, max_tokens=600)
            attempts = await attempt(problem, config=drawn, **tools)
            wrong = [one for one in attempts if one.verdict is Verdict.DIFFERENT]
            made = await label(problem, attempts, wrong, config=LABELS, strategy=Exhaustive(), **tools)
            rows = with_labels(process_labels_table(made.solutions, ORIGIN), hard_threshold=0, confidence=0.94)
            if 3 <= rows.filter(pl.col("first_error") >= 0).height < 8:
                return problem, rows
        raise AssertionError("no problem has several located errors")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("ledger"))


@settings(max_examples=6)
@given(chance=st.randoms(use_true_random=False))
def test_pairs_and_reasons_follow_from_the_set_of_labelled_solutions(world, chance):
    rows = world.labels
    first, permuted = world.pairs(rows), world.pairs(rows[chance.sample(range(rows.height), rows.height)])
    assert first[0].height > 0
    assert permuted[0].equals(first[0])
    assert permuted[1] == first[1]
