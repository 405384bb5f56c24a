"""The process reward model: where its labels stand, its loss by hand, best-of-N on a table, and short runs."""

import json
import math

import pytest
from datasets import Dataset

from examples import prm
from examples.best_of_n import best_of_n
from examples.prm import StepRewards, padded, tokenized
from tests.examples.by_hand import awakened, loss_of
from tests.examples.small_releases import ids_of_prompt, process_labels

SOLUTIONS = [
    {"prompt": "2 + 2?", "steps": ["It is\n", "4."], "soft_labels": [0.75, None], "hard_labels": [True, None]},
    {"prompt": "7?", "steps": ["7.\n", "So 8"], "soft_labels": [0.5, 0.0], "hard_labels": [True, False]},
]


@pytest.fixture
def solutions():
    return Dataset.from_list(SOLUTIONS)


def test_a_label_stands_on_the_last_token_of_its_step_and_nowhere_else(hf, tokenizer):
    row = tokenized(SOLUTIONS[0], tokenizer=hf, labels="soft")
    head, first, second = ids_of_prompt("2 + 2?", tokenizer), tokenizer.encode("It is\n"), tokenizer.encode("4.\n")
    assert row["input_ids"] == [*head, *first, *second]
    place = len(head) + len(first) - 1
    assert row["targets"] == [0.75 if here == place else -100.0 for here in range(len(row["input_ids"]))]


@pytest.mark.parametrize(
    ("solution", "steps", "labels"),
    [(SOLUTIONS[1], ["7.", "So 8"], [1, 0]), (SOLUTIONS[0], ["It is", "4."], [1, -100])],
)
def test_rows_of_completions_have_hard_labels_and_mask_the_other_steps(hf, solution, steps, labels):
    plain = {"prompt": solution["prompt"], "completions": steps, "labels": labels}
    assert tokenized(plain, tokenizer=hf, labels="soft") == tokenized(solution, tokenizer=hf, labels="hard")


def test_hard_labels_of_a_dataset_stay_apart_from_what_is_ignored(run):
    rows = Dataset.from_dict({"prompt": ["7?"], "completions": [["7.", "So 8"]], "labels": [[1, 0]]})
    (row,) = prm.trainer_of(run(), StepRewards(run()), rows).train_dataset
    assert [target for target in row["targets"] if target != -100.0] == [1.0, 0.0]


def test_a_tokenizer_without_a_chat_template_gets_the_bare_problem(tokenizer):
    class Bare:
        chat_template = None

        def __call__(self, text):
            return {"input_ids": tokenizer.encode_whole(text)}

    assert prm.prompt_ids("7?", Bare()) == [*tokenizer.encode_whole("7?\n")]


@pytest.mark.parametrize(("labels", "targets"), [("soft", (0.75, 0.5, 0.0)), ("hard", (1.0, 1.0, 0.0))])
def test_the_loss_is_cross_entropy_at_the_ends_of_labelled_steps(run, solutions, labels, targets):
    rewards = StepRewards(run())
    trainer = prm.trainer_of(run(), rewards, solutions, labels=labels)
    awakened(rewards.model)
    worths = [*rewards.of("2 + 2?", ["It is\n"]), *rewards.of("7?", ["7.\n", "So 8"])]
    by_hand = [
        -(target * math.log(worth) + (1 - target) * math.log(1 - worth))
        for target, worth in zip(targets, worths, strict=True)
    ]
    assert loss_of(trainer, list(trainer.train_dataset)) == pytest.approx(sum(by_hand) / 3, abs=1e-5)


def test_what_is_padded_is_neither_seen_nor_labelled():
    batch = padded([{"input_ids": [5, 6], "targets": [-100.0, 1.0]}, {"input_ids": [7], "targets": [0.5]}])
    assert batch["attention_mask"].tolist() == [[1, 1], [1, 0]]
    assert batch["targets"].tolist() == [[-100.0, 1.0], [0.5, -100.0]]


def test_the_head_and_the_adapter_learn_and_the_policy_stays(run):
    learning = {name for name, weights in StepRewards(run()).model.named_parameters() if weights.requires_grad}
    assert any("score" in name for name in learning)
    assert {name.rsplit(".", 3)[1] for name in learning if "score" not in name} == {"lora_A", "lora_B"}
    assert not any("lora" in name for name in learning if "score" in name)


def test_a_solution_without_labels_or_room_is_left_out(run, solutions):
    without = Dataset.from_list([*SOLUTIONS, {**SOLUTIONS[0], "soft_labels": [None, None]}])
    trainer = prm.trainer_of(run(), StepRewards(run()), without)
    longest = max(len(row["input_ids"]) for row in trainer.train_dataset)
    assert len(trainer.train_dataset) == 2
    assert len(prm.trainer_of(run(max_length=longest - 1), StepRewards(run()), without).train_dataset) == 1


def test_unknown_labels_are_refused(run, solutions):
    with pytest.raises(ValueError, match="labels must be one of soft, hard, got 'first'"):
        prm.trainer_of(run(), StepRewards(run()), solutions, labels="first")


def row(problem, answer, verdict):
    return {"problem_id": problem, "steps": [answer], "extracted": answer, "verdict": verdict}


def test_best_of_n_weighs_answers_by_what_their_solutions_are_worth():
    scored = [
        (row("p", "5", "different"), 0.2),
        (row("p", "5", "different"), 0.3),
        (row("p", "4", "equal"), 0.9),
        (row("q", "7", "equal"), 0.4),
        (row("q", "7", "equal"), 0.3),
        (row("q", "8", "different"), 0.6),
        (row("q", "9", "timeout"), 1.0),
        (row("alone", "1", "equal"), 1.0),
    ]
    assert best_of_n(scored) == {
        "problems": 2,
        "solutions": 6,
        "pass_at_1": pytest.approx((1 / 3 + 2 / 3) / 2),
        "majority": 0.5,
        "weighted": 1.0,
        "best": 0.5,
    }
    assert best_of_n(scored[-1:]) == {}


@pytest.mark.parametrize(("config", "labels"), [("full", "soft"), ("full", "hard"), ("default", "hard")])
def test_a_few_steps_on_a_release_leave_a_reward_model_and_figures_of_what_is_held_out(
    config, labels, policy, tmp_path, capsys
):
    out = tmp_path / "trained"
    told = ["--config", config, "--labels", labels, "--model", str(policy), "--steps", "2", "--batch-size", "2"]
    prm.main([*told, "--release", process_labels(tmp_path / "releases"), "--output", str(out)])
    assert (out / "adapter_model.safetensors").is_file()
    figures = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert {"steps", "steps_met", "problems", "majority", "weighted", "best"} <= figures.keys()
    assert figures["pass_at_1"] == 0.5


def test_a_tiny_policy_learns_to_tell_right_steps_from_wrong_ones(run):
    right, wrong = "7" * 200, "8" * 200
    rows = [{"prompt": "7?", "completions": [text], "labels": [int(text == right)]} for text in (right, wrong)]
    settings = run(steps=60, learning_rate=1e-2)
    rewards = StepRewards(settings)
    prm.trainer_of(settings, rewards, Dataset.from_list(rows)).train()
    assert rewards.of("7?", [right])[0] > 0.9 and rewards.of("7?", [wrong])[0] < 0.1
