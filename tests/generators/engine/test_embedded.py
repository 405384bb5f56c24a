import json

import pytest

from generators.engine.embedded import check_weights, embedded_model, find_weights
from generators.engine.errors import EngineMisconfigured
from generators.engine.tokenizer import HFTokenizer


def test_a_missing_package_is_named_with_the_command_that_brings_it():
    with pytest.raises(
        EngineMisconfigured, match=r"the package no-such-package, which is not installed: run `make setup`"
    ):
        find_weights("no-such-package")


def test_other_weights_under_the_same_name_are_refused(tmp_path):
    (tmp_path / "model.gguf").write_bytes(b"not the weights")
    with pytest.raises(EngineMisconfigured, match=r"model\.gguf has SHA-256 .*, expected .*: reinstall"):
        check_weights(tmp_path / "model.gguf")


@pytest.mark.engine
def test_the_embedded_policy_ends_its_turn_and_knows_its_chat():
    folder = embedded_model()
    tokenizer = HFTokenizer(folder)
    ids = tokenizer.chat([{"role": "user", "content": "Hi"}])
    (end,) = json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    assert ids.count(end) == 2  # the system's turn and the user's
    assert tokenizer.decode(ids).endswith("user\nHi\nassistant\n")
    assert tokenizer.piece(end) == ""
    assert embedded_model() == folder
