from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.answers.checker import DEFAULT_RULE, Verdict
from generators.critical_token_pairs.choice import choose_solutions
from generators.records import Attempt

RIGHT = "7"


def attempts(*answers, problem_id="p", **changes):
    return [attempt(index, answer, problem_id, **changes) for index, answer in enumerate(answers)]


def attempt(index, answer, problem_id="p", finish_reason="eos", verdict=None):
    decided = Verdict.NO_ANSWER if answer is None else Verdict.EQUAL if answer == RIGHT else Verdict.DIFFERENT
    return Attempt(
        problem_id=problem_id,
        attempt_index=index,
        prompt_token_ids=(1, 2),
        token_ids=(3, index, 0),
        text=f"solution {index}",
        finish_reason=finish_reason,
        verdict=verdict or decided,
        extracted=answer,
    )


def choose(tried):
    return choose_solutions(tried, rule=DEFAULT_RULE)


@pytest.mark.parametrize(
    ("answers", "negatives"),
    [
        ("1", "1"),
        ("1 1 2", "1"),  # 2 of 3 cover half
        ("1 1 2 2 3", "1 2"),  # 2 of 5 do not, 4 do
        ("1 1 1 2 2 3 3 4", "1 2"),
        ("1 1 2 3 4 5 6", "1"),  # behind the first answer only those that come twice
        ("1 2 3", "1"),
        ("2 2 1 1", "2"),  # as frequent: the one that came first
        ("3 1 1", "1"),
        ("", ""),
    ],
)
def test_wrong_answers_are_taken_by_frequency_until_half_of_them_are_covered(answers, negatives):
    choice = choose(attempts(*answers.split()))
    assert [negative.extracted for negative in choice.negatives] == negatives.split()
    assert choice.positive is None and choice.pair is None


def test_a_right_solution_that_states_a_false_equation_is_not_chosen():
    tried = attempts(RIGHT, RIGHT, "1")
    false = [replace(tried[0], text="3 + 4 = 8, so 7"), tried[1], tried[2]]
    choice = choose(false)
    assert (choice.positive, choice.pair.chosen, choice.all_refuted) == (tried[1], tried[1], False)
    none = choose([false[0], tried[2]])
    assert (none.positive, none.pair, none.all_refuted) == (None, None, True)
    assert not choose([tried[2]]).all_refuted


def test_spellings_of_one_wrong_answer_count_together():
    choice = choose(attempts("3", "3", "0.5", "1/2", r"\frac{1}{2}"))
    assert [negative.attempt_index in (2, 3, 4) for negative in choice.negatives] == [True]


def test_the_pair_sets_a_right_solution_against_one_of_the_most_frequent_wrong_answer():
    choice = choose(attempts("7", "1", "2", "7", "2"))
    assert choice.positive is not None and choice.pair is not None
    assert {choice.positive.attempt_index, choice.pair.chosen.attempt_index} == {0, 3}
    assert {choice.negatives[0].attempt_index, choice.pair.rejected.attempt_index} == {2, 4}


def test_the_only_solution_of_a_side_serves_model_and_pair():
    choice = choose(attempts("7", "1"))
    assert choice.pair is not None
    assert (choice.pair.chosen, choice.pair.rejected) == (choice.positive, choice.negatives[0])


def test_right_solutions_alone_give_no_pair():
    choice = choose(attempts("7", "7"))
    assert choice.positive is not None
    assert (choice.negatives, choice.pair) == ((), None)


@pytest.mark.parametrize(
    "unusable",
    [
        attempt(9, None),
        attempt(9, " "),
        attempt(9, "1", finish_reason="length"),
        attempt(9, "1", verdict=Verdict.TIMEOUT),
        attempt(9, "1", verdict=Verdict.UNPARSED),
    ],
    ids=["no answer", "blank", "cut off", "time-out", "unparsed"],
)
def test_attempts_without_a_finished_decided_answer_are_passed_over(unusable):
    tried = attempts("7", "2", "2", "3")
    assert choose([*tried, unusable]) == choose(tried)


def test_attempts_at_two_problems_are_refused():
    with pytest.raises(ValueError, match=r"attempts must be at one problem, got \['p', 'q'\]"):
        choose([*attempts("7"), attempt(1, "7", "q")])


def test_which_solution_stands_for_an_answer_differs_from_problem_to_problem():
    chosen = {choose(attempts(*["7"] * 8, problem_id=f"p{n}")).positive.attempt_index for n in range(40)}
    assert len(chosen) > 4


answer_lists = st.lists(st.sampled_from(["7", "1", "2", "3", None]), max_size=24)


@given(answer_lists, st.integers())
def test_the_order_of_the_attempts_changes_nothing(answers, seed):
    tried = attempts(*answers)
    assert choose(Random(seed).sample(tried, len(tried))) == choose(tried)


@given(answer_lists)
def test_negatives_have_one_solution_an_answer_and_stop_as_soon_as_half_is_covered(answers):
    wrong = [answer for answer in answers if answer not in ("7", None)]
    taken = [negative.extracted for negative in choose(attempts(*answers)).negatives]
    counts = [wrong.count(answer) for answer in taken]
    assert len(set(taken)) == len(taken) and bool(taken) == bool(wrong)
    assert counts == sorted(counts, reverse=True) and all(count > 1 for count in counts[1:])
    assert 2 * sum(counts[:-1]) < max(len(wrong), 1)
    best_left = max((wrong.count(answer) for answer in wrong if answer not in taken), default=0)
    assert 2 * sum(counts) >= len(wrong) or best_left <= 1


@given(answer_lists)
def test_a_pair_stands_exactly_where_both_sides_have_a_solution(answers):
    choice = choose(attempts(*answers))
    assert (choice.pair is not None) == (choice.positive is not None and bool(choice.negatives))
    if choice.pair is not None:
        assert choice.pair.chosen.verdict.is_right
        assert choice.pair.rejected.extracted == choice.negatives[0].extracted
