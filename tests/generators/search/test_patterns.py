from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.records import NO_ERROR
from generators.search.patterns import MOST_STEPS_WITH_RECOVERY, patterns

# steps, ends right, with recovery, then for each first error the states behind all steps but the last
LITERAL = [
    (3, True, False, {-1: ["11"]}),
    (3, True, True, {0: ["01", "00"], 1: ["10"], -1: ["11"]}),
    (3, False, False, {0: ["00"], 1: ["10"], 2: ["11"]}),
    (3, False, True, {0: ["00", "01"], 1: ["10"], 2: ["11"]}),
    (1, True, True, {-1: [""]}),
    (1, False, True, {0: [""]}),
    (2, True, True, {0: ["0"], -1: ["1"]}),
    (2, False, True, {0: ["0"], 1: ["1"]}),
]


def by_first_error(found):
    ends = [*found.starts[1:], len(found.right)]
    return {
        int(first): ["".join(str(int(state)) for state in row) for row in found.right[start:end]]
        for first, start, end in zip(found.first_errors, found.starts, ends, strict=True)
    }


@pytest.mark.parametrize(("n_steps", "ends_right", "with_recovery", "expected"), LITERAL)
def test_the_patterns_of_a_short_solution_are_these(n_steps, ends_right, with_recovery, expected):
    assert by_first_error(patterns(n_steps, ends_right=ends_right, with_recovery=with_recovery)) == expected


def test_the_patterns_with_a_recovery_are_marked():
    right, wrong = (patterns(3, ends_right=ends_right, with_recovery=True) for ends_right in (True, False))
    assert list(right.recovers) == [True, True, True, False]
    assert list(wrong.recovers) == [False, True, False, False]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.booleans(), st.booleans())
def test_patterns_stand_in_the_order_of_their_first_error(n_steps, ends_right, with_recovery):
    found = patterns(n_steps, ends_right=ends_right, with_recovery=with_recovery)
    firsts = np.where(found.first_errors == NO_ERROR, n_steps, found.first_errors)
    assert list(firsts) == sorted(set(firsts))
    assert found.starts[0] == 0
    assert found.right.shape == found.wrong.shape == (len(found.recovers), n_steps - 1)
    assert (found.right + found.wrong == 1).all()
    for first, rows in by_first_error(found).items():
        expected = n_steps - 1 if first == NO_ERROR else first
        assert {(row + "0").index("0") for row in rows} <= {min(expected, n_steps - 1)}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, MOST_STEPS_WITH_RECOVERY))
def test_there_are_as_many_patterns_as_ways_to_choose_their_turns(n):
    right = patterns(n, ends_right=True, with_recovery=True)
    wrong = patterns(n, ends_right=False, with_recovery=True)
    assert len(right.recovers) == 1 + comb(n, 2)
    assert len(wrong.recovers) == n + comb(n, 3)
    assert len(np.unique(right.right, axis=0)) == len(right.right)


def test_a_wrong_solution_of_many_steps_has_no_patterns_with_a_recovery():
    n = MOST_STEPS_WITH_RECOVERY + 1
    assert not patterns(n, ends_right=False, with_recovery=True).recovers.any()
    assert patterns(n - 1, ends_right=False, with_recovery=True).recovers.any()
    assert patterns(n, ends_right=True, with_recovery=True).recovers.any()
