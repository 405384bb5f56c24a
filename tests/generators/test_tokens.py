"""Token ids behave as the tuple of the same numbers does."""

import pickle
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.tokens import TokenIds

IDS = st.lists(st.integers(0, 2**32 - 1), max_size=20).map(tuple)
PLACES = st.one_of(st.none(), st.integers(-25, 25))


@given(IDS, PLACES, PLACES, st.sampled_from([None, 1, 2, -1]))
def test_a_slice_is_that_of_the_tuple(ids, start, stop, step):
    assert TokenIds(ids)[start:stop:step] == ids[start:stop:step]


@given(IDS, IDS)
def test_sums_comparisons_and_hashes_are_those_of_tuples(left, right):
    assert TokenIds(left) + right == left + TokenIds(right) == left + right
    assert (TokenIds(left) == TokenIds(right)) == (left == right) == (TokenIds(left) == right)
    assert hash(TokenIds(left)) == hash(left)
    assert {left: "known"}[TokenIds(left)] == "known"


@given(IDS)
def test_numbers_come_out_as_they_went_in(ids):
    tokens = TokenIds(ids)
    assert (len(tokens), tuple(tokens), tokens.to_list()) == (len(ids), ids, list(ids))
    assert pickle.loads(pickle.dumps(tokens[1:])) == ids[1:]
    assert TokenIds(memoryview(tokens.tobytes())) == ids


def test_a_slice_points_into_the_same_memory():
    whole = array("I", range(1000))
    part = TokenIds(memoryview(whole))[10:20]
    assert part.view.obj is whole
    assert part == tuple(range(10, 20))


@pytest.mark.parametrize("wrong", [[-1], [2**32], [1.5], ["1"]])
def test_what_is_no_token_id_is_refused(wrong):
    with pytest.raises((OverflowError, TypeError)):
        TokenIds(wrong)
