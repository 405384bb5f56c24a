from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.critical_token_pairs.simulated_scorer import SimulatedScorer, contrasted
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.statement import Statement
from generators.engine.simulated.vocabulary import EOS, SimulatedTokenizer

TOKENIZER = SimulatedTokenizer()
STATEMENT = Statement(start=41, addends=(7, 35))
PROMPT = TOKENIZER.chat([{"role": "user", "content": STATEMENT.text}])
LAW = SimulatedLaw(error_rates=(0.2,), recovery_rate=0.0)
RIGHT = "Adding 7 gives 48\nAdding 35 gives 83\n\\boxed{83}"
WRONG = "Adding 7 gives 48\nAdding 35 gives 84\n\\boxed{84}"
SHARES = st.dictionaries(st.integers(0, 9), st.floats(0.01, 1), min_size=1)


def score(scorer, sequence, fold=0):
    (found,) = scorer.score([sequence], [fold], progress=lambda done, total: None)
    return found


def scores(text, beta=1.0):
    """The scores of a response, and its pieces."""
    response = (*TOKENIZER.encode(text), EOS)
    found = score(SimulatedScorer(law=LAW, beta=beta), (*PROMPT, *response))
    assert len(found.scores) == len(PROMPT) + len(response)
    return found.scores[len(PROMPT) :], [TOKENIZER.piece(token_id) for token_id in response]


def test_the_first_wrong_total_has_the_lowest_score():
    found, pieces = scores(WRONG)
    assert pieces[found.index(min(found))] == " 84"
    assert min(found) == pytest.approx(
        (0.1 / 99) ** 2 / (0.4 / 99) / (0.9**2 / 0.6 + 99 * (0.1 / 99) ** 2 / (0.4 / 99))
    )


def test_a_right_total_scores_high_and_what_must_come_scores_one():
    found, pieces = scores(RIGHT)
    by_piece = dict(zip(pieces, found, strict=True))
    assert by_piece[" 83"] > 0.95
    assert by_piece["Adding"] == by_piece["\n"] == by_piece["}"] == 1.0


def test_what_the_law_never_writes_scores_nothing():
    assert min(scores("Adding 8 gives 48\n")[0]) == 0.0


def test_a_log_ratio_compares_the_two_laws_and_is_0_where_they_agree():
    response = (*TOKENIZER.encode(WRONG), EOS)
    found = score(SimulatedScorer(law=LAW, beta=1.0), (*PROMPT, *response))
    ratios = found.log_ratios[len(PROMPT) :]
    by_piece = dict(zip(map(TOKENIZER.piece, response), ratios, strict=True))
    assert by_piece[" 48"] == pytest.approx(log(0.9 / 0.6))
    assert by_piece[" 84"] == pytest.approx(log(0.1 / 0.4))
    assert sum(ratio != 0 for ratio in ratios) == 2
    assert set(found.log_ratios[1 : len(PROMPT)]) == {0.0}


def test_the_laws_learnt_from_no_problem_so_both_folds_have_the_same_two():
    sequence = (*PROMPT, *TOKENIZER.encode(WRONG), EOS)
    scorer = SimulatedScorer(law=LAW, beta=1.0)
    assert score(scorer, sequence, fold=0) == score(scorer, sequence, fold=1)


def test_without_beta_a_score_is_the_positive_laws_share():
    found, pieces = scores(RIGHT, beta=0.0)
    assert found[pieces.index(" 48")] == pytest.approx(0.9)


def test_an_error_rate_near_one_still_has_a_right_total_to_contrast():
    scorer = SimulatedScorer(law=SimulatedLaw(error_rates=(0.9,), recovery_rate=0.0), beta=1.0)
    found = score(scorer, (*PROMPT, *TOKENIZER.encode(RIGHT), EOS))
    assert all(0 < score <= 1 for score in found.scores[1:])


@given(SHARES, SHARES, st.floats(0, 3))
def test_contrasted_shares_add_up_to_one_over_what_both_write(positive, negative, beta):
    shares = contrasted(positive, negative, beta)
    assert shares.keys() == positive.keys() & negative.keys()
    assert sum(shares.values()) == pytest.approx(1.0 if shares else 0.0)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: SimulatedScorer(beta=1.0, factor=1.0), "factor must be above 1, got 1.0"),
    ],
)
def test_settings_out_of_bounds_are_named(made, message):
    with pytest.raises(ValueError, match=message):
        made()


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ((5, 6), "must hold an assistant's turn"),
        (TOKENIZER.chat([{"role": "user", "content": "What?"}]), "must begin with a problem of the simulated policy"),
    ],
)
def test_what_is_no_attempt_of_the_simulated_policy_is_refused(sequence, message):
    with pytest.raises(ValueError, match=message):
        score(SimulatedScorer(beta=1.0), sequence)


def test_every_sequence_needs_a_fold():
    with pytest.raises(ValueError, match="folds must have one fold for each of 1 sequences, got 0"):
        SimulatedScorer(beta=1.0).score([PROMPT], [], progress=lambda done, total: None)
