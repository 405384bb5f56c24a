from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from transformers import AutoModelForCausalLM

from generators.critical_token_pairs.contrastive_scores import ContrastiveScores
from generators.critical_token_pairs.scores import (
    ContrastiveScorer,
    batches_by_length,
)
from generators.critical_token_pairs.settings import Settings
from generators.models.base import base_of
from generators.models.policy import identify
from generators.training.adapters import AdapterSettings
from generators.training.contrastive_models import ContrastiveModels, contrastive_models
from generators.training.errors import AdapterRefused
from generators.training.examples import Example
from tests.tiny_policy import tiny_policy

VOCABULARY = 97
DRAW = Random(5)
RIGHT = [Example((1, 2, 30 + n % 7, 4, 50 + n % 5, 0), 3) for n in range(24)]
WRONG = [Example((1, 2, 30 + n % 7, 9, 60 + n % 5, 0), 3) for n in range(24)]
SEQUENCES = [tuple(DRAW.choices(range(VOCABULARY), k=length)) for length in (7, 1, 40, 2, 23, 7, 12)]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tiny_policy(tmp_path_factory.mktemp("policy") / "tiny", vocabulary=VOCABULARY, hidden=64, layers=2)
    return base_of(identify(str(folder)))


@pytest.fixture(scope="module")
def models(base, tmp_path_factory):
    settings = AdapterSettings(epochs=4, batch_size=4, learning_rate=2e-2)
    return contrastive_models(base, RIGHT, WRONG, settings, tmp_path_factory.mktemp("models"), say=lambda line: None)


@pytest.fixture(scope="module")
def turned(base, tmp_path_factory):
    """Models that learnt the opposite."""
    settings = AdapterSettings(epochs=4, batch_size=4, learning_rate=2e-2)
    return contrastive_models(base, WRONG, RIGHT, settings, tmp_path_factory.mktemp("turned"), say=lambda line: None)


@pytest.fixture(scope="module")
def scorer(base, models):
    return scorer_of(base, models)


def scorer_of(base, models, settings=None, **changes):
    """A scorer with models that learnt from fold 0."""
    return ContrastiveScorer(base, {0: models}, settings or Settings(), **changes)


def contrasted(scorer, sequences, folds=None):
    return scorer.score(sequences, folds or [0] * len(sequences), progress=lambda done, total: None)


def score(scorer, sequences):
    return [found.scores for found in contrasted(scorer, sequences)]


def plain_logits(base, models, ids):
    """The logits by one forward pass of each model, without batches, chunks or a shared head."""
    logits = []
    for folder in (models.positive, models.negative):
        model = AutoModelForCausalLM.from_pretrained(base.model, dtype=torch.float32)
        adapted = PeftModel.from_pretrained(model, folder).eval()
        with torch.no_grad():
            logits.append(adapted(input_ids=torch.tensor([ids])).logits[0])
    return logits


def plain_scores(base, models, ids, beta):
    logits = plain_logits(base, models, ids)
    mixed = torch.softmax((1 + beta) * logits[0] - beta * logits[1], dim=-1)
    return [None, *(float(mixed[place, token_id]) for place, token_id in enumerate(ids[1:]))]


def plain_ratios(base, models, ids):
    positive, negative = (torch.log_softmax(logits, dim=-1) for logits in plain_logits(base, models, ids))
    return [None, *(float((positive - negative)[place, token_id]) for place, token_id in enumerate(ids[1:]))]


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_scores_are_those_of_two_plain_forward_passes(base, models, beta):
    scorer = scorer_of(base, models, Settings(beta=beta, batch_tokens=60))
    for ids, found in zip(SEQUENCES, score(scorer, SEQUENCES), strict=True):
        expected = plain_scores(base, models, ids, beta)
        assert found[0] is None and len(found) == len(ids)
        assert found[1:] == pytest.approx(expected[1:], abs=1e-5)


def test_log_ratios_are_the_differences_of_two_plain_forward_passes(base, models, scorer):
    for ids, found in zip(SEQUENCES, contrasted(scorer, SEQUENCES), strict=True):
        assert found.log_ratios[1:] == pytest.approx(plain_ratios(base, models, ids)[1:], abs=1e-4)


def test_each_sequence_is_scored_by_the_models_of_its_fold_on_one_base_model(base, models, turned):
    scorer = ContrastiveScorer(base, {0: models, 1: turned}, Settings(batch_tokens=60))
    folds = [0, 1, 1, 0, 1, 0, 0]
    for ids, fold, found in zip(SEQUENCES, folds, contrasted(scorer, SEQUENCES, folds), strict=True):
        expected = plain_scores(base, turned if fold else models, ids, 1.0)
        assert found.scores[1:] == pytest.approx(expected[1:], abs=1e-5)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([0], r"folds must have one fold for each of 2 sequences, got 1"),
        ([0, 1], r"folds must be among those with models \(\[0\]\), got \[1\]"),
    ],
)
def test_a_fold_without_models_scores_nothing(scorer, folds, message):
    with pytest.raises(ValueError, match=message):
        contrasted(scorer, [(1, 2), (3, 4)], folds)


def test_a_common_beginning_goes_through_the_model_once_and_changes_no_score(base, models):
    begun = tuple(DRAW.choices(range(VOCABULARY), k=30))
    sequences = [(*begun, *SEQUENCES[0]), (*begun, 3), (*begun, *SEQUENCES[2]), begun]
    scorer = scorer_of(base, models)
    lengths = []
    scorer._model.base_model.register_forward_pre_hook(
        lambda module, given, named: lengths.append(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    found = score(scorer, sequences)
    assert lengths == [(1, 29), (4, 41)] * 2
    for ids, scores in zip(sequences, found, strict=True):
        assert len(scores) == len(ids)
        assert scores[1:] == pytest.approx(plain_scores(base, models, ids, 1.0)[1:], abs=1e-5)


def test_scores_in_bfloat16_are_near_those_in_float32(base, models, scorer):
    coarse = contrasted(scorer_of(base, models, dtype="bfloat16"), SEQUENCES)
    for ours, exact in zip(coarse, contrasted(scorer, SEQUENCES), strict=True):
        assert ours.scores[1:] == pytest.approx(exact.scores[1:], abs=0.02)
        assert ours.log_ratios[1:] == pytest.approx(exact.log_ratios[1:], abs=0.1, rel=0.02)


def test_what_only_right_solutions_write_scores_high_and_what_only_wrong_ones_write_low(scorer):
    right, wrong = score(scorer, [RIGHT[0].token_ids, WRONG[0].token_ids])
    uniform = 1 / VOCABULARY
    assert right[3] > 5 * uniform
    assert wrong[3] < uniform / 2


def test_the_batch_that_a_sequence_stands_in_changes_nothing(base, models, scorer):
    together = score(scorer, SEQUENCES)
    alone = [score(scorer, [ids])[0] for ids in SEQUENCES]
    turned = score(scorer_of(base, models, Settings(batch_tokens=50)), SEQUENCES[::-1])[::-1]
    for one, other, third in zip(together, alone, turned, strict=True):
        assert one[1:] == pytest.approx(other[1:], abs=1e-5)
        assert one[1:] == pytest.approx(third[1:], abs=1e-5)


def test_logits_are_made_in_chunks_of_the_memory_that_is_set(base, models):
    long = [tuple(DRAW.choices(range(VOCABULARY), k=2000))]
    small = scorer_of(base, models, logits_mib=1)
    positions = []
    head = small._model.get_output_embeddings()
    head.register_forward_hook(lambda module, states, logits: positions.append(len(logits)))
    found = score(small, long)[0]
    assert sum(positions) == 1999 and len(positions) > 1
    assert max(positions) * VOCABULARY * 4 * 4 <= 2**20
    assert found[1:] == pytest.approx(score(scorer_of(base, models), long)[0][1:], abs=1e-5)


def test_progress_counts_tokens_to_the_end(base, models):
    seen = []
    scorer = scorer_of(base, models, Settings(batch_tokens=40))
    scorer.score(SEQUENCES, [0] * len(SEQUENCES), progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 1
    assert seen == sorted(seen) and seen[-1] == (92, 92)


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        ((1, 97), r"sequences\[1\] holds the token id 97, and tiny@\w+ knows 97: it was made with another tokenizer"),
        ((-1, 3), r"sequences\[1\] holds the token id -1"),
        ((), r"sequences\[1\] must hold at least 1 token id, got none"),
    ],
    ids=["above", "below", "empty"],
)
def test_ids_that_the_model_does_not_know_are_refused(scorer, sequence, message):
    with pytest.raises(ValueError, match=message):
        score(scorer, [(1, 2), sequence])


def test_adapters_of_another_policy_are_refused(models, tmp_path):
    folder = tiny_policy(tmp_path / "other", vocabulary=VOCABULARY, hidden=64, layers=2, seed=1)
    other = base_of(identify(str(folder)))
    with pytest.raises(AdapterRefused, match=r"positive-\w+ was trained on tiny@\w+, not on other@"):
        scorer_of(other, models)


def test_a_base_model_without_its_adapters_is_refused(base, models, tmp_path):
    gone = ContrastiveModels(positive=models.positive, negative=tmp_path / "gone", losses={})
    with pytest.raises(AdapterRefused, match="gone does not exist: train the contrastive models first"):
        scorer_of(base, gone)


def test_no_models_at_all_are_refused(base):
    with pytest.raises(ValueError, match="models must have the adapters of at least one fold, got none"):
        ContrastiveScorer(base, {}, Settings())


@given(st.lists(st.integers(1, 50), max_size=30), st.integers(1, 200))
def test_batches_hold_every_sequence_once_and_stay_within_the_tokens(lengths, tokens):
    batches = batches_by_length(lengths, tokens=tokens)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= tokens


@pytest.mark.parametrize("scores", [(), (0.5,), (None, None)])
def test_only_the_first_token_has_no_score(scores):
    with pytest.raises(ValueError, match="scores must be None for the first token and for no other"):
        ContrastiveScores(scores, (None,))
    with pytest.raises(ValueError, match="log_ratios must be None for the first token and for no other"):
        ContrastiveScores((None,), scores)


def test_every_score_has_a_log_ratio():
    with pytest.raises(ValueError, match=r"log_ratios must be as many as scores \(2\), got 1"):
        ContrastiveScores((None, 0.5), (None,))
