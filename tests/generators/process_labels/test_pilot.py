import asyncio

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.errors import RequestRefused
from generators.engine.protocol import Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.pilot import CAP, ROLLOUTS_PER_STEP, calibrated
from generators.process_labels.recipe import ProcessLabelsConfig, choose, label
from generators.process_labels.settings import Settings
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.prior_fit import Attempted, fit_base
from generators.search.sequential_test import SequentialTest

LAW = Sampling(temperature=1.0, seed=3)
CONFIG = ProcessLabelsConfig(sampling=LAW, max_tokens=600, settings=Settings())
PILOT = 4
STRATEGY = SequentialTest(cap=200)
START = STRATEGY.priors
TRIED = [Attempted(n_right, 8) for n_right in (3, 5, 8, 0, 6)]


class Labeller:
    """`label` over simulated problems, by index; remembers every problem and strategy it was asked for."""

    def __init__(self, sampler, checker, policy):
        self.asked = []
        self._tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
        self._policy = policy

    async def __call__(self, index, strategy):
        self.asked.append((index, strategy))
        if index < 0:
            raise RequestRefused("prefix is too long")
        problem = self._policy.problem(index)
        drawn = AttemptsConfig(n=8, sampling=LAW, max_tokens=600)
        attempts = await attempt(problem, config=drawn, **self._tools)
        chosen = choose(attempts, tokenizer=self._policy.tokenizer, config=CONFIG).attempts
        return await label(problem, attempts, chosen, config=CONFIG, strategy=strategy, **self._tools)


def calibrate(folder, items, *, tried=TRIED, pilot=PILOT, window=3):
    """The calibrated strategy, what was asked for, and how many rollouts the engine drew."""
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.3, 0.6), recovery_rate=0.1))

    async def solve():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            labeller = Labeller(sampler, checker, policy)
            found = await calibrated(STRATEGY, items, tried=tried, label=labeller, pilot=pilot, window=window)
            return found, labeller.asked, policy.counts.sequences

    return asyncio.run(solve())


def test_only_the_first_problems_and_the_attempts_teach_the_priors(tmp_path):
    one, asked, _ = calibrate(tmp_path / "one", [0, 1, 2, 3, 4, 5])
    other, _, _ = calibrate(tmp_path / "other", [0, 1, 2, 3, 8, 9, 10])
    assert {index for index, _ in asked} == {0, 1, 2, 3}
    assert one == other
    assert one.priors != START


def test_other_attempts_teach_other_base_rates(tmp_path):
    weak, _, _ = calibrate(tmp_path, [0, 1], tried=[Attempted(1, 8)] * 5)
    strong, _, _ = calibrate(tmp_path, [0, 1], tried=[Attempted(7, 8)] * 5)
    assert weak.priors.base == fit_base([Attempted(1, 8)] * 5).base
    assert strong.priors.base == fit_base([Attempted(7, 8)] * 5).base
    assert weak.priors.base != strong.priors.base


def test_a_replay_from_the_ledger_draws_nothing_and_gives_the_same_priors(tmp_path):
    first, _, drawn = calibrate(tmp_path, range(PILOT))
    again, _, drawn_again = calibrate(tmp_path, range(PILOT), window=1)
    assert (again, drawn_again) == (first, 0)
    assert drawn > 0


def test_a_quarter_of_the_pilot_is_looked_at_evenly_and_the_rest_is_searched_under_what_that_taught(tmp_path):
    _, asked, _ = calibrate(tmp_path, range(6))
    (first,), second = [strategy for _, strategy in asked[: PILOT // 4]], asked[PILOT // 4 :]
    assert first == Exhaustive(rollouts_per_step=ROLLOUTS_PER_STEP)
    assert sorted(index for index, _ in second) == [1, 2, 3]
    assert {strategy.priors.base for _, strategy in second} == {fit_base(TRIED, START).base}
    assert all(strategy.priors.recovery != START.recovery for _, strategy in second)
    assert [strategy.cap for _, strategy in second] == [min(STRATEGY.cap, CAP)] * 3


def test_everything_but_the_priors_stays_as_it_was(tmp_path):
    found, _, _ = calibrate(tmp_path, range(2))
    assert {**found.to_json(), "priors": None} == {**STRATEGY.to_json(), "priors": None}


@pytest.mark.parametrize("items", [[], [-1, -2, -3, -4]], ids=["none", "all refused"])
def test_without_a_labelled_pilot_only_the_base_rates_are_learnt(tmp_path, items):
    found, _, _ = calibrate(tmp_path, items)
    assert found.priors == fit_base(TRIED, START)


def test_a_refused_problem_teaches_nothing(tmp_path):
    with_refused, _, _ = calibrate(tmp_path, [0, -1, 1, 2])
    without, _, _ = calibrate(tmp_path, [0, 1, 2])
    assert with_refused.priors == without.priors
