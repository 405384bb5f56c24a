import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.engine.simulated.statement import MODULUS
from generators.engine.simulated.vocabulary import FILLER_WORDS
from generators.process_labels.audit.arithmetic import last_equation
from generators.process_labels.audit.corruption import corrupt, corruptions, near_numbers, passed_on

MADE = [
    ("17 + 5 = 22\n", "number", "17 + 5 = 23\n"),
    ("17 + 5 = 22\n", "number", "17 + 6 = 23\n"),
    ("17 + 5 = 22\n", "operation", "17 - 5 = 12\n"),
    ("3 * 4 = 12\n", "operation", "3 + 4 = 7\n"),
    ("3 + 5 = 8", "operation", "3 - 5 = -2"),
    ("12 / 4 = 3", "operation", "12 - 4 = 8"),
    ("5 \\times 4 = 20", "operation", "5 + 4 = 9"),
    ("3 + 5 + 2 = 10", "dropped_condition", "3 + 5 = 8"),
    ("(3 + 5) * 2 = 16", "dropped_condition", "(3 + 5) = 8"),
    ("Step 1: 17 + 5 = 22, so 22 are left.", "number", "Step 1: 17 + 5 = 21, so 21 are left."),
    ("$2.50 + $1.00 = $3.50", "operation", "$2.50 - $1.00 = $1.50"),
    ("17 + 5 = 22, which gives 3 boxes.", "number", "17 + 5 = 22, which gives 2 boxes."),
    ("Adding 12 now then gives 57\n", "number", "Adding 12 now then gives 58\n"),
    ("Adding 12 now then gives 57\n", "operation", "Subtracting 12 now then gives 33\n"),
    ("Adding 5 to 17 gives 22.", "operation", "Subtracting 5 from 17 gives 12."),
    ("We subtract 5 from 17, which leaves 12.", "operation", "We add 5 to 17, which leaves 22."),
    ("2x + 3 = 11", "number", "2x + 3 = 12"),
    ("Ann has 3 apples, and 3 are too few for 5.", "number", "Ann has 4 apples, and 4 are too few for 5."),
    ("Ann has 3 apples, buys 5 more and sells 2.\n", "number", "Ann has 3 apples, buys 6 more and sells 2.\n"),
    ("Ann has 3 apples, buys 5 more and sells 2.\n", "dropped_condition", "Ann has 3 apples and sells 2.\n"),
    ("Ann has 3 apples, buys 5 more and sells 2.\n", "dropped_condition", "Ann has 3 apples, buys 5 more.\n"),
]


@pytest.mark.parametrize(("step", "kind", "spoilt"), MADE)
def test_a_step_is_spoilt_by_a_number_an_operation_or_a_condition_left_out(step, kind, spoilt):
    assert (kind, spoilt) in [(one.kind, one.text) for one in corruptions(step)]


@pytest.mark.parametrize(
    "step",
    [
        "Let us begin.\n",
        "Step 3\n",
        "By step 2, we are done.",
        "The 2nd one, x_1.",
        "The total is 22 since 17 + 5 = 22.",
        "5 - 8 = -3, so we owe 3.",
        "17 + 5 = 22 and so on" + " and on" * 300,
        "",
    ],
)
def test_where_nothing_can_be_spoilt_there_is_no_corruption(step):
    assert corrupt(step, random.Random(0)) is None


@pytest.mark.parametrize(
    ("step", "kinds"),
    [
        ("17 + 5 = 22", {"number", "operation"}),
        ("2 + 2 = 4", {"number", "operation"}),
        ("5 + 0 = 5", {"number"}),
        ("3 + 5 + 2 = 10", {"number", "operation", "dropped_condition"}),
        ("Adding 0 gives 57", {"number"}),
        ("Adding 12 now gives 3", {"number"}),
        ("We add 5, then subtract 3, which leaves 12.", {"number"}),
        ("Boxes of 3 apples", {"number"}),
        ("She knows, but 5 is here.", {"number"}),
    ],
)
def test_only_errors_that_change_what_is_passed_on_are_made(step, kinds):
    assert {one.kind for one in corruptions(step)} == kinds


@pytest.mark.parametrize(
    ("number", "near"),
    [
        ("57", ("47", "55", "56", "58", "59", "67")),
        ("0", ("1", "2")),
        ("1", ("2", "3")),
        ("99", ("89", "97", "98")),
        ("-5", ("-3", "-4", "-6", "-7")),
        ("1,000", ("1,001", "1,002", "1,010")),
        ("2.50", ("2.40", "2.48", "2.49", "2.51", "2.52", "2.60")),
    ],
)
def test_a_near_number_keeps_sign_digits_and_manner(number, near):
    assert near_numbers(number) == near


def test_the_kinds_are_drawn_evenly_and_a_seed_repeats():
    step = "3 + 5 + 2 = 10"
    drawn = [corrupt(step, random.Random(seed)).kind for seed in range(300)]
    assert all(80 < drawn.count(kind) < 120 for kind in ("number", "operation", "dropped_condition"))
    assert corrupt(step, random.Random(7)) == corrupt(step, random.Random(7))


def an_equation(terms, signs):
    formula = str(terms[0]) + "".join(f" {sign} {term}" for sign, term in zip(signs, terms[1:], strict=False))
    return f"{formula} = {eval(formula)}\n"


EQUATIONS = st.builds(
    an_equation, st.lists(st.integers(0, 400), min_size=2, max_size=5), st.lists(st.sampled_from("+-*"), min_size=4)
)


@given(EQUATIONS)
def test_every_error_in_an_equation_changes_its_result(step):
    made = corruptions(step)
    assert made
    for one in made:
        spoilt = last_equation(one.text)
        assert spoilt.result != last_equation(step).result
        assert spoilt.is_true or one.kind == "number"
        assert passed_on(one.text) != passed_on(step)
        assert one.text.endswith("\n")


SIMULATED = st.builds(
    lambda addend, fillers, total: f"Adding {addend}{''.join(fillers)} gives {total}\n",
    st.integers(1, MODULUS - 1),
    st.lists(st.sampled_from(FILLER_WORDS), max_size=4),
    st.integers(0, MODULUS - 1),
)


@given(SIMULATED)
def test_every_error_in_a_line_of_the_simulated_policy_states_another_total_that_it_can_read(step):
    made = corruptions(step)
    assert made
    for one in made:
        assert passed_on(one.text) != passed_on(step)
        assert 0 <= passed_on(one.text) < MODULUS


@given(st.text(alphabet="0123 +-*/=().,ando\n", max_size=60), st.integers(0, 9))
def test_a_corruption_is_never_the_step_itself(step, seed):
    found = corrupt(step, random.Random(seed))
    assert found is None or found.text != step
    if found and passed_on(step) is not None:
        assert passed_on(found.text) != passed_on(step)
