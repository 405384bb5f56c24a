"""Fine-tuning on traces: what is learnt and what is masked, the loss by hand, and a short run."""

import pytest
from datasets import Dataset

from examples import sft
from examples.sft import learnable
from generators.problems import prompt as solve
from tests.examples.by_hand import awakened, log_probs, loss_of
from tests.examples.small_releases import ids_of_prompt, self_corrections, trace

CHAT = [*solve.messages("2 + 2"), {"role": "assistant", "content": "4"}]


@pytest.fixture
def traces(tokenizer):
    return Dataset.from_list([trace(number, tokenizer) for number in (3, 14)])


def test_ids_and_labels_are_taken_as_they_are(run, traces):
    prepared = sft.trainer_of(run(), traces).train_dataset
    assert [prepared["input_ids"][:], prepared["labels"][:]] == [traces["input_ids"][:], traces["labels"][:]]


def test_the_loss_counts_what_is_not_masked_alone(run, traces):
    trainer = sft.trainer_of(run(), traces)
    model = awakened(trainer.model)
    counted = []
    for row in traces:
        start = row["labels"].count(-100)
        counted += log_probs(model, row["input_ids"][:start], row["input_ids"][start:])
    assert loss_of(trainer, list(trainer.train_dataset)) == pytest.approx(-sum(counted) / len(counted), abs=1e-5)


def test_of_a_chat_the_last_message_is_learnt(run, tokenizer):
    trainer = sft.trainer_of(run(), Dataset.from_list([{"messages": CHAT}]))
    (row,) = trainer.train_dataset
    answer = [*tokenizer.encode("4"), tokenizer.end_of_turn]
    head = ids_of_prompt("2 + 2", tokenizer)
    assert row["input_ids"] == [*head, *answer]
    assert row["labels"] == [-100] * len(head) + answer


@pytest.mark.parametrize("config", ["default", "tokens"])
def test_the_tokenizer_of_another_policy_is_refused(tokenizer, embedded, tmp_path, config):
    release = self_corrections(tmp_path / "releases", tokenizer, range(2))
    command = ["--release", release, "--model", str(embedded), "--config", config, "--output", str(tmp_path / "out")]
    with pytest.raises(ValueError, match=r"row 0: token_ids read .*: model must be the policy that wrote"):
        sft.main(command)


def test_rows_with_nothing_to_learn_from_are_refused_with_their_columns():
    with pytest.raises(ValueError, match=r"must have prompt and completion, .* or messages, got prompt, steps"):
        learnable(Dataset.from_dict({"prompt": ["p"], "steps": ["s"]}))


@pytest.mark.parametrize("config", ["default", "tokens", "messages"])
def test_a_few_steps_on_a_release_leave_an_adapter_and_figures_of_what_is_held_out(
    policy, tokenizer, tmp_path, capsys, config
):
    release = self_corrections(tmp_path / "releases", tokenizer, range(12))
    out = tmp_path / "trained"
    sizes = ["--steps", "2", "--batch-size", "2"]
    sft.main(["--release", release, "--model", str(policy), "--config", config, *sizes, "--output", str(out)])
    assert (out / "adapter_model.safetensors").is_file()
    assert '"eval_mean_token_accuracy"' in capsys.readouterr().out
