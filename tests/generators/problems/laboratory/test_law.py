import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.problems.laboratory.carries import Carries
from generators.problems.laboratory.chains import Chains
from generators.problems.laboratory.detours import Detours
from generators.problems.laboratory.facts import Beliefs
from generators.problems.laboratory.law import AGAIN, attempt, kept, truth, value, worked
from generators.problems.laboratory.omissions import Omissions
from generators.problems.laboratory.slips import Slips
from generators.problems.laboratory.tasks import NAMES, TASKS, task_of

SURE = Beliefs(share=1.0, rate=0.5)
CHAIN = "Chain: 3\n(a): up 4\n(b): up 2"
RIGHT = "(a): 3 up 4 is 7\n(b): 7 up 2 is 9\nThe answer is \\boxed{9}."

tasks = st.sampled_from(NAMES).map(lambda name: TASKS[name]())
seeds = st.integers(0, 10_000)


def texts(lines):
    return "\n".join(line.text for line in lines)


def marks(task, prompt, text):
    """A letter for each step: r(ight) or w(rong), in capitals where the answer can still be reached; d for detour."""
    letters = []
    for step in truth(task, prompt, text).steps:
        letter = "d" if step.is_redundant else "r" if step.is_right else "w"
        letters.append(letter.upper() if step.is_sound else letter)
    return "".join(letters)


@given(tasks, seeds)
def test_a_worked_solution_is_right_in_every_step(task, seed):
    prompt = task.draw(random.Random(seed))
    solution = "\n".join(worked(task, prompt))
    assert set(marks(task, prompt, solution)) == {"R"}
    assert task_of(prompt) == task


@given(tasks, seeds)
def test_what_the_law_draws_is_right_where_the_law_says_so(task, seed):
    draw = random.Random(seed)
    prompt = task.draw(draw)
    lines = list(attempt(task, prompt, draw))
    steps = truth(task, prompt, texts(lines)).steps
    assert [step.is_right for step in steps] == [line.is_right for line in lines]
    assert [step.is_redundant for step in steps] == [line.is_redundant for line in lines]


@given(tasks, seeds)
def test_a_solution_without_an_error_is_sound_and_ends_right(task, seed):
    draw = random.Random(seed)
    prompt = task.draw(draw)
    found = truth(task, prompt, texts(attempt(task, prompt, draw)))
    if found.first_error is None:
        assert found.is_right
        assert all(step.is_sound for step in found.steps)
    else:
        assert not found.steps[found.first_error].is_right


@given(tasks, seeds)
def test_what_is_kept_of_noticed_errors_has_no_line_that_was_taken_back(task, seed):
    draw = random.Random(seed)
    prompt = task.draw(draw)
    lines = kept(attempt(task, prompt, draw, notice=0.999))
    assert "Wait." not in lines
    assert marks(task, prompt, "\n".join(lines)).upper().count("D") == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_value_of_a_problem_is_the_share_of_right_solutions(name):
    task, draw = TASKS[name](), random.Random(0)
    prompts = [task.draw(draw) for _ in range(60)]
    shares = [truth(task, prompt, texts(attempt(task, prompt, draw))).is_right for prompt in prompts * 20]
    expected = sum(value(task, prompt, "") for prompt in prompts) / len(prompts)
    assert sum(shares) / len(shares) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RIGHT, "RRR"),
        ("(a): 3 up 4 is 8\n(b): 8 up 2 is 0\nThe answer is \\boxed{0}.", "wrr"),
        ("(a): 3 up 4 is 8\nWait.\n" + RIGHT, "wRRRR"),
        ("(a): 3 up 4 is 8\n(b): 8 up 2 is 9\nThe answer is \\boxed{9}.", "wWR"),
        ("(a): 3 up 4 is 7\nThe answer is \\boxed{7}.", "Rw"),
        ("(a): 3 up 4 is 7\n(b): 7 up 2 is 9\nThe answer is \\boxed{8}.", "RRw"),
        ("(a): 3 up 4 is 7\nI like this.\n(b): 7 up 2 is 9", "RDR"),
        ("(a): 3 up 4 is 7\n(b): 7 up 2\nThe answer is \\boxed{9}.", "Rww"),
        ("(a): 3 up 4 is 8\nHmm, that does not hold. I will redo this step.\n" + RIGHT, "wdRRR"),
        ("(a): 3 up 4 is 8\n(b): 8 up 2 is 0\nThis was wrong from the start.\n" + RIGHT, "wrdRRR"),
        ("(a): 3 up 4 is 7\n(b): 7 up 2 is 8\nI go on from (a).\n(b): 7 up 2 is 9", "RwdR"),
        ("(b): 7 up 2 is 9", "w"),
        ("(a): 3 up 4 is 8\n" + AGAIN + "\n" + RIGHT, "wRRRR"),
        ("(a): 3 up 4 is 7\nWait.\n" + RIGHT, "RDRRR"),
        ("<think>\n(a): 3 up 4 is 8\n</think>\n\n" + RIGHT, "RwRRRR"),
        ("", ""),
    ],
)
def test_the_truth_of_a_chain(text, expected):
    assert marks(Chains(), CHAIN, text) == expected


def test_a_step_that_is_left_out_is_the_first_error_though_every_line_is_a_fact():
    prompt = "Omission: 3\n(a): in 4\n(b): in 2\n(c): in 1"
    text = "(a): 3 in 4 is 7\n(c): 7 in 1 is 8\nThe answer is \\boxed{8}."
    assert marks(Omissions(), prompt, text) == "Rwr"


def test_a_repeated_step_is_a_detour():
    prompt = "Detour: 3\n(a): up 4\n(b): up 2"
    text = "(a): 3 up 4 is 7\nagain (a): 3 up 4 is 7\n(b): 7 up 2 is 9\nThe answer is \\boxed{9}."
    assert marks(Detours(), prompt, text) == "RDRR"


def test_a_wrong_carry_is_an_error_though_the_digit_is_right():
    prompt = "Carry:\n(a): 9, 5\n(b): 3, 3"
    assert worked(Carries(), prompt)[:2] == ("(a): 9, 5, 0 is 14; 1", "(b): 3, 3, 1 is 07; 1")
    text = "(a): 9, 5, 0 is 04; 0\n(b): 3, 3, 0 is 06; 0\nThe answer is \\boxed{0}."
    assert marks(Carries(), prompt, text) == "wrr"


def test_the_value_of_a_prefix_is_that_of_the_beliefs_still_to_come():
    assert value(Chains(beliefs=Beliefs(share=0.0)), CHAIN, "") == 1.0
    task = Chains(beliefs=SURE)
    assert value(task, CHAIN, "(a): 3 up 4 is 7") == 0.5
    assert value(task, CHAIN, "(a): 3 up 4 is 7\n(b): 7 up 2 is 9") == 1.0
    assert value(task, CHAIN, RIGHT) == 1.0


def test_an_error_that_may_be_noticed_leaves_a_value():
    task = Slips(beliefs=Beliefs(share=1.0, rate=0.8), notice=0.4)
    prompt = "Slip: 3\n(a): left 4"
    believed = task.moves(task.begin(prompt))[1].text
    assert value(task, prompt, believed) == pytest.approx(0.4)
    assert value(task, prompt, "") == pytest.approx(0.2 + 0.8 * 0.4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Chains(min_steps=0), "min_steps must be at least 1, got 0"),
        (lambda: Chains(min_steps=5, max_steps=4), "max_steps must be from min_steps \\(5\\) to 12, got 4"),
        (lambda: Beliefs(rate=1.5), "rate must be from 0 to 1, got 1.5"),
        (lambda: Detours(repeat=1.0), "repeat must be at least 0 and below 1, got 1.0"),
        (lambda: Slips(notice=1.0), "notice must be at least 0 and below 1, got 1.0"),
        (lambda: task_of("How many?"), "prompt must be one of the laboratory's, got 'How many\\?'"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
