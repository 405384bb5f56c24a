import asyncio

import pytest
from upath import UPath

from generators.engine.protocol import Sampling
from generators.process_labels import judge_prompt as prompt
from generators.process_labels.judge import JudgeConfig, decide, judge, named_index
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import CharTokenizer, ScriptedEngine

PROBLEM = Problem(problem_id="p", source="s", prompt="What is 3 + 5 + 2?", answer="10")
STEPS = ("3 + 5 = 8\n", "8 + 2 = 11\n", "The answer is \\boxed{11}.")
LAW = Sampling(temperature=0.7)


def judged(folder, script, *, votes=1, max_tokens=200, steps=STEPS):
    """The judgement of `steps` by an engine that says `script(prompt text, seed)`, and that engine."""
    engine = ScriptedEngine(script)

    async def work():
        with Ledger(UPath(folder)) as ledger:
            sampler = Sampler(policy="judge", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            config = JudgeConfig(sampling=LAW, max_tokens=max_tokens, votes=votes)
            return await judge(PROBLEM, steps, sampler=sampler, config=config)

    return asyncio.run(work()), engine


OUTPUTS = [
    ("Paragraph 1 is wrong, for 8 + 2 is 10. \\boxed{1}", 1, "judged"),
    ("All is well. \\boxed{-1}", -1, "judged"),
    ("All is well. \\boxed{−1}", -1, "judged"),
    ("The solution says \\boxed{11}, but it is \\boxed{\\text{1}}", 1, "judged"),
    ("\\boxed{ 0 }\n", 0, "judged"),
    ("\\boxed{3}", None, "no_verdict"),
    ("\\boxed{-2}", None, "no_verdict"),
    ("\\boxed{1.5}", None, "no_verdict"),
    ("\\boxed{paragraph one}", None, "no_verdict"),
    ("Paragraph 1 is wrong.", None, "no_verdict"),
    ("", None, "no_verdict"),
]


@pytest.mark.parametrize(("output", "first_error", "outcome"), OUTPUTS)
def test_the_last_box_of_a_judgement_is_its_verdict(tmp_path, output, first_error, outcome):
    judgement, _ = judged(tmp_path, lambda text, seed: output)
    assert (judgement.first_error, judgement.outcome) == (first_error, outcome)
    assert judgement.votes == (first_error,)
    assert judgement.texts == (output,)


@pytest.mark.parametrize(
    ("votes", "first_error", "outcome"),
    [
        ((1, 1, 2), 1, "judged"),
        ((None, -1, None), -1, "judged"),
        ((1, 1, None, -1), 1, "judged"),
        ((1, 2), None, "not_sure"),
        ((2, 1, 1, 2, 0), None, "not_sure"),
        ((None, None), None, "no_verdict"),
    ],
)
def test_most_votes_decide_and_a_tie_decides_nothing(votes, first_error, outcome):
    assert decide(votes) == (first_error, outcome)
    assert decide(votes[::-1]) == (first_error, outcome)


def test_every_vote_is_kept_as_it_was_cast(tmp_path):
    judgement, engine = judged(tmp_path, lambda text, seed: f"\\boxed{{{seed % 2}}}", votes=3)
    assert len(engine.requests) == 3
    assert sorted(judgement.votes) in ([0, 0, 1], [0, 1, 1])
    assert judgement.first_error == sorted(judgement.votes)[1]
    assert judgement.texts == tuple(f"\\boxed{{{vote}}}" for vote in judgement.votes)


def test_a_judgement_that_was_cut_off_names_nothing(tmp_path):
    judgement, _ = judged(tmp_path, lambda text, seed: "\\boxed{1}, or rather \\boxed{-1}", max_tokens=20)
    assert (judgement.votes, judgement.outcome) == ((None,), "no_verdict")


def test_a_second_judgement_asks_the_engine_for_nothing(tmp_path):
    first, _ = judged(tmp_path, lambda text, seed: "\\boxed{1}", votes=2)
    again, idle = judged(tmp_path, lambda text, seed: "\\boxed{-1}", votes=2)
    assert again == first
    assert idle.requests == []


def test_the_judge_sees_problem_and_numbered_steps_but_not_the_answer(tmp_path):
    seen = []
    judged(tmp_path, lambda text, seed: seen.append(text) or "\\boxed{1}", steps=("3 + 5 = 8\n", "So it is 8.\n"))
    assert "What is 3 + 5 + 2?" in seen[0]
    assert "<paragraph_0>\n3 + 5 = 8\n</paragraph_0>\n<paragraph_1>\nSo it is 8.\n</paragraph_1>" in seen[0]
    assert "10" not in seen[0]
    assert [message["role"] for message in prompt.messages("p", ["s"])] == ["user"]


def test_an_index_is_one_of_the_steps_or_none():
    assert [named_index(f"\\boxed{{{index}}}", 2) for index in range(-2, 3)] == [None, -1, 0, 1, None]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"votes": 0}, "votes must be at least 1, got 0"),
        ({"max_tokens": 0}, "max_tokens must be at least 1, got 0"),
        ({"votes": 3, "sampling": Sampling(temperature=0)}, "votes must be 1 at temperature 0"),
    ],
)
def test_a_setting_out_of_bounds_is_named_with_its_value(changes, message):
    with pytest.raises(ValueError, match=message):
        JudgeConfig(**({"sampling": LAW, "max_tokens": 10} | changes))


def test_there_must_be_something_to_judge(tmp_path):
    with pytest.raises(ValueError, match="steps must not be empty"):
        judged(tmp_path, lambda text, seed: "", steps=())
