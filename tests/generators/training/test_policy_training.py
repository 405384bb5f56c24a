from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from generators.models.base import base_of
from generators.models.policy import identify
from generators.training.errors import NothingToLearn
from generators.training.examples import Example
from generators.training.pairs import Pair
from generators.training.phases import PhaseSettings
from generators.training.policy_training import Phase, PolicyTraining, losses_of
from tests.tiny_policy import tiny_policy

EXAMPLES = tuple(Example((1, 2, 3 + n % 5, 4, 5 + n % 7, 0), 3) for n in range(12))
PAIRS = tuple(
    Pair(chosen=Example((1, 2, 3 + n % 5, 4, 0), 3), rejected=Example((1, 2, 3 + n % 5, 9, 0), 3)) for n in range(12)
)
SFT = PhaseSettings(dataset="attempts", learning_rate=1e-2, steps=7, batch_size=4, save_every=3)
DPO = PhaseSettings(dataset="step_preference_pairs", learning_rate=1e-3, steps=6, batch_size=4, save_every=2)
PHASES = (Phase(settings=SFT, items=EXAMPLES), Phase(settings=DPO, items=PAIRS))


@pytest.fixture
def base(tmp_path):
    return base_of(identify(str(tiny_policy(tmp_path / "base"))))


@pytest.fixture
def training(base, tmp_path):
    def make(root="policies", phases=PHASES, **changes):
        chosen = {"name": "r1", "base": base, "phases": phases, "seed": 1, "root": tmp_path / root, **changes}
        return PolicyTraining(**chosen)

    return make


def weights(folder: Path):
    return load_file(folder / "model.safetensors")


def log_odds(folder: Path) -> float:
    """How much likelier the chosen side is than the rejected one, over the pairs."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        states = model(torch.tensor([[1, 2, 3 + n] for n in range(5)])).logits[:, -1].log_softmax(-1)
    return float((states[:, 4] - states[:, 9]).mean())


def test_two_phases_make_a_policy_that_has_learnt_from_both(training, base):
    folder = training().run("cpu", lambda line: None)
    sft, dpo = losses_of(folder)
    assert (len(sft), len(dpo)) == (7, 6)
    assert sft[-1] < sft[0] and dpo[-1] < dpo[0]
    assert log_odds(folder) > log_odds(training(phases=PHASES[:1]).run("cpu", lambda line: None))
    assert identify(str(folder)).name.startswith(f"{folder.name}@")


class Cut(Exception):
    pass


@pytest.mark.parametrize("steps_before", [2, 5, 9, 12])
def test_a_training_that_is_cut_off_in_either_phase_ends_with_the_same_weights(training, monkeypatch, steps_before):
    whole = weights(training("whole").run("cpu", lambda line: None))
    done = []

    def stops(optimiser, *arguments):
        if len(done) == steps_before:
            raise Cut
        done.append(1)
        return step(optimiser, *arguments)

    step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", stops)
    with pytest.raises(Cut):
        training().run("cpu", lambda line: None)
    assert not training().folder().exists()
    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    said = []
    resumed = weights(training().run("cpu", said.append))
    assert any("continuing at step" in line for line in said) == (steps_before >= 3)
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    assert list(training().root.glob(".*")) == []


def test_a_policy_that_is_there_is_not_trained_again(training, monkeypatch):
    folder = training().run("cpu", lambda line: None)
    monkeypatch.setattr(torch.optim.AdamW, "step", None)
    assert training().run("cpu", lambda line: None) == folder


def test_an_adapter_is_merged_into_a_whole_policy(training, base):
    folder = training(rank=2).run("cpu", lambda line: None)
    trained, before = weights(folder), weights(Path(base.model))
    assert trained.keys() == before.keys()
    assert any(not torch.equal(trained[name], before[name]) for name in before)


@pytest.mark.parametrize(
    "changes",
    [{"seed": 2}, {"rank": 2}, {"phases": PHASES[:1]}, {"phases": (Phase(settings=SFT, items=EXAMPLES[:11]),)}],
)
def test_whatever_shapes_the_weights_gives_another_folder(training, changes):
    assert training(**changes).folder() != training().folder()


def test_how_often_a_checkpoint_is_written_gives_no_other_folder(training):
    often = Phase(settings=SFT.model_copy(update={"save_every": 1}), items=EXAMPLES)
    assert training(phases=(often, PHASES[1])).folder() == training().folder()


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ((), "r1: the train split of attempts holds nothing to learn from"),
        ((Example((1, 16, 0), 1),), "attempts holds the token id 16, and .* knows 16"),
    ],
)
def test_rows_that_cannot_be_learnt_from_are_refused(training, items, message):
    with pytest.raises(NothingToLearn, match=message):
        training(phases=(Phase(settings=SFT, items=items),))
