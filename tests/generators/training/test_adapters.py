import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from filters.answers.checker import Verdict
from generators.models.base import base_of
from generators.models.policy import identify
from generators.records import Attempt
from generators.training.adapter_folder import read_origin
from generators.training.adapters import AdapterSettings, AdapterTraining
from generators.training.errors import AdapterRefused
from generators.training.examples import Example, of_attempt
from tests.tiny_policy import tiny_policy

EXAMPLES = tuple(Example((1, 2, 3 + n % 5, 4, 5 + n % 7, 0), 3) for n in range(12))
SETTINGS = AdapterSettings(epochs=3, batch_size=4, learning_rate=1e-2, save_every=2)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return base_of(identify(str(tiny_policy(tmp_path_factory.mktemp("policy") / "tiny"))))


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    return train(base, tmp_path_factory.mktemp("adapters"))


@pytest.fixture
def copied(trained, tmp_path):
    """The trained adapter under a manifest of its own, to be spoilt."""
    folder = tmp_path / trained.name
    folder.mkdir()
    for file in trained.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def train(base, root, *, settings=SETTINGS, examples=EXAMPLES, say=lambda line: None):
    training = AdapterTraining(name="positive", base=base, examples=examples, settings=settings, root=root)
    training.run("cpu", say)
    return training.folder()


def weights(folder):
    return load_file(folder / "adapter_model.safetensors")


class Cut(Exception):
    pass


def test_the_loss_falls_and_only_the_named_layers_have_adapters(base, trained):
    losses = read_origin(trained, base).losses
    assert len(losses) == 9
    assert losses[-1] < losses[0]
    assert {name.split(".")[-3] for name in weights(trained)} == {"gate_proj", "up_proj", "down_proj"}
    assert all(tensor.abs().sum() > 0 for tensor in weights(trained).values())


@pytest.mark.parametrize("cut", [1, 4, 7], ids=["before a checkpoint", "at one", "behind one"])
def test_a_training_that_was_cut_off_at_any_step_ends_with_the_weights_of_one_that_was_not(
    base, trained, tmp_path, monkeypatch, cut
):
    taken = []

    def stops(optimiser, *arguments):
        taken.append(1)
        if len(taken) == cut + 1:
            raise Cut
        return step(optimiser, *arguments)

    step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", stops)
    with pytest.raises(Cut):
        train(base, tmp_path)
    said = []
    resumed = train(base, tmp_path, say=said.append)
    saved = cut - cut % 2
    assert (f"positive model: continuing at step {saved} of 9" in said) == (saved > 0)
    assert read_origin(resumed, base).losses == read_origin(trained, base).losses
    assert all(torch.equal(tensor, weights(trained)[name]) for name, tensor in weights(resumed).items())
    assert [path.name for path in tmp_path.iterdir()] == [resumed.name]


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": replace(SETTINGS, seed=1)},
        {"settings": replace(SETTINGS, rank=4)},
        {"examples": EXAMPLES[::-1]},
        {"examples": EXAMPLES[1:]},
        {"base": "another"},
    ],
    ids=["seed", "rank", "order", "examples", "base"],
)
def test_whatever_decides_on_the_weights_names_the_folder(base, tmp_path, changed):
    kept = AdapterTraining(name="positive", base=base, examples=EXAMPLES, settings=SETTINGS, root=tmp_path)
    if "base" in changed:
        changed = {"base": replace(base, name="another")}
    assert replace(kept, **changed).folder() != kept.folder()
    assert replace(kept).folder() == kept.folder()


def test_examples_that_are_too_long_are_left_out_and_counted(base, tmp_path):
    long = Example((*range(15), 0), 3)
    said = []
    short = replace(SETTINGS, epochs=1, max_tokens=6)
    folder = train(base, tmp_path, settings=short, examples=(*EXAMPLES, long), say=said.append)
    assert said[0] == "positive model: 1 of 13 examples have more than 6 tokens: left out"
    assert (read_origin(folder, base).n_examples, read_origin(folder, base).n_left_out) == (12, 1)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ((), r"positive must hold an example of at most max_tokens=1024 tokens, got none among 0"),
        ((Example((1, 16, 0), 1),), r"positive holds the token id 16, and tiny@\w+ knows 16: .* another tokenizer"),
    ],
    ids=["none", "outside"],
)
def test_examples_that_cannot_be_learnt_from_are_refused(base, tmp_path, examples, message):
    with pytest.raises(ValueError, match=message):
        train(base, tmp_path, examples=examples)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocabulary": 17}, r"positive-\w+ was trained on a vocabulary of 16 tokens, and tiny@\w+ has 17: train the"),
        ({"tokenizer_sha256": "f" * 64}, r"trained with another tokenizer than tiny@\w+ has now .*f{12}, then"),
        ({"name": "large@0"}, r"was trained on tiny@\w+, not on large@0: train the contrastive models again"),
    ],
    ids=["vocabulary", "tokenizer", "weights"],
)
def test_an_adapter_of_another_base_model_is_refused(base, trained, changes, message):
    with pytest.raises(AdapterRefused, match=message):
        read_origin(trained, replace(base, **changes))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"0"), "is missing or damaged: delete the"),
        (lambda folder: (folder / "origin.json").unlink(), r"origin\.json is missing or damaged: delete the"),
        (lambda folder: (folder / "manifest.json").unlink(), r"has no manifest\.json: delete the"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "not an adapter that was trained here .*train the"),
    ],
    ids=["weights", "origin", "no manifest", "torn manifest"],
)
def test_a_damaged_adapter_is_refused(base, copied, damage, message):
    damage(copied)
    with pytest.raises(AdapterRefused, match=message):
        read_origin(copied, base)


def test_a_folder_with_an_origin_of_other_fields_is_refused(base, copied):
    (copied / "origin.json").write_text("{}")
    (copied / "manifest.json").write_text(json.dumps({"sha256": {}}))
    with pytest.raises(AdapterRefused, match="not an adapter that was trained here"):
        read_origin(copied, base)


def test_the_rate_falls_along_a_cosine():
    settings = AdapterSettings(learning_rate=1.0, warm_up_share=0.2)
    assert [round(settings.rate(step, 10), 3) for step in (0, 1, 2, 6, 9)] == [0.5, 1.0, 1.0, 0.5, 0.038]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rank": 0}, "rank must be at least 1, got 0"),
        ({"alpha": 0}, "alpha must be at least 1, got 0"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1, got 1.0"),
        ({"targets": ()}, r"targets must name at least one layer, got \(\)"),
        ({"max_tokens": 1}, "max_tokens must be at least 2, got 1"),
        ({"dtype": "float16"}, "dtype must be one of float32, bfloat16, got 'float16'"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        AdapterSettings(**changes)


def test_what_learns_stays_in_float32_on_a_base_model_in_bfloat16(base, tmp_path):
    folder = train(base, tmp_path, settings=replace(SETTINGS, dtype="bfloat16"))
    losses = read_origin(folder, base).losses
    assert losses[-1] < losses[0]
    assert {tensor.dtype for tensor in weights(folder).values()} == {torch.float32}


def test_an_attempt_is_learnt_from_token_by_token():
    attempt = Attempt(
        problem_id="p",
        attempt_index=0,
        prompt_token_ids=(1, 2),
        token_ids=(3, 4, 0),
        text="three four",
        finish_reason="eos",
        verdict=Verdict.EQUAL,
        extracted="4",
    )
    assert of_attempt(attempt) == Example((1, 2, 3, 4, 0), 2)
