"""Curves of one problem against every choice of k attempts, written out."""

from collections import Counter
from itertools import combinations
from statistics import mean

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.answers.verdicts import DEFAULT_RULE
from generators.contrast_pairs.dataset import DATASET as CONTRAST_PAIRS
from generators.coverage.curves import NO_ANSWER, RIGHT, curves_of, pass_at_k, sizes_up_to
from generators.coverage.dataset import DATASET as COVERAGE
from generators.coverage.table import measured, numbered

ANSWERS = st.lists(st.sampled_from([RIGHT, NO_ANSWER, 1, 2, 3]), min_size=1, max_size=8)


def majority(answers):
    votes = Counter(answer for answer in answers if answer != NO_ANSWER)
    winners = [answer for answer in votes if votes[answer] == max(votes.values())]
    return winners.count(RIGHT) / len(winners) if winners else 0.0


def first(chosen):
    least = min(tokens for _, tokens in chosen)
    return mean(answer == RIGHT for answer, tokens in chosen if tokens == least)


def over_choices(value, items, k):
    return mean(float(value(chosen)) for chosen in combinations(items, k))


@settings(max_examples=60, deadline=None)
@given(answers=ANSWERS, chance=st.randoms(use_true_random=False))
def test_a_curve_is_the_mean_over_every_choice_of_k_attempts(answers, chance):
    tokens = [chance.randint(1, 4) for _ in answers]
    curves = curves_of(answers, tokens)
    attempts = list(zip(answers, tokens, strict=True))
    for place, k in enumerate(sizes_up_to(len(answers))):
        by_hand = {
            "pass_at_k": over_choices(lambda chosen: RIGHT in chosen, answers, k),
            "majority_at_k": over_choices(majority, answers, k),
            "first_finish_at_k": over_choices(first, attempts, k),
            "tokens_at_k": over_choices(sum, tokens, k),
            "first_finish_tokens_at_k": k * over_choices(min, tokens, k),
        }
        assert {name: curves[name][place] for name in by_hand} == pytest.approx(by_hand)


@given(answers=ANSWERS, chance=st.randoms(use_true_random=False))
def test_curves_do_not_depend_on_which_draw_came_first(answers, chance):
    tokens = list(range(10, 10 + len(answers)))
    order = chance.sample(range(len(answers)), len(answers))
    permuted = curves_of([answers[place] for place in order], [tokens[place] for place in order])
    assert permuted == {name: pytest.approx(values) for name, values in curves_of(answers, tokens).items()}


@pytest.mark.parametrize(
    ("answers", "tokens", "expected"),
    [
        ([RIGHT, 1, 1, 1], [5, 6, 7, 8], [1.0, 0.5, 0.0]),
        ([1, RIGHT, RIGHT, 2], [5, 6, 7, 8], [0.0, 0.5, 1.0]),
        ([NO_ANSWER, RIGHT, 1, 1], [1, 2, 3, 4], [0.0, 1.0, 0.0]),
    ],
)
def test_the_shortest_k_of_all_attempts_vote(answers, tokens, expected):
    assert curves_of(answers, tokens)["shortest_k_majority"] == expected


def test_many_attempts_are_counted_exactly():
    curves = curves_of([RIGHT] * 100 + [1] * 90 + [2] * 60 + [NO_ANSWER] * 6, [7] * 256)
    assert curves["pass_at_k"][0] == curves["majority_at_k"][0] == curves["first_finish_at_k"][0] == 100 / 256
    assert curves["majority_at_k"] == sorted(curves["majority_at_k"])
    assert (curves["pass_at_k"][-1], curves["majority_at_k"][-1]) == (1.0, 1.0)


def test_more_attempts_than_there_are_have_no_coverage():
    with pytest.raises(ValueError, match=r"k must be from 1 to the number of attempts \(4\), got 5"):
        pass_at_k(4, 1, 5)


def test_equal_wrong_answers_share_a_number_and_right_ones_vote_together():
    extracted = ["4", "5", None, "5.0", "6", r"\frac{8}{2}"]
    assert numbered([True, False, False, False, False, True], extracted, DEFAULT_RULE) == [0, 1, NO_ANSWER, 1, 2, 0]


def attempts(*outcomes):
    rows = [
        {"problem_id": "p", "attempt_index": index, "token_ids": [7] * n, "extracted": answer, "is_right": is_right}
        for index, (answer, is_right, n) in enumerate(outcomes)
    ]
    return pl.DataFrame(rows, schema_overrides={"extracted": pl.String, "is_right": pl.Boolean})


def measure(table, draws=8):
    return list(measured(table, draws=draws, rule=DEFAULT_RULE))


def test_the_decided_ones_among_the_first_attempts_are_measured_in_the_order_of_their_indexes():
    table = attempts(("4", True, 3), ("5", False, 4), (None, None, 5), (None, False, 6), ("4", True, 7))
    expected = [{"problem_id": "p", "answer_numbers": [RIGHT, 1, NO_ANSWER], "n_tokens": [3, 4, 6]}]
    assert measure(table, draws=4) == measure(table.reverse(), draws=4) == expected
    assert measure(table)[0]["answer_numbers"] == [RIGHT, 1, NO_ANSWER, RIGHT]
    assert measure(attempts((None, None, 5))) == []


def test_outcome_datasets_draw_no_rollout():
    assert not COVERAGE.stage.samples and not CONTRAST_PAIRS.stage.samples
