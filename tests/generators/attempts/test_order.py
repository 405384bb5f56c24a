"""What follows from the attempts at a problem does not depend on the order in which they came."""

import asyncio
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from generators.attempts.fit import FIT_COLUMNS, fit_to_label
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.attempts.table import attempts_of, attempts_table
from generators.engine.protocol import Sampling
from generators.problems.difficulty import problem_difficulty_table
from generators.problems.settings import QualitySettings
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import CharTokenizer, ScriptedEngine

N = 6
PROBLEM = Problem(problem_id="p", source="s", prompt="1 + 2 + 3?", answer="6")
ORIGIN = {"policy": "p", "round": "r1", "slice": "sums-0"}
PROVENANCE = ORIGIN | {"sampling": "{}", "max_tokens": 300}
SOUND = "She has 12 apples and gives 5 away.\n12 - 5 = 7, so she has 7 apples left.\nThe answer is \\boxed{6}."
TEXTS = [
    SOUND,
    SOUND.replace("gives 5 away", "gives 5 away at once"),
    SOUND.replace("apples left", "left"),
    "Taking 5 from 12 leaves 7, for 7 + 5 = 12.\nThe answer is \\boxed{6}.",
    "It is \\boxed{5}.",
    "I do not know.",
]
orders = st.permutations(range(N))


class Overtaking(ScriptedEngine):
    """Answers request `number` after `turns[number]` turns of the event loop."""

    def __init__(self, script, turns):
        super().__init__(script)
        self._turns = turns

    async def generate(self, request):
        for _ in range(self._turns[len(self.requests) % len(self._turns)]):
            await asyncio.sleep(0)
        return await super().generate(request)


def drawn(turns=(0,)):
    async def work():
        with TemporaryDirectory() as folder, Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            engine = Overtaking(lambda text, seed: TEXTS[seed % len(TEXTS)], turns)
            sampler = Sampler(policy="p", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            config = AttemptsConfig(n=N, sampling=Sampling(seed=1), max_tokens=300)
            return await attempt(PROBLEM, sampler=sampler, checker=checker, rule=AnswerRule(), config=config)

    return asyncio.run(work())


@settings(max_examples=10)
@given(orders)
def test_whichever_request_is_answered_first_the_attempts_are_the_same(turns):
    assert drawn(turns) == drawn()


def table(texts=TEXTS):
    """Attempts with these texts, as a table."""
    first = drawn()[0]
    slots = {name: getattr(first, name) for name in first.__slots__}
    made = [type(first)(**slots | {"attempt_index": index, "text": text}) for index, text in enumerate(texts)]
    return attempts_table([(PROBLEM, one) for one in made], PROVENANCE)


TABLE = table()


@given(orders)
def test_the_same_attempts_are_unfit_for_labels(order):
    quality = QualitySettings(most_per_verdict=2)
    first, permuted = (unfit(fit_to_label(rows.select(FIT_COLUMNS), quality)) for rows in (TABLE, TABLE[list(order)]))
    assert permuted == first
    assert {"near_duplicate", "less_different"} <= set(first.values())


def unfit(fit):
    return dict(fit.dropped.select("attempt_index", "reason").iter_rows())


@given(orders)
def test_the_difficulty_of_a_problem_and_its_attempts_read_back_are_the_same(order):
    rows = TABLE.with_columns(is_right=pl.col("attempt_index") < 2)
    permuted = rows[list(order)]
    assert problem_difficulty_table(permuted, ORIGIN).equals(problem_difficulty_table(rows, ORIGIN))
    assert attempts_of(permuted) == attempts_of(rows)
