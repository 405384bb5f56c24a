import json
import threading

import pytest

from generators.engine.embedded import check_folder, check_weights, embedded_model, find_weights, make_once
from generators.engine.errors import EngineMisconfigured
from generators.tokenizer import HFTokenizer


def fill(folder):
    (folder / "config.json").write_text("{}")
    (folder / "weights").write_bytes(b"\x00\x01")


def test_a_made_folder_passes_its_own_manifest_and_nothing_else_is_left_beside_it(tmp_path):
    folder = tmp_path / "models" / "small"
    make_once(folder, fill)
    check_folder(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


def test_a_maker_that_fails_leaves_no_folder(tmp_path):
    def half(folder):
        fill(folder)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make_once(tmp_path / "small", half)
    assert list(tmp_path.iterdir()) == []


def test_two_makers_at_once_end_with_one_whole_folder(tmp_path):
    both_filled = threading.Barrier(2, timeout=10)

    def meet(folder):
        fill(folder)
        both_filled.wait()

    makers = [threading.Thread(target=make_once, args=(tmp_path / "small", meet)) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    check_folder(tmp_path / "small")
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "weights").write_bytes(b"\x00"), "weights is missing or damaged"),
        (lambda folder: (folder / "weights").unlink(), "weights is missing or damaged"),
        (lambda folder: (folder / "manifest.json").unlink(), r"has no manifest\.json"),
    ],
    ids=["changed", "missing", "no manifest"],
)
def test_a_damaged_folder_is_refused_with_the_remedy(tmp_path, damage, message):
    folder = tmp_path / "small"
    make_once(folder, fill)
    damage(folder)
    with pytest.raises(EngineMisconfigured, match=rf"{message}.*delete the folder"):
        check_folder(folder)


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
