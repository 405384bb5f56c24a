"""Step-DPO: what the trainer makes of the rows, its loss, and a short run."""

import math

import pytest
from datasets import Dataset

from examples import dpo, step_dpo
from examples.common import load_release
from examples.step_dpo import check_ids
from generators.engine.tokenizer import HFTokenizer
from tests.examples.by_hand import awakened, log_ratios, loss_of
from tests.examples.small_releases import step_pairs

IDS = ("prompt_ids", "chosen_ids", "rejected_ids")
STORED = ("prefix_token_ids", "chosen_token_ids", "rejected_token_ids")
ROWS = {
    "prompt": ["<|user|>1<|assistant|>a\n", "<|user|>2<|assistant|>"],
    "chosen": ["b\n", "c"],
    "rejected": ["ab", "dd\n"],
    "is_final_step": [False, True],
    "rejected_is_final_step": [True, False],
}


@pytest.fixture
def rows():
    return Dataset.from_dict(ROWS)


def test_only_a_step_that_ends_its_solution_ends_with_the_end_of_text_token(run, rows, tokenizer):
    a, b, ab, c, d, line = (tokenizer.encode(word)[0] for word in ("a", "b", "ab", "c", "d", "\n"))
    begin, user, assistant, end = (
        tokenizer.encode_whole(word)[-1] for word in ("", "<|user|>", "<|assistant|>", "</s>")
    )
    one, two = tokenizer.encode("12")
    prepared = step_dpo.trainer_of(run(), rows).train_dataset
    assert [tuple(row[name] for name in IDS) for row in prepared] == [
        ([begin, user, one, assistant, a, line], [b, line], [ab, end]),
        ([begin, user, two, assistant], [c, end], [d, d, line]),
    ]


def test_the_stock_trainer_ends_every_step_with_it(run, rows, tokenizer):
    prepared = dpo.trainer_of(run(), rows).train_dataset
    assert {row[side][-1] for row in prepared for side in IDS[1:]} == {tokenizer.end_of_turn}


@pytest.mark.parametrize("kind", ["policy", "embedded"])
def test_every_row_of_a_release_becomes_exactly_the_stored_ids(kind, request, run, tmp_path):
    folder = request.getfixturevalue(kind)
    release = step_pairs(tmp_path / "releases", HFTokenizer(folder), range(6), test=0.0)
    pairs, stored = (load_release(release, config)["train"] for config in ("steps", "full"))
    prepared = step_dpo.trainer_of(run(model=str(folder)), pairs).train_dataset
    assert len(prepared) == 6
    assert [[row[name] for name in IDS] for row in prepared] == [[row[name] for name in STORED] for row in stored]
    check_ids(prepared, stored)


def test_the_tokenizer_of_another_policy_is_refused(run, embedded, tokenizer, tmp_path):
    release = step_pairs(tmp_path / "releases", tokenizer, range(3), test=0.0)
    pairs, stored = (load_release(release, config)["train"] for config in ("steps", "full"))
    prepared = step_dpo.trainer_of(run(model=str(embedded)), pairs).train_dataset
    with pytest.raises(ValueError, match=r"row 0 becomes .* tokens, which are no stored pair's: model must be"):
        check_ids(prepared, stored)


def test_the_loss_is_dpos_behind_the_steps_before(run, rows):
    trainer = step_dpo.trainer_of(run(), rows, beta=0.5)
    model = awakened(trainer.model)
    losses = []
    for row in trainer.train_dataset:
        chosen, rejected = (sum(log_ratios(model, row["prompt_ids"], row[side])) for side in IDS[1:])
        losses.append(math.log(1 + math.exp(-0.5 * (chosen - rejected))))
    assert losses[0] != pytest.approx(math.log(2), abs=1e-2)
    assert loss_of(trainer, list(trainer.train_dataset)) == pytest.approx(sum(losses) / 2, abs=1e-5)


def test_a_few_steps_on_a_release_leave_an_adapter_and_figures_of_what_is_held_out(policy, tokenizer, tmp_path, capsys):
    release = step_pairs(tmp_path / "releases", tokenizer, range(12))
    out = tmp_path / "trained"
    step_dpo.main(
        ["--release", release, "--model", str(policy), "--steps", "2", "--batch-size", "2", "--output", str(out)]
    )
    assert (out / "adapter_model.safetensors").is_file()
    assert '"eval_rewards/accuracies"' in capsys.readouterr().out
