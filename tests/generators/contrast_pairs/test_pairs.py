"""Which attempts are set against each other, and what their advantages are."""

from fractions import Fraction
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from generators.contrast_pairs.pairs import counted, pairs_of, rates
from generators.contrast_pairs.settings import Settings
from generators.problems.table import PROBLEMS

ORIGIN = {"policy": "tiny", "round": "r1", "slice": "sums-0"}
WORDS = ("add", "count", "double", "split", "carry", "borrow", "halve", "round", "swap", "group", "sum", "check")
LETTERS = {"r": ("equal", True), "w": ("different", False), "n": ("no_answer", False), "u": ("timeout", None)}


def problem(name):
    return {"problem_id": name, "source": "sums", "prompt": f"{name}?", "answer": "4", "also_accepted": [], "level": ""}


def attempt(name, index, letter, *, text=None, finish_reason="eos", n_tokens=None):
    verdict, is_right = LETTERS[letter]
    return {
        "problem_id": name,
        "attempt_index": index,
        "text": text or f"{WORDS[index]} one then {WORDS[index - 1]} two, so {4 if is_right else 5 + index}",
        "token_ids": [7] * (n_tokens or 10 + index),
        "finish_reason": finish_reason,
        "verdict": verdict,
        "is_right": is_right,
    }


def frame(rows):
    types = {"token_ids": pl.List(pl.UInt32), "is_right": pl.Boolean, "attempt_index": pl.Int64}
    return pl.DataFrame(rows, schema_overrides=types)


def attempts_at(letters, name="p"):
    return [attempt(name, index, letter) for index, letter in enumerate(letters)]


def pairs(rows, seed=0, **changes):
    names = sorted({row["problem_id"] for row in rows})
    return pairs_of(
        frame(rows),
        PROBLEMS.frame([problem(name) for name in names]),
        ORIGIN,
        settings=Settings(**changes),
        near_duplicates=0.7,
        seed=seed,
    )


def sides(made):
    return made.kept.select("chosen_index", "rejected_index").rows()


def reasons(made):
    return dict(made.dropped.sort("attempt_index").select("attempt_index", "reason").iter_rows())


@given(letters=st.lists(st.sampled_from("rwnu"), min_size=2, max_size=12))
def test_advantages_are_the_reward_less_the_mean_of_the_others_and_add_up_to_zero(letters):
    rewards = [1 if letter == "r" else -1 for letter in letters if letter != "u"]
    if len(rewards) < 2:
        return
    by_hand = [Fraction(own) - Fraction(sum(rewards) - own, len(rewards) - 1) for own in rewards]
    assert sum(by_hand) == 0
    stated = counted(frame(attempts_at(letters)), Settings()).filter(pl.col("is_right").is_not_null())
    advantage = pl.when("is_right").then(rates()["chosen_advantage"]).otherwise(rates()["rejected_advantage"])
    exact = [Fraction(value).limit_denominator(len(rewards)) for value in stated.select(advantage).to_series()]
    assert exact == by_hand


def test_an_undecided_attempt_changes_nothing_unless_it_counts_as_wrong():
    without, beside = attempts_at("rrww"), [*attempts_at("rrww"), attempt("p", 9, "u")]
    assert pairs(beside, pairs_per_problem=2).kept.equals(pairs(without, pairs_per_problem=2).kept)
    (row,) = pairs(beside, undecided="wrong").kept.iter_rows(named=True)
    assert (row["n_right"], row["n_decided"], row["pass_rate"]) == (2, 5, 0.4)
    assert (row["chosen_advantage"], row["rejected_advantage"]) == (1.5, -1.0)


@examples(max_examples=20)
@given(order=st.permutations(range(10)), number=st.integers(1, 4))
def test_pairs_do_not_depend_on_the_order_of_the_attempts(order, number):
    rows = attempts_at("rrwwr", "p") + attempts_at("wrwwn", "q")
    first, other = (pairs(some, pairs_per_problem=number) for some in (rows, [rows[place] for place in order]))
    assert other.kept.equals(first.kept)
    keys = ("problem_id", "attempt_index")
    assert other.dropped.sort(keys).equals(first.dropped.sort(keys))


def test_a_problem_gives_as_many_pairs_as_are_asked_for_and_no_attempt_is_in_two():
    rows = attempts_at("rrrrwwwww")
    for number in (1, 2, 3, 4):
        found = sides(pairs(rows, pairs_per_problem=number))
        assert len(found) == number
        assert len({index for pair in found for index in pair}) == 2 * number
    assert len(sides(pairs(attempts_at("rwwww"), pairs_per_problem=4))) == 1


def test_another_seed_draws_other_sides():
    rows = attempts_at("rrrrrwwwww")
    assert len({sides(pairs(rows, seed=seed))[0] for seed in range(20)}) > 10


def test_the_shortest_right_side_is_taken_if_asked_for():
    rows = [attempt("p", index, letter, n_tokens=20 - index) for index, letter in enumerate("rrrrwww")]
    drawn = {sides(pairs(rows, seed=seed, right_side="shortest"))[0] for seed in range(20)}
    assert {chosen for chosen, _ in drawn} == {3}
    assert len({rejected for _, rejected in drawn}) == 3


def test_later_draws_change_neither_rates_nor_pairs():
    first = attempts_at("rwww")
    later = [attempt("p", index, "r") for index in range(4, 9)]
    made = pairs(first + later, draws=4)
    assert made.kept.equals(pairs(first, draws=4).kept)
    assert made.kept["pass_rate"].to_list() == [0.25]
    assert list(reasons(made).values()).count("later_draw") == 5


@pytest.mark.parametrize(("true", "read_off"), [(0.05, 0.13), (0.9, 0.79)])
def test_first_draws_give_the_true_rate_where_draws_go_on_until_both_kinds_are_seen(true, read_off):
    chance = Random(4)
    rows = []
    for number in range(4000):
        outcomes = [chance.random() < true for _ in range(64)]
        seen = next((n for n in range(2, 64) if len(set(outcomes[:n])) == 2), 64)
        rows += [
            {"problem_id": str(number), "attempt_index": index, "is_right": is_right, "token_ids": []}
            for index, is_right in enumerate(outcomes[: max(seen, 8)])
        ]
        rows[-1]["seen"] = sum(outcomes[:seen]) / seen
    stated = counted(frame(rows), Settings(draws=8))
    ours = stated.unique("problem_id").select(rates()["pass_rate"].mean()).item()
    assert ours == pytest.approx(true, abs=0.006)
    assert stated["seen"].mean() == pytest.approx(read_off, abs=0.01)


@pytest.mark.parametrize(
    ("letters", "changes", "reason"),
    [
        ("rr", {}, "none_wrong"),
        ("ww", {}, "none_right"),
        ("rw", {"finish_reason": "length"}, "truncated"),
        ("rw", {"text": "ответ четыре"}, "foreign_script"),
        ("rw", {"text": "so it is 4 " * 40}, "word_loop"),
        ("rw", {"text": "2 + 2 = 5, so 4"}, "false_equation"),
        ("rw", {"text": " "}, "blank"),
        ("rw", {}, None),
    ],
)
def test_an_attempt_that_cannot_be_a_side_says_why(letters, changes, reason):
    first, second = letters
    made = pairs([attempt("p", 0, first, **changes), attempt("p", 1, second)])
    assert (made.kept.height == 0, reasons(made).get(0)) == (reason is not None, reason)


ALIKE = "first add the two numbers three and one with care and then write down what comes out, which is {}"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((ALIKE.format("4"), ALIKE.format("5")), 1),  # other numbers: the contrast that is wanted
        ((ALIKE.format("4"), ALIKE.format("4 too")), 0),
        ((ALIKE.format("4"), ALIKE.format("4")), 0),
    ],
)
def test_sides_that_nearly_repeat_each_other_are_no_pair(texts, expected):
    made = pairs([attempt("p", index, "rw"[index], text=text) for index, text in enumerate(texts)])
    assert made.kept.height == expected
    assert reasons(made) == ({} if expected else {0: "not_drawn", 1: "near_duplicate"})


def test_near_repeats_on_one_side_make_no_second_pair():
    rows = [attempt("p", 0, "r", text=ALIKE.format("4")), attempt("p", 1, "r", text=ALIKE.format("4 now"))]
    made = pairs([*rows, attempt("p", 2, "w"), attempt("p", 3, "w")], pairs_per_problem=4)
    assert [chosen for chosen, _ in sides(made)] == [0]


def test_every_attempt_is_in_a_pair_or_dropped_with_a_reason():
    rows = attempts_at("rrwnu", "p") + attempts_at("rrrr", "q") + attempts_at("wnu", "z")
    made = pairs(rows)
    paired = {
        (row["problem_id"], row[f"{side}_index"]) for row in made.kept.to_dicts() for side in ("chosen", "rejected")
    }
    dropped = set(made.dropped.select("problem_id", "attempt_index").iter_rows())
    assert paired | dropped == {(row["problem_id"], row["attempt_index"]) for row in rows}
    assert not paired & dropped
