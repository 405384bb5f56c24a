import asyncio
from collections import Counter
from dataclasses import replace
from math import sqrt

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.recipe import ProcessLabelsConfig, choose, label
from generators.process_labels.settings import Settings
from generators.records import Attempt, StepCounts
from generators.sampling.ledger import Ledger, LedgerKey
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.search.omegaprm import OmegaPRM
from generators.search.sequential_test import SequentialTest
from tests.fakes import CharTokenizer

LAW = Sampling(temperature=1.0, seed=3)
MAX_TOKENS = 600
CONFIG = ProcessLabelsConfig(sampling=LAW, max_tokens=MAX_TOKENS, settings=Settings())
STRATEGIES = [
    Exhaustive(rollouts_per_step=4),
    OmegaPRM(k=4, budget=40),
    SequentialTest(cap=24),
    SequentialTest(cap=24, ahead=0),
]
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES, ids=["exhaustive", "omegaprm", "ahead", "single"])


def work(folder, policy, n_problems, strategy, spare=0):
    """Attempts and labels of some simulated problems, `spare` slots free: (labelled problems, sampler counts)."""

    async def solve():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(
                policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger, spare=lambda: spare
            )
            drawn = AttemptsConfig(n=8, sampling=LAW, max_tokens=MAX_TOKENS)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            done = []
            async with sampler:
                for problem in (policy.problem(index) for index in range(n_problems)):
                    attempts = await attempt(problem, config=drawn, **tools)
                    chosen = choose(attempts, tokenizer=policy.tokenizer, config=CONFIG).attempts
                    done.append(await label(problem, attempts, chosen, config=CONFIG, strategy=strategy, **tools))
            return done, sampler.counts

    return asyncio.run(solve())


def rows(done):
    solutions = [solution for labelled in done for solution in labelled.solutions]
    nodes = [(node.node_id, node.prefix, node.counts, node.is_end) for labelled in done for node in labelled.tree]
    return solutions, nodes


def test_the_counts_agree_with_the_true_values_of_the_prefixes(tmp_path):
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.5,), recovery_rate=0.1))
    done, _ = work(tmp_path, policy, 6, Exhaustive(rollouts_per_step=64))
    off = []
    for solution in rows(done)[0]:
        for end, counts in zip(solution.step_ends[:-1], solution.counts[:-1], strict=True):
            truth = policy.value(solution.attempt.prompt_token_ids + solution.attempt.token_ids[:end])
            assert counts.n_rollouts == 64
            spread = sqrt(max(truth * (1 - truth), 1e-9) / counts.n_rollouts)
            off.append(abs(counts.n_correct / counts.n_rollouts - truth) / spread if 0 < truth < 1 else 0.0)
    assert len(off) > 50
    assert sum(deviation > 3 for deviation in off) <= 2  # three standard errors: three in a thousand by chance
    assert max(off) < 5


@every_strategy
def test_a_second_run_over_the_same_ledger_draws_nothing_and_gives_the_same_rows(tmp_path, strategy):
    first, _ = work(tmp_path, SimulatedPolicy(), 3, strategy)
    idle = SimulatedPolicy()
    again, counts = work(tmp_path, idle, 3, strategy)
    assert rows(again) == rows(first)
    assert rows(first)[0]
    assert idle.counts.sequences == 0
    assert counts.drawn == 0


def test_what_is_drawn_ahead_on_spare_slots_changes_no_row(tmp_path):
    idle, ahead = (work(tmp_path / f"{spare}", SimulatedPolicy(), 3, STRATEGIES[2], spare) for spare in (0, 64))
    assert rows(ahead[0]) == rows(idle[0])
    assert ahead[1].drawn > idle[1].drawn
    again, counts = work(tmp_path / "64", SimulatedPolicy(), 3, STRATEGIES[2], 64)
    assert rows(again) == rows(idle[0])
    assert counts.drawn == 0


@every_strategy
def test_the_counts_of_the_nodes_are_the_rows_of_the_ledger(tmp_path, strategy):
    done, counts = work(tmp_path, SimulatedPolicy(), 3, strategy)
    stored = 0
    with Ledger(UPath(tmp_path)) as ledger:
        for node in (node for labelled in done for node in labelled.tree):
            digest = LedgerKey(policy="simulated", prefix=node.prefix, sampling=LAW).digest()
            indexes = [index for index in range(64) if ledger.get(digest, index) is not None]
            assert sorted(node.outcomes) == indexes
            stored += len(indexes)
        assert stored == len(ledger) == counts.drawn


@every_strategy
def test_no_node_stands_twice(tmp_path, strategy):
    done, _ = work(tmp_path, SimulatedPolicy(), 3, strategy)
    prefixes = Counter(node.prefix for labelled in done for node in labelled.tree)
    assert max(prefixes.values()) == 1
    for labelled in done:
        for solution in labelled.solutions:
            assert [labelled.tree[node_id].counts for node_id in solution.node_ids] == list(solution.counts)


@every_strategy
def test_the_last_step_counts_the_solution_itself(tmp_path, strategy):
    done, _ = work(tmp_path, SimulatedPolicy(), 3, strategy)
    for solution in rows(done)[0]:
        right = int(solution.attempt.verdict is Verdict.EQUAL)
        assert solution.counts[-1] == StepCounts(n_correct=right, n_rollouts=1, n_undecided=0)
        assert "".join(solution.steps) == solution.attempt.text
        assert solution.step_ends[-1] == len(solution.attempt.token_ids)
        assert solution.values.mean[-1] == right


def test_solutions_that_the_search_wrote_are_numbered_after_the_attempts(tmp_path):
    done, _ = work(tmp_path, SimulatedPolicy(law=SimulatedLaw(base_rates=(0.5,))), 3, OmegaPRM(k=8, budget=150))
    found = [[solution.attempt.attempt_index for solution in labelled.solutions] for labelled in done]
    assert any(index >= 8 for indexes in found for index in indexes)
    for indexes in found:
        assert len(indexes) == len(set(indexes))
        assert [index for index in indexes if index >= 8] == [
            8 + place for place in range(sum(i >= 8 for i in indexes))
        ]


def solution(index, text, verdict, reason="eos", extracted=None):
    tokenizer = CharTokenizer()
    ids = tokenizer.encode(text)
    return Attempt(
        problem_id="p",
        attempt_index=index,
        prompt_token_ids=(1,),
        token_ids=(*ids, 0) if reason == "eos" else ids,
        text=text,
        finish_reason=reason,
        verdict=verdict,
        extracted=extracted,
    )


def test_wrong_and_right_solutions_are_chosen_in_turn_and_the_others_passed_over_with_a_reason():
    attempts = [
        solution(0, "a\nb", Verdict.EQUAL),
        solution(1, "a\nb", Verdict.EQUAL),
        solution(2, "c\nd", Verdict.EQUAL),
        solution(3, "one line", Verdict.DIFFERENT),
        solution(4, "e\nf", Verdict.DIFFERENT),
        solution(5, "g\nh", Verdict.NO_ANSWER),
        solution(6, "i\nj", Verdict.TIMEOUT),
        solution(7, "k\nl", Verdict.DIFFERENT, reason="length"),
    ]
    chosen = choose(attempts, tokenizer=CharTokenizer(), config=CONFIG)
    assert [attempt.attempt_index for attempt in chosen.attempts] == [4, 0]
    assert chosen.n_steps == (2, 2)
    assert {(attempt.attempt_index, reason) for attempt, reason in chosen.passed_over} == {
        (1, "duplicate_text"),
        (2, "enough_per_problem"),
        (3, "too_few_steps"),
        (5, "no_answer"),
        (6, "verdict_timeout"),
        (7, "truncated"),
    }


# the answers of the wrong solutions, and in which order they are chosen
UNLIKE = [
    (["5", "5", "6", "5", "7"], [0, 2, 4, 1, 3]),
    (["5", "5", "5"], [0, 1, 2]),
    (["5", "6", "7"], [0, 1, 2]),
    (["5", "6", "6", "5"], [0, 1, 2, 3]),
]


@pytest.mark.parametrize(("answers", "order"), UNLIKE)
def test_wrong_solutions_with_another_answer_come_first(answers, order):
    wrong = [solution(i, f"{i}\n{answer}", Verdict.DIFFERENT, extracted=answer) for i, answer in enumerate(answers)]
    config = replace(CONFIG, settings=Settings(solutions_per_problem=5))
    chosen = choose(wrong, tokenizer=CharTokenizer(), config=config)
    assert [attempt.attempt_index for attempt in chosen.attempts] == order
