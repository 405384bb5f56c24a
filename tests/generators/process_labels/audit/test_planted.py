import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.process_labels.audit.planted import PLANTED_INDEX, NotPlanted, PlantedConfig, PlantedSolution, plant
from generators.records import Attempt, Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends, step_texts
from tests.fakes import CharTokenizer, ScriptedEngine

LAW = Sampling(temperature=1.0, seed=3)
CONFIG = PlantedConfig(sampling=LAW, max_tokens=600, max_steps=32)
PROBLEM = Problem(problem_id="p", source="s", prompt="Calculate 3 + 5 + 2.", answer="10")
RIGHT = "3 + 5 = 8\n8 + 2 = 10\nThe answer is \\boxed{10}."


def simulated(*, recovery_rate=0.0):
    return SimulatedPolicy(law=SimulatedLaw(base_rates=(0.7,), recovery_rate=recovery_rate))


def work(folder, policy, n_problems, config=CONFIG):
    """Planting in the right attempts at some simulated problems: (attempt, outcome) pairs, sampler counts."""

    async def solve():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            drawn = AttemptsConfig(n=4, sampling=LAW, max_tokens=600)
            pairs = []
            for problem in (policy.problem(index) for index in range(n_problems)):
                for one in await attempt(problem, config=drawn, **tools):
                    if one.verdict.is_right:
                        pairs.append((one, await plant(problem, one, config=config, **tools)))
            return pairs, sampler.counts

    return asyncio.run(solve())


def test_the_planted_step_is_the_first_error_of_the_solution(tmp_path):
    policy = simulated()
    pairs, _ = work(tmp_path, policy, n_problems=30)
    assert len(pairs) > 60
    for right, planted in pairs:
        assert isinstance(planted, PlantedSolution)
        assert policy.first_error(right.prompt_token_ids + right.token_ids) is None
        made = planted.attempt
        assert policy.first_error(made.prompt_token_ids + made.token_ids) == planted.first_error
        end = step_ends(made.token_ids, policy.tokenizer)[planted.first_error]
        assert policy.value(made.prompt_token_ids + made.token_ids[:end]) == 0
        assert made.verdict is Verdict.DIFFERENT


def test_the_steps_before_keep_their_tokens_and_the_planted_one_stands_where_the_right_one_stood(tmp_path):
    policy = simulated()
    for right, planted in work(tmp_path, policy, n_problems=10)[0]:
        place, made = planted.first_error, planted.attempt
        before, after = (step_ends(one.token_ids, policy.tokenizer) for one in (right, made))
        start = before[place - 1] if place else 0
        assert after[:place] == before[:place]
        assert made.token_ids[:start] == right.token_ids[:start]
        assert step_texts(right.token_ids, before, policy.tokenizer)[place] == planted.original_step
        assert step_texts(made.token_ids, after, policy.tokenizer)[place] == planted.planted_step
        assert planted.planted_step.endswith("\n")
        assert place < len(before) - 1


def test_a_planted_solution_is_counted_apart_from_every_attempt(tmp_path):
    pairs, _ = work(tmp_path, simulated(), n_problems=5)
    for right, planted in pairs:
        assert planted.attempt.attempt_index == PLANTED_INDEX + right.attempt_index
        assert planted.attempt.problem_id == right.problem_id == planted.problem.problem_id


def test_errors_of_every_kind_at_every_place_are_planted(tmp_path):
    pairs, _ = work(tmp_path, simulated(), n_problems=60)
    kinds = Counter(planted.kind for _, planted in pairs)
    assert set(kinds) == {"number", "operation"}
    assert min(kinds.values()) > 20
    assert {planted.first_error for _, planted in pairs} >= set(range(10))


def test_a_policy_that_recovers_may_end_right_behind_the_planted_step(tmp_path):
    pairs, _ = work(tmp_path, simulated(recovery_rate=0.2), n_problems=20)
    verdicts = Counter(planted.attempt.verdict for _, planted in pairs)
    assert verdicts[Verdict.EQUAL] > 5
    assert verdicts[Verdict.DIFFERENT] > 5


def test_a_second_run_over_the_same_ledger_draws_nothing_and_gives_the_same_solutions(tmp_path):
    first, _ = work(tmp_path, simulated(), n_problems=5)
    idle = simulated()
    again, counts = work(tmp_path, idle, n_problems=5)
    assert again == first
    assert idle.counts.sequences == 0
    assert counts.drawn == 0


def test_another_seed_plants_other_errors(tmp_path):
    first, _ = work(tmp_path, simulated(), n_problems=5)
    other, _ = work(tmp_path, simulated(), n_problems=5, config=replace(CONFIG, seed=1))
    assert [one.planted_step for _, one in first] != [one.planted_step for _, one in other]


def scripted(folder, text, goes_on, *, verdict=Verdict.EQUAL, tokenizer=None, config=CONFIG):
    """What planting in the solution `text` gives when the policy goes on with `goes_on`, and the engine."""
    characters = CharTokenizer()
    engine = ScriptedEngine(lambda prefix, seed: goes_on)
    right = Attempt(
        problem_id="p",
        attempt_index=2,
        prompt_token_ids=characters.encode("Q\n"),
        token_ids=(*characters.encode(text), 0),
        text=text,
        finish_reason="eos",
        verdict=verdict,
        extracted="10",
    )

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="p", engine=engine, tokenizer=tokenizer or characters, ledger=ledger)
            return await plant(PROBLEM, right, sampler=sampler, checker=checker, rule=AnswerRule(), config=config)

    return asyncio.run(work()), engine


def test_a_real_line_is_spoilt_and_the_policy_goes_on_from_it(tmp_path):
    planted, engine = scripted(tmp_path, RIGHT, "So it is.\nThe answer is \\boxed{9}.")
    assert planted.attempt.text.endswith(planted.planted_step + "So it is.\nThe answer is \\boxed{9}.")
    assert planted.attempt.extracted == "9"
    assert CharTokenizer().decode(engine.requests[0].prefix).endswith(planted.planted_step)


REASONS = [
    ("not_right", {"verdict": Verdict.DIFFERENT}),
    ("nothing_to_spoil", {"text": "The answer is \\boxed{10}."}),
    ("nothing_to_spoil", {"text": "Let us see.\nThe answer is \\boxed{10}."}),
    ("nothing_to_spoil", {"text": "3 + 5 = 9\n8 + 2 = 10\nThe answer is \\boxed{10}."}),
    ("no_room", {"config": replace(CONFIG, max_tokens=10)}),
    ("truncated", {"config": replace(CONFIG, max_tokens=30)}),
    ("no_answer", {"goes_on": "I do not know."}),
    ("verdict_unparsed", {"goes_on": "The answer is \\boxed{\\foo{x}_{1} + \\sum}."}),
    ("step_lost", {"goes_on": "\n\nThe answer is \\boxed{9}."}),
    ("too_many_steps", {"config": replace(CONFIG, max_steps=2), "goes_on": "a\nb\nThe answer is \\boxed{9}."}),
]


@pytest.mark.parametrize(("reason", "changes"), REASONS)
def test_where_no_error_can_be_planted_there_is_a_reason(tmp_path, reason, changes):
    outcome, _ = scripted(tmp_path, **({"text": RIGHT, "goes_on": "The answer is \\boxed{9}."} | changes))
    assert outcome == NotPlanted("p", 2, reason)


def test_only_steps_before_the_first_false_sum_are_spoilt(tmp_path):
    text = "3 + 5 = 8\n8 + 3 = 10\n10 + 0 = 10\nThe answer is \\boxed{10}."
    for seed in range(20):
        planted, _ = scripted(tmp_path, text, "The answer is \\boxed{9}.", config=replace(CONFIG, seed=seed))
        assert planted.first_error == 0


class PaddingTokenizer(CharTokenizer):
    """Puts a space before every text that it encodes, as some tokenizers do."""

    def encode(self, text):
        return super().encode(f" {text}")


def test_a_step_that_the_tokenizer_changes_is_not_planted(tmp_path):
    outcome, engine = scripted(tmp_path, RIGHT, "The answer is \\boxed{9}.", tokenizer=PaddingTokenizer())
    assert outcome == NotPlanted("p", 2, "nothing_to_spoil")
    assert engine.requests == []
