import polars as pl
import pytest

from filters.rules import apply_rules
from filters.texts import quality


def reasons(rules, column, values):
    """The reason for each value, or None where its row is kept."""
    frame = pl.DataFrame({"row": range(len(values)), column: values}, strict=False)
    dropped = dict(apply_rules(frame, rules).dropped.select("row", "reason").iter_rows())
    return [dropped.get(row) for row in range(len(values))]


def test_a_text_that_was_cut_off_is_dropped():
    assert reasons(quality.not_truncated(), "finish_reason", ["eos", "length", "stop"]) == [None, "truncated", None]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("So x = 5, and \\alpha is 3.", None),
        ("α + β = 5", None),
        ("12 + 7 = 19", None),
        ("", None),
        ("Тhis mixes scripts", "foreign_script"),
        ("First 我们 compute the sum", "foreign_script"),
        (f"{'x' * 100} 我", None),
    ],
)
def test_letters_of_another_script_are_noticed(text, reason):
    assert reasons(quality.one_script("text"), "text", [text]) == [reason]


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        ("a", "b", None),
        (" ", "b", "chosen_blank"),
        ("a", "\n", "rejected_blank"),
        ("a  b\n", "a b", "sides_equal"),
    ],
)
def test_the_sides_of_a_pair_must_both_say_something_and_differ(chosen, rejected, reason):
    kept = apply_rules(
        pl.DataFrame({"chosen": [chosen], "rejected": [rejected]}), quality.sides_differ("chosen", "rejected")
    )
    assert kept.counts() == ({reason: 1} if reason else {})


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("What is 5 + 5?", None),
        ("Write the final answer inside \\boxed{}.", None),
        ("Is the answer is unique?", None),
        ("5 + 5 = \\boxed{10}", "answer_in_prompt"),
        ("5 + 5?\n#### 10", "answer_in_prompt"),
        ("5 + 5? The answer is 10.", "answer_in_prompt"),
    ],
)
def test_an_answer_that_is_marked_in_the_prompt_is_a_leak(prompt, reason):
    assert reasons(quality.no_answer_in("prompt"), "prompt", [prompt]) == [reason]


def test_texts_steps_and_pass_rates_have_bounds():
    assert reasons(quality.lengths_within("t", least=2, most=3), "t", ["a", "ab", "abcd"]) == [
        "too_short",
        None,
        "too_long",
    ]
    steps = [["a"], ["a", "b"], ["a", " "], ["a", "b" * 9], ["a", "b", "c", "d"]]
    assert reasons(quality.steps_within("s", least=2, most=3, longest=5), "s", steps) == [
        "too_few_steps",
        None,
        "blank_step",
        "step_too_long",
        "too_many_steps",
    ]
    assert reasons(quality.pass_rate_within(0.1, 0.9), "pass_rate", [0.0, 0.5, 1.0]) == ["too_hard", None, "too_easy"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: quality.one_script("t", most_foreign=2), "most_foreign must be from 0 to 1, got 2"),
        (lambda: quality.lengths_within("t", least=3, most=2), r"least must be from 0 to most \(2\), got 3"),
        (lambda: quality.steps_within("s", least=0, most=2, longest=1), r"least must be from 1 to most \(2\), got 0"),
        (lambda: quality.pass_rate_within(0.9, 0.1), r"least must be from 0 to most \(0.1\)"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
