from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.long_cot_traces.mix import RATINGS, Shares, mix_by_difficulty, mix_by_ratings, quotas
from generators.problems.difficulty import difficulty

FIVE, FOUR = [True] * 5 + [False] * 2, [True] * 4 + [False] * 3
RATED = [
    ("a", FIVE, "algebra", None),
    ("b", [True] * 7, "coding", None),
    ("c", FOUR, None, None),
    ("d", None, None, "unreadable_criteria"),
    ("e", FIVE, None, "unknown_topic"),
    ("f", [True] * 6 + [False], "algebra", None),
    ("g", None, None, "judge_truncated"),
]


def why(mix):
    return dict(mix.select("problem_id", "why").iter_rows())


def rated(rows):
    return pl.DataFrame(rows, schema=RATINGS, orient="row")


def test_every_rated_query_says_why_it_was_kept_or_dropped():
    mix = mix_by_ratings(rated(RATED), least_criteria=5)
    assert why(mix) == {
        "a": "criteria_met",
        "b": "criteria_met",
        "c": "too_few_criteria",
        "d": "unreadable_criteria",
        "e": "unknown_topic",
        "f": "criteria_met",
        "g": "judge_truncated",
    }
    assert mix.filter("is_kept")["problem_id"].to_list() == ["a", "b", "f"]
    assert mix["n_criteria"].to_list() == [5, 7, 4, None, 5, 6, None]


def test_how_many_criteria_are_enough_is_a_setting():
    kept = mix_by_ratings(rated(RATED), least_criteria=6).filter("is_kept")
    assert kept["problem_id"].to_list() == ["b", "f"]


def test_queries_beyond_the_share_of_their_topic_are_dropped():
    mix = mix_by_ratings(rated(RATED), least_criteria=5, shares=Shares(of={"algebra": 0.5, "coding": 0.5}))
    assert Counter(why(mix).values())["beyond_share_of_topic"] == 1
    assert mix.filter("is_kept")["topic"].sort().to_list() == ["algebra", "coding"]


def test_a_seed_chooses_the_same_queries_in_any_order_and_another_one_chooses_others():
    rows = [(f"q{n}", FIVE, "algebra" if n % 3 else "coding", None) for n in range(90)]

    def kept(rows, seed):
        shares = Shares(of={"algebra": 0.5, "coding": 0.5}, size=20, seed=seed)
        return mix_by_ratings(rated(rows), least_criteria=5, shares=shares).filter("is_kept")["problem_id"].to_list()

    assert kept(rows, 0) == kept(rows[::-1], 0)
    assert len(kept(rows, 0)) == 20
    assert kept(rows, 0) != kept(rows, 1)


def test_queries_with_a_pass_rate_are_mixed_by_it():
    attempts = [("a", True), ("a", True), ("b", True), ("b", False), ("c", False), ("c", False), ("d", None)]
    frame = pl.DataFrame(attempts, schema={"problem_id": pl.String, "is_right": pl.Boolean}, orient="row")
    frame = frame.with_columns(verdict=pl.lit("different"))
    mix = mix_by_difficulty(difficulty(frame), least=0.1, most=0.9)
    assert why(mix) == {"a": "too_easy", "b": "pass_rate_within", "c": "too_hard", "d": "no_pass_rate"}
    assert mix["difficulty"].to_list() == ["easy", "easy", "hard", None]
    shared = mix_by_difficulty(difficulty(frame), least=0.0, most=1.0, shares=Shares(of={"easy": 0.5, "hard": 0.5}))
    assert Counter(why(shared).values()) == {"pass_rate_within": 2, "beyond_share_of_difficulty": 1, "no_pass_rate": 1}


def test_an_empty_table_has_an_empty_mix():
    assert mix_by_ratings(rated([]), least_criteria=5, shares=Shares(of={"algebra": 1.0})).is_empty()


@pytest.mark.parametrize(
    ("available", "of", "size", "expected"),
    [
        ({"a": 10, "b": 10}, {"a": 0.5, "b": 0.5}, None, {"a": 10, "b": 10}),
        ({"a": 10, "b": 4}, {"a": 0.5, "b": 0.5}, None, {"a": 4, "b": 4}),
        ({"a": 10, "b": 4}, {"a": 0.75, "b": 0.25}, None, {"a": 10, "b": 3}),
        ({"a": 10}, {"a": 0.5, "b": 0.5}, None, {"a": 10}),
        ({"a": 10, "c": 9}, {"a": 1.0}, None, {"a": 10}),
        ({"a": 10, "b": 10}, {"a": 0.5, "b": 0.5}, 7, {"a": 4, "b": 3}),
        ({"a": 10, "b": 1}, {"a": 0.5, "b": 0.5}, 10, {"a": 5, "b": 1}),
        ({"a": 10}, {"a": 0.5, "b": 0.5}, 10, {"a": 5}),
        ({"c": 9}, {"a": 1.0}, 5, {}),
        ({}, {"a": 1.0}, None, {}),
        ({"a": 30, "b": 30, "c": 30}, {"a": 0.1, "b": 0.2, "c": 0.7}, None, {"a": 4, "b": 9, "c": 29}),
    ],
)
def test_shares_become_numbers(available, of, size, expected):
    assert quotas(available, Shares(of=of, size=size)) == expected


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 50)), st.integers(1, 60))
def test_no_group_gives_more_than_it_has_nor_the_mix_more_than_its_size(available, size):
    given_ = quotas(available, Shares(of={"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}, size=size))
    assert all(0 <= count <= available[group] for group, count in given_.items())
    assert sum(given_.values()) <= size


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"of": {}}, "of must be shares of at least 0 that add up to 1, got {}"),
        ({"of": {"a": 0.5}}, "add up to 1"),
        ({"of": {"a": 1.5, "b": -0.5}}, "shares of at least 0"),
        ({"size": 0}, "size must be at least 1, got 0"),
    ],
)
def test_shares_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Shares(**{"of": {"a": 1.0}, **changes})
