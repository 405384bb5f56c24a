"""DPO and cDPO on whole solutions: rows by their stored ids, both losses by hand, and short runs."""

import math

import pytest
from datasets import Dataset

from examples import cdpo, dpo
from examples.common import load_release
from examples.stored_ids import check_texts
from generators.engine.tokenizer import HFTokenizer
from tests.examples.by_hand import awakened, log_probs, log_ratios, loss_of
from tests.examples.small_releases import CRITICAL_TOKEN_PAIRS, critical_pair, released

SIDES = ("chosen", "rejected")
BETA = 0.3


@pytest.fixture
def pairs(tokenizer):
    return Dataset.from_list([critical_pair(number, tokenizer) for number in (3, 14)])


def ratios(model, row, side):
    """Each token's log ratio, and the weight beside it."""
    start = row["response_start"]
    ids = row[f"{side}_token_ids"]
    return list(zip(log_ratios(model, ids[:start], ids[start:]), row[f"{side}_weights"][start:], strict=True))


def logistic(margins):
    return sum(math.log(1 + math.exp(-margin)) for margin in margins) / len(margins)


@pytest.mark.parametrize("script", [dpo, cdpo])
@pytest.mark.parametrize("kind", ["policy", "embedded"])
def test_every_row_of_a_release_keeps_its_stored_ids(script, kind, request, run, tmp_path):
    folder = request.getfixturevalue(kind)
    rows = [critical_pair(number, HFTokenizer(folder)) for number in range(5)]
    release = released(tmp_path / "releases", CRITICAL_TOKEN_PAIRS, rows, test=0.0)
    loaded = load_release(release, "full")["train"]
    prepared = script.trainer_of(run(model=str(folder)), loaded).train_dataset
    for side in SIDES:
        assert [row["prompt_ids"] + row[f"{side}_ids"] for row in prepared] == [
            row[f"{side}_token_ids"] for row in rows
        ]
    assert [len(row["prompt_ids"]) for row in prepared] == [row["response_start"] for row in rows]


def test_the_loss_of_the_baseline_is_dpos_and_knows_no_weights(run, pairs):
    trainer = dpo.trainer_of(run(), pairs, beta=BETA)
    model = awakened(trainer.model)
    sums = [[sum(ratio for ratio, _ in ratios(model, row, side)) for side in SIDES] for row in pairs]
    by_hand = logistic([BETA * (chosen - rejected) for chosen, rejected in sums])
    assert loss_of(trainer, list(trainer.train_dataset)) == pytest.approx(by_hand, abs=1e-5)


def test_the_loss_of_cdpo_weighs_each_token_and_sums_before_the_sigmoid(run, pairs):
    trainer = cdpo.trainer_of(run(), pairs, beta=BETA)
    model = awakened(trainer.model)
    margins = []
    for row in pairs:
        chosen = sum(ratio for ratio, _ in ratios(model, row, "chosen"))
        rejected = sum(weight * ratio for ratio, weight in ratios(model, row, "rejected"))
        margins.append(BETA * (chosen - rejected))
    assert len({len(row["rejected_token_ids"]) for row in pairs}) == 2  # one of them is padded
    assert loss_of(trainer, list(trainer.train_dataset)) == pytest.approx(logistic(margins), abs=1e-5)


def test_the_likelihood_is_that_of_the_right_solutions_tokens(run, pairs):
    trainer = dpo.trainer_of(run(), pairs, beta=BETA, likelihood=0.3)
    model = awakened(trainer.model)
    rows = list(trainer.train_dataset)
    sums = [[sum(ratio for ratio, _ in ratios(model, row, side)) for side in SIDES] for row in pairs]
    preference = logistic([BETA * (chosen - rejected) for chosen, rejected in sums])
    of_tokens = [value for row in rows for value in log_probs(model, row["prompt_ids"], row["chosen_ids"])]
    by_hand = preference - 0.3 * sum(of_tokens) / len(of_tokens)
    assert loss_of(trainer, rows) == pytest.approx(by_hand, abs=1e-5)


@pytest.mark.parametrize("likelihood", [0.0, 0.3])
def test_with_every_weight_at_one_cdpo_is_dpo(run, pairs, likelihood):
    ones = pairs.map(lambda row: {"rejected_weights": [1.0] * len(row["rejected_weights"])})
    losses = []
    for script in (dpo, cdpo):
        trainer = script.trainer_of(run(), ones, beta=BETA, likelihood=likelihood)
        awakened(trainer.model)
        losses.append(loss_of(trainer, list(trainer.train_dataset)))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_weights_stand_beside_their_tokens_and_are_cut_with_them(run, pairs):
    start = pairs[0]["response_start"]
    trainer = cdpo.trainer_of(run(max_length=start + 3), pairs)
    rows = [row for row in trainer.train_dataset if len(row["prompt_ids"]) == start]
    batch = trainer.data_collator(rows[:1])
    assert batch["input_ids"].shape == batch["weights"].shape == (2, start + 3)
    assert batch["weights"][:, :start].sum() == 0
    assert batch["weights"][1, start:].tolist() == pytest.approx([0.0, 0.1, 0.2])


def test_rows_without_token_ids_go_to_trls_own_trainer(run, tokenizer):
    rows = Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": "2 + 2"}],
                "chosen": [{"role": "assistant", "content": "4"}],
                "rejected": [{"role": "assistant", "content": "5"}],
            }
        ]
    )
    (row,) = dpo.trainer_of(run(), rows).train_dataset
    assert row["chosen_ids"] == [*tokenizer.encode("4"), tokenizer.end_of_turn]


def test_the_tokenizer_of_another_policy_is_refused(run, pairs, embedded):
    with pytest.raises(ValueError, match=r"row 0: chosen_token_ids read .*: model must be the policy that wrote"):
        cdpo.trainer_of(run(model=str(embedded)), pairs)


def test_sides_behind_different_prompts_are_refused(pairs, hf):
    row = dict(pairs[0])
    row["rejected_token_ids"] = [1, *row["rejected_token_ids"][1:]]
    with pytest.raises(ValueError, match="row 0: the two sides have different prompts"):
        check_texts([row], hf)


@pytest.mark.parametrize("script", [dpo, cdpo])
def test_a_few_steps_on_a_release_leave_an_adapter_and_figures_of_what_is_held_out(
    script, policy, tokenizer, tmp_path, capsys
):
    rows = [critical_pair(number, tokenizer) for number in range(12)]
    release = released(tmp_path / "releases", CRITICAL_TOKEN_PAIRS, rows)
    out = tmp_path / "trained"
    told = ["--release", release, "--model", str(policy), "--steps", "2", "--batch-size", "2", "--output", str(out)]
    script.main(told)
    assert (out / "adapter_model.safetensors").is_file()
    assert '"eval_rewards/accuracies"' in capsys.readouterr().out
