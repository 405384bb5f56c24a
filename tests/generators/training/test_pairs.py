from math import exp, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from generators.training.examples import Example
from generators.training.pairs import Pair, preference_loss, with_reference
from tests.tiny_policy import tiny_policy

PAIRS = [
    Pair(chosen=Example((1, 2, 3, 4, 0), 3), rejected=Example((1, 2, 3, 5, 6, 0), 3)),
    Pair(chosen=Example((1, 2, 9, 7, 4), 4), rejected=Example((1, 2, 9, 7, 5), 4)),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return AutoModelForCausalLM.from_pretrained(tiny_policy(tmp_path_factory.mktemp("base")), dtype=torch.float32)


def by_hand(model, example, weights=None):
    """The weighted log-probability of a continuation, from the whole logits of its own sequence."""
    ids = torch.tensor([example.token_ids])
    log_probabilities = model(ids).logits[0].detach().log_softmax(-1)
    tokens = [float(log_probabilities[at - 1, ids[0, at]]) for at in range(example.solution_start, len(example))]
    return sum(weight * token for weight, token in zip(weights or [1.0] * len(tokens), tokens, strict=True))


def test_the_reference_is_the_log_probability_of_either_side(model):
    for pair in with_reference(model, PAIRS, batch_size=2):
        assert pair.reference == pytest.approx((by_hand(model, pair.chosen), by_hand(model, pair.rejected)), abs=1e-4)


def test_weights_count_tokens_in_the_sums(model):
    weighted = Pair(
        chosen=PAIRS[0].chosen,
        rejected=PAIRS[0].rejected,
        chosen_weights=(1.0, 0.5),
        rejected_weights=(0.0, 2.0, 1.0),
    )
    (known,) = with_reference(model, [weighted], batch_size=1)
    expected = [by_hand(model, weighted.chosen, (1.0, 0.5)), by_hand(model, weighted.rejected, (0.0, 2.0, 1.0))]
    assert known.reference == pytest.approx(expected, abs=1e-4)


@settings(max_examples=20)
@given(st.floats(0.05, 2), st.floats(0, 1), st.lists(st.floats(-3, 0), min_size=4, max_size=4))
def test_the_loss_is_that_of_the_papers(model, beta, likelihood, references):
    pairs = [
        Pair(chosen=pair.chosen, rejected=pair.rejected, reference=(references[2 * n], references[2 * n + 1]))
        for n, pair in enumerate(PAIRS)
    ]
    sides = [(by_hand(model, pair.chosen), by_hand(model, pair.rejected), pair.reference) for pair in pairs]
    margins = [(right - known[0]) - (wrong - known[1]) for right, wrong, known in sides]
    n_chosen = sum(len(pair.chosen) - pair.chosen.solution_start for pair in pairs)
    expected = sum(log(1 + exp(-beta * margin)) for margin in margins) / 2
    expected -= likelihood * sum(right for right, _, _ in sides) / n_chosen
    loss = float(preference_loss(beta=beta, likelihood=likelihood)(model, pairs).detach())
    assert loss == pytest.approx(expected, abs=1e-4)


def test_at_the_reference_the_loss_is_log_two(model):
    known = with_reference(model, PAIRS, batch_size=1)
    assert float(preference_loss(beta=0.3, likelihood=0.0)(model, known).detach()) == pytest.approx(log(2), abs=1e-5)


def test_a_pair_without_a_reference_is_refused(model):
    with pytest.raises(ValueError, match="a pair must have a reference before its loss is computed, got None"):
        preference_loss(beta=0.1, likelihood=0.0)(model, PAIRS)


def test_weights_of_another_number_of_tokens_are_refused():
    with pytest.raises(ValueError, match=r"chosen_weights must have one entry per token \(2\), got 1"):
        Pair(chosen=PAIRS[0].chosen, rejected=PAIRS[0].rejected, chosen_weights=(1.0,))
