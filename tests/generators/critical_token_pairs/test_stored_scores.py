import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.critical_token_pairs.contrastive_scores import ContrastiveScores
from generators.critical_token_pairs.stored_scores import StoredScores

NUMBERS = st.floats(allow_nan=False)


@st.composite
def scores(draw):
    n = draw(st.integers(0, 6))
    return ContrastiveScores(*((None, *draw(st.lists(NUMBERS, min_size=n, max_size=n))) for _ in range(2)))


@given(st.lists(scores(), max_size=5), st.randoms(use_true_random=False))
def test_scores_come_back_exactly_in_whatever_order_they_were_written(several, chance):
    stored = StoredScores(len(several))
    for number in chance.sample(range(len(several)), len(several)):
        stored.add(number, several[number])
    assert list(stored) == several
    assert stored[1:] == several[1:]
    for number, one in enumerate(several):
        assert stored.log_ratios(number)[1:].tolist() == list(one.log_ratios[1:])


def test_there_are_as_many_scores_as_sequences():
    with pytest.raises(IndexError):
        StoredScores(2)[2]
