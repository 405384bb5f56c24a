import asyncio
from math import sqrt

import pytest
from upath import UPath

from filters.answers import AnswerChecker, AnswerRule, Verdict
from generators.attempts import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated import SimulatedPolicy
from generators.engine.simulated_law import SimulatedLaw
from generators.ledger import Ledger
from generators.process_labels import ProcessLabelsConfig, choose, count_verdicts, label
from generators.records import Attempt, StepCounts
from generators.sampler import Sampler
from tests.fakes import CharTokenizer

LAW = Sampling(temperature=1.0, seed=3)
MAX_TOKENS = 600
CONFIG = ProcessLabelsConfig(sampling=LAW, max_tokens=MAX_TOKENS, rollouts_per_step=64, solutions_per_problem=2)


def work(folder, policy, n_problems, config=CONFIG):
    """Attempts and labels of some simulated problems: (chosen attempts, labelled solutions, sampler counts)."""

    async def solve():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            drawn = AttemptsConfig(n=8, sampling=LAW, max_tokens=MAX_TOKENS)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            solutions = []
            for problem in (policy.problem(index) for index in range(n_problems)):
                attempts = await attempt(problem, config=drawn, **tools)
                for one in choose(attempts, tokenizer=policy.tokenizer, config=config).attempts:
                    solutions.append(await label(problem, one, config=config, **tools))
            return solutions, sampler.counts

    return asyncio.run(solve())


def test_the_counts_agree_with_the_true_values_of_the_prefixes(tmp_path):
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.5,), recovery_rate=0.1))
    solutions, _ = work(tmp_path, policy, n_problems=6)
    off = []
    for solution in solutions:
        for end, counts in zip(solution.step_ends[:-1], solution.counts[:-1], strict=True):
            truth = policy.value(solution.attempt.prompt_token_ids + solution.attempt.token_ids[:end])
            assert counts.n_rollouts == 64
            spread = sqrt(max(truth * (1 - truth), 1e-9) / counts.n_rollouts)
            off.append(abs(counts.n_correct / counts.n_rollouts - truth) / spread if 0 < truth < 1 else 0.0)
    assert len(off) > 50
    assert sum(deviation > 3 for deviation in off) <= 2  # three standard errors: three in a thousand by chance
    assert max(off) < 5


def test_a_second_run_over_the_same_ledger_draws_nothing_and_gives_the_same_rows(tmp_path):
    first, _ = work(tmp_path, SimulatedPolicy(), n_problems=2)
    idle = SimulatedPolicy()
    again, counts = work(tmp_path, idle, n_problems=2)
    assert again == first
    assert idle.counts.sequences == 0
    assert counts.drawn == 0


def test_the_last_step_counts_the_solution_itself(tmp_path):
    solutions, _ = work(tmp_path, SimulatedPolicy(), n_problems=2)
    for solution in solutions:
        right = int(solution.attempt.verdict is Verdict.EQUAL)
        assert solution.counts[-1] == StepCounts(n_correct=right, n_rollouts=1, n_undecided=0)
        assert "".join(solution.steps) == solution.attempt.text


def solution(index, text, verdict, reason="eos"):
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
        extracted=None,
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
    assert {(attempt.attempt_index, reason) for attempt, reason in chosen.passed_over} == {
        (1, "duplicate_text"),
        (2, "enough_per_problem"),
        (3, "too_few_steps"),
        (5, "no_answer"),
        (6, "verdict_timeout"),
        (7, "truncated"),
    }


def test_an_undecided_rollout_counts_neither_as_right_nor_as_wrong():
    verdicts = [Verdict.EQUAL, Verdict.DIFFERENT, Verdict.NO_ANSWER, Verdict.TIMEOUT, Verdict.UNPARSED]
    assert count_verdicts(verdicts) == StepCounts(n_correct=1, n_rollouts=3, n_undecided=2)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rollouts_per_step", 0, "rollouts_per_step must be at least 1, got 0"),
        ("max_steps", 1, r"max_steps must be at least min_steps \(2\), got 1"),
        ("max_tokens", 0, "max_tokens must be at least 1, got 0"),
    ],
)
def test_a_setting_out_of_bounds_is_named_with_its_value(field, value, message):
    with pytest.raises(ValueError, match=message):
        ProcessLabelsConfig(**{"sampling": LAW, "max_tokens": MAX_TOKENS, field: value})
