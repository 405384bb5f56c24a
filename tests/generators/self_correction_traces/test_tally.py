"""Counts of problems that are added one by one."""

from dataclasses import dataclass

import pytest

from filters.answers.verdicts import AnswerRule, Verdict
from generators.engine.protocol import Sampling
from generators.records import Attempt, Problem
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.prefill import Prefill
from generators.self_correction_traces.recipe import CorrectedProblem
from generators.self_correction_traces.records import Boundary, DeepenedResponse, Segment
from generators.self_correction_traces.settings import Settings
from generators.self_correction_traces.tally import Solved, Tally

RIGHT, WRONG = Verdict.EQUAL, Verdict.DIFFERENT
CONFIG = SelfCorrectionConfig(settings=Settings(samples=2), sampling=Sampling(), attempt_tokens=64, seed=0)


@dataclass
class Sample:
    extracted: str | None
    verdict: Verdict
    text: str = ""


# the samples of each problem (answer and verdict), and the shares of one sample, of the majority and of the best
SOLVED = [
    ([], (None, None, None)),
    ([[]], (None, 0.0, 0.0)),
    ([[("4", RIGHT), ("5", WRONG), ("5", WRONG)]], (1 / 3, 0.0, 1.0)),
    ([[("4", RIGHT), ("4", RIGHT), ("5", WRONG)], [(None, Verdict.NO_ANSWER)]], (2 / 4, 1 / 2, 1 / 2)),
]


@pytest.mark.parametrize(("problems", "shares"), SOLVED)
def test_problems_are_solved_by_one_sample_by_the_majority_or_by_the_best(problems, shares):
    solved = Solved()
    for samples in problems:
        solved.add([Sample(*sample) for sample in samples])
    assert tuple(solved.row()[name] for name in ("one_sample", "majority", "best_of_n")) == pytest.approx(shares)
    assert solved.row()["problems"] == len(problems)


def attempt(problem, index, verdict):
    return Attempt(
        problem_id=problem,
        attempt_index=index,
        prompt_token_ids=(0,) * 10,
        token_ids=(1,) * 20,
        text="",
        finish_reason="eos",
        verdict=verdict,
        extracted="4",
    )


def response(problem, index, *verdicts):
    """A response whose answers are 20 tokens apart, with a trigger of 3 tokens between each two."""
    segments = [
        Segment(kind="written", token_ids=(1,) * 20, text="so"),
        Segment(kind="trigger", token_ids=(2,) * 3, text="!"),
    ]
    boundaries = [
        Boundary(end=0, generated=20 * n, budget=64, end_of_text=None, verdict=verdict, extracted="4")
        for n, verdict in enumerate(verdicts, start=1)
    ]
    return DeepenedResponse(
        problem_id=problem,
        sample_index=index,
        prompt_token_ids=(0,) * 10,
        segments=tuple((segments * len(verdicts))[:-1]),
        boundaries=tuple(boundaries),
        finish_reason="eos",
    )


def test_responses_and_as_many_attempts_are_counted_problem_by_problem():
    tally = Tally(CONFIG, AnswerRule())
    for name, verdicts in (("p", [WRONG, RIGHT]), ("q", [RIGHT])):
        problem = Problem(problem_id=name, source="s", prompt="2 + 2?", answer="4")
        responses = (response(name, 0, *verdicts), response(name, 1, WRONG))
        corrected = CorrectedProblem(problem=problem, responses=responses, corrections=(), not_corrected=())
        tally.add(corrected, [attempt(name, index, verdict) for index, verdict in enumerate([WRONG, WRONG, RIGHT])])
    assert (tally.responses, tally.with_trigger, tally.generated) == (4, 1, 20)
    assert tally.transitions == {("wrong", "right"): 1}
    assert tally.prefill == Prefill(requests=5, without_reuse=5 * 10 + 23, with_reuse=2 * 10 + 3)
    last = tally.success().filter(budget=64)
    assert last.select("method", "n_samples", "pass_rate").rows() == [("attempts", 4, 0.0), ("with_triggers", 4, 0.5)]
    assert tally.one_of_several()["one_sample"].to_list() == [0.0, 0.5]
