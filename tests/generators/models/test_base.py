import json

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma2ForCausalLM

from generators.engine.model_folder import file_digest
from generators.models.base import base_of
from generators.models.policy import attached, identify
from generators.training.errors import NoWeights
from tests.tiny_policy import tiny_policy


@pytest.fixture
def folder(tmp_path):
    return tiny_policy(tmp_path / "tiny")


def test_the_base_model_of_a_folder_is_named_by_its_content(folder):
    policy = identify(str(folder))
    base = base_of(policy)
    assert (base.name, base.model, base.revision, base.vocabulary) == (policy.name, str(folder), None, 16)
    assert base.tokenizer_sha256 == file_digest(folder / "tokenizer.json")


def test_a_changed_tokenizer_changes_the_base_model(folder):
    before = base_of(identify(str(folder)))
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] = {"one": 1, "none": 0}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    after = base_of(identify(str(folder)))
    assert after.tokenizer_sha256 != before.tokenizer_sha256
    assert after.name != before.name


def test_the_loaded_model_is_that_of_transformers(folder):
    loaded = base_of(identify(str(folder))).load(dtype="float32", device="cpu")
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    assert torch.equal(loaded(input_ids=ids).logits, plain(input_ids=ids).logits)


def test_attached_servers_whose_policy_is_a_folder_here_need_no_more(folder):
    served = attached(str(folder), revision=None, tokenizer=None)
    assert base_of(served).model == str(folder)


def test_the_weights_of_attached_servers_can_be_named(folder):
    served = attached("served/name", revision=None, tokenizer=str(folder))
    assert base_of(served, weights=str(folder)) == base_of(identify(str(folder)))


def test_attached_servers_without_known_weights_are_refused(folder):
    served = attached("no such model", revision=None, tokenizer=str(folder))
    with pytest.raises(NoWeights, match=r"policy no such model@unversioned.*set weights to the folder or Hub id"):
        base_of(served)


def test_the_simulated_policy_has_no_weights():
    with pytest.raises(NoWeights, match="'simulated', which has no weights to train on"):
        base_of(identify("simulated"))


def test_a_folder_without_a_fast_tokenizer_is_refused(folder):
    (folder / "tokenizer.json").unlink()
    with pytest.raises(NoWeights, match=r"has no tokenizer\.json: save its fast tokenizer"):
        base_of(identify(str(folder)))


def test_an_architecture_that_caps_its_logits_is_refused(folder):
    config = Gemma2Config(
        vocab_size=16,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        final_logit_softcapping=0.01,
        pad_token_id=0,
    )
    Gemma2ForCausalLM(config).save_pretrained(folder)
    with pytest.raises(NoWeights, match=r"Gemma2ForCausalLM\) does more to its logits than a linear head"):
        base_of(identify(str(folder))).load(dtype="float32", device="cpu")
