import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from generators.training import loop
from generators.training.examples import Example, batches, shared_prefix
from generators.training.fine_tune import fine_tune
from generators.training.settings import TrainingSettings
from tests.tiny_policy import tiny_policy

EXAMPLES = [Example((1, 2, 3 + n % 5, 4, 5 + n % 7, 0), 3) for n in range(12)]
SETTINGS = TrainingSettings(epochs=3, batch_size=4, learning_rate=1e-2, save_every=2)


@pytest.fixture
def base(tmp_path):
    return tiny_policy(tmp_path / "base")


def train(base, tmp_path, name, say=lambda line: None, settings=SETTINGS):
    into = tmp_path / name
    into.mkdir(exist_ok=True)
    losses = fine_tune(base, EXAMPLES, settings, into=into, checkpoint=tmp_path / f"{name}.checkpoint", say=say)
    return losses, load_file(into / "model.safetensors")


class Cut(Exception):
    pass


def test_the_loss_falls_and_the_folder_loads(base, tmp_path):
    losses, _ = train(base, tmp_path, "whole")
    assert len(losses) == 9
    assert losses[-1] < losses[0]
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "whole").config.vocab_size == 16


def test_a_training_that_was_cut_off_ends_with_the_weights_of_one_that_was_not(base, tmp_path, monkeypatch):
    losses, weights = train(base, tmp_path, "whole")
    steps = []

    def stops_after_five(optimiser, *arguments):
        steps.append(1)
        if len(steps) == 6:
            raise Cut
        return step(optimiser, *arguments)

    step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", stops_after_five)
    with pytest.raises(Cut):
        train(base, tmp_path, "cut")
    said = []
    again, resumed = train(base, tmp_path, "cut", said.append)
    assert said[0] == "continuing at step 4 of 9"
    assert again == losses
    assert all(torch.equal(resumed[name], weights[name]) for name in weights)


def test_a_checkpoint_of_another_training_is_refused(base, tmp_path):
    (tmp_path / "other").mkdir()
    torch.save({"described": "others", "steps": 9, "losses": [1.0]}, tmp_path / "other.checkpoint")
    with pytest.raises(ValueError, match=r"other\.checkpoint belongs to a training of 9 steps with others: delete it"):
        train(base, tmp_path, "other")


def test_the_rate_warms_up_and_falls_to_nothing():
    settings = TrainingSettings(learning_rate=1.0, warm_up_share=0.2)
    assert [round(settings.rate(step, 10), 3) for step in (0, 1, 2, 6, 9)] == [0.5, 1.0, 1.0, 0.5, 0.125]


def test_batches_hold_every_example_once():
    cut = batches(EXAMPLES, order=list(range(12)), size=5)
    assert sorted(len(batch) for batch in cut) == [2, 5, 5]
    assert sorted(e.token_ids for batch in cut for e in batch) == sorted(e.token_ids for e in EXAMPLES)


@pytest.mark.parametrize(
    ("tokens", "shared"),
    [([(1, 2, 3, 0), (1, 2, 4, 0)], 2), ([(1, 2, 3, 0), (1, 2, 3, 0)], 2), ([(1, 2, 3, 0), (2, 2, 3, 0)], 0)],
)
def test_a_shared_prefix_leaves_every_prompt_its_last_token(tokens, shared):
    assert shared_prefix([Example(ids, 3) for ids in tokens]) == shared


def test_a_prefix_that_is_computed_once_changes_neither_loss_nor_gradients(base, monkeypatch):
    batch = [Example((1, 2, 3, 4, 5, 0), 4), Example((1, 2, 6, 7, 8, 9, 5, 0), 5), Example((1, 2, 3, 9, 0), 4)]
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)

    def measured():
        model.zero_grad()
        loss = loop.solution_loss(model, batch)
        loss.backward()
        return loss, [weights.grad.clone() for weights in model.parameters()]

    assert shared_prefix(batch) == 2
    together = measured()
    monkeypatch.setattr(loop, "shared_prefix", lambda batch: 0)
    apart = measured()
    torch.testing.assert_close(together, apart)


def test_masked_tokens_are_read_and_not_learnt(base):
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    masked = Example((1, 2, 3, 4, 5, 0), 2, (False, False, True, True))
    torch.testing.assert_close(
        loop.solution_loss(model, [masked]), loop.solution_loss(model, [Example(masked.token_ids, 4)])
    )


@pytest.mark.parametrize(("learnt", "got"), [((True,), "1 with 1 true"), ((False, False), "2 with 0 true")])
def test_a_mask_covers_the_solution_and_leaves_something(learnt, got):
    with pytest.raises(ValueError, match=rf"learnt must have one entry per token of the solution \(2\), .* got {got}"):
        Example((1, 2, 3), 1, learnt)


@pytest.mark.parametrize("start", [0, 3])
def test_an_example_has_a_prompt_and_a_solution(start):
    with pytest.raises(ValueError, match=r"solution_start must be above 0 and below the number of tokens \(3\)"):
        Example((1, 2, 3), start)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"beta2": 1.0}, "beta2 must be above 0 and below 1, got 1.0"),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**changes)
