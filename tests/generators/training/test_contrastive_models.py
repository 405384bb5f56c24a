from dataclasses import replace

import pytest

from generators.models.base import base_of
from generators.models.policy import identify
from generators.training.adapters import AdapterSettings
from generators.training.contrastive_models import contrastive_models
from generators.training.errors import AdapterRefused
from generators.training.examples import Example
from tests.tiny_policy import tiny_policy

RIGHT = [Example((1, 2, 3, 4, 5, 0), 2) for _ in range(8)]
WRONG = [Example((1, 2, 3, 9, 8, 0), 2) for _ in range(8)]
SETTINGS = AdapterSettings(batch_size=2, learning_rate=1e-2)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return base_of(identify(str(tiny_policy(tmp_path_factory.mktemp("policy") / "tiny"))))


@pytest.fixture(scope="module")
def kept(base, tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    contrastive_models(base, RIGHT, WRONG, SETTINGS, root, say=lambda line: None)
    return root


def test_models_of_the_same_content_are_not_trained_again(base, kept):
    said = []
    models = contrastive_models(base, RIGHT, WRONG, SETTINGS, kept, say=said.append)
    assert said == []
    assert {side: len(losses) for side, losses in models.losses.items()} == {"positive": 4, "negative": 4}


def test_only_the_side_that_changed_is_trained_again(base, kept):
    said = []
    before = contrastive_models(base, RIGHT, WRONG, SETTINGS, kept, say=said.append)
    after = contrastive_models(base, RIGHT, WRONG[1:], SETTINGS, kept, say=said.append)
    assert after.positive == before.positive
    assert after.negative != before.negative
    assert {line.split()[0] for line in said} == {"negative"}


def test_a_kept_model_that_was_trained_on_another_tokenizer_is_refused(base, kept):
    models = contrastive_models(base, RIGHT, WRONG, SETTINGS, kept, say=lambda line: None)
    other = replace(base, tokenizer_sha256="f" * 64)
    taken = contrastive_models(other, RIGHT, WRONG, SETTINGS, kept, say=lambda line: None)
    assert taken.positive != models.positive
    models.positive.rename(taken.positive.with_name("kept aside"))
    taken.positive.rename(models.positive)
    with pytest.raises(AdapterRefused, match="was trained with another tokenizer"):
        contrastive_models(base, RIGHT, WRONG, SETTINGS, kept, say=lambda line: None)
