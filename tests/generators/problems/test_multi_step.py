import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.problems.multi_step import MultiStepProblems

seeds = st.integers(0, 10_000)
few = settings(max_examples=20, deadline=None)


def made(**changes):
    return MultiStepProblems(**({"name": "steps", "size": 42} | changes))


@few
@given(seed=seeds)
def test_every_line_is_true_and_the_last_one_states_the_answer(seed):
    for problem in made(seed=seed).worked():
        for line in problem.lines:
            left, right = line.split(" = ")
            a, sign, b = left.split(" ")
            assert {"+": int(a) + int(b), "-": int(a) - int(b), "*": int(a) * int(b)}[sign] == int(right)
        assert problem.lines[-1].endswith(f"= {problem.answer}")
        assert problem.solution.endswith(rf"The answer is \boxed{{{problem.answer}}}.")


@few
@given(seed=seeds)
def test_a_calculation_is_worth_what_its_solution_says(seed):
    for problem in made(seed=seed).worked():
        written = re.fullmatch(r"Calculate ([0-9+* -]+)\.", problem.prompt)
        if written:
            assert eval(written[1]) == int(problem.answer)


@few
@given(seed=seeds)
def test_problems_differ_and_have_the_asked_numbers_of_steps(seed):
    problems = made(seed=seed, min_steps=4, max_steps=10).worked()
    assert len({problem.prompt for problem in problems}) == 42
    assert {problem.n_steps for problem in problems} == set(range(4, 11))


def test_training_and_evaluation_never_share_a_problem():
    training = made(part="training", size=400).worked()
    evaluation = made(part="evaluation", size=400, seed=1).worked()
    assert {problem.part for problem in training} == {"training"}
    assert not {problem.prompt for problem in training} & {problem.prompt for problem in evaluation}


def test_more_problems_than_there_are_are_refused():
    with pytest.raises(ValueError, match=r"size must be at most \d+ with max_term 5 and seed 0, got 500"):
        made(size=500, min_steps=3, max_steps=3, max_term=5).worked()


def test_candidates_carry_prompt_answer_and_the_number_of_steps():
    kept = made(size=3).candidates().kept
    assert kept.select("prompt", "answer", "level").rows() == [
        (problem.prompt, problem.answer, str(problem.n_steps)) for problem in made(size=3).worked()
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 0}, "size must be at least 1, got 0"),
        ({"part": "test"}, "part must be one of training, evaluation, got 'test'"),
        ({"min_steps": 2}, "min_steps must be at least 3, got 2"),
        ({"min_steps": 5, "max_steps": 4}, r"max_steps must be at least min_steps \(5\), got 4"),
        ({"max_term": 4}, "max_term must be from 5 to 100, got 4"),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        made(**changes)
