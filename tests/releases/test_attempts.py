"""From a table of attempts to its release: which of them trainers learn from, and what TRL makes of the rows."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from filters.answers.verdicts import Verdict
from filters.schema import SchemaError
from generators.attempts.dataset import DATASET
from generators.attempts.release import FOUND_BY, AttemptParameters, more_facts
from generators.attempts.table import ATTEMPTS
from generators.problems.loading import problem_id
from generators.problems.table import PROBLEMS
from releases.drafting import drafted
from releases.splits import SplitShares
from releases.verification.verify import verify
from tests.releases.forgery import with_value

ALL_TRAIN = SplitShares(test=0.0)
PARAMETERS = AttemptParameters()
UNDECIDED = [verdict.value for verdict in Verdict if verdict.is_undecided]


def problem(number):
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    names = {"problem_id": problem_id(prompt, answer), "source": "sums", "prompt": prompt, "answer": answer}
    return {**names, "also_accepted": [], "level": None}


def attempt(number, index, *, says="equal", finish_reason="eos", text=None):
    """An attempt at `number` + 2 whose text gives the verdict that it states, unless the verdict is open."""
    said = number + 2 if says == "equal" else number + 3
    text = text or (f"Way {index} fails." if says == "no_answer" else f"Way {index}: \\boxed{{{said}}}.")
    return {
        "problem_id": problem(number)["problem_id"],
        "source": "sums",
        "attempt_index": index,
        "prompt_token_ids": [1, 2],
        "token_ids": [3, 4, 0],
        "text": text,
        "finish_reason": finish_reason,
        "verdict": says,
        "extracted": None if says == "no_answer" else str(said),
        "found_by": None if says == "no_answer" else "box",
        "is_right": None if says in UNDECIDED else says == "equal",
        "sampling": "{}",
        "max_tokens": 8,
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


def draft_of(facts, *attempts, shares=ALL_TRAIN, parameters=PARAMETERS):
    numbers = {problem(number)["problem_id"]: problem(number) for number in range(8)}
    tables = {"attempts": ATTEMPTS.frame(list(attempts)), "problems": PROBLEMS.frame(list(numbers.values()))}
    return drafted(DATASET, tables, facts, parameters, shares)


def completions(draft, config):
    rows = draft.tables[config].splits["train"] if config in draft.tables else None
    return [] if rows is None else [row["completion"][0]["content"] for row in rows.iter_rows(named=True)]


def dropped(draft, config):
    return {stage.name: stage.dropped for stage in draft.facts.stages}[f"release: {config}"]


def test_every_attempt_is_released_with_its_problem_and_gold_answer(facts):
    draft = draft_of(facts(), *(attempt(1, index, says=verdict.value) for index, verdict in enumerate(Verdict)))
    rows = draft.tables["full"].splits["train"]
    assert set(rows["verdict"]) == {verdict.value for verdict in Verdict}
    assert set(rows["prompt"]) == {"What is 1 + 2?"} and set(rows["answer"]) == {"3"}
    assert draft.label_counts == {"train": {"right": 1, "wrong": 2, "undecided": 3}}


def test_attempts_without_an_answer_are_undecided_in_slices_whose_source_says_so(facts):
    rows = [attempt(1, 0), attempt(1, 1, says="different"), attempt(1, 2, says="no_answer") | {"is_right": None}]
    draft = draft_of(facts(), *rows, parameters=AttemptParameters(no_answer={"sums-0": "undecided"}))
    assert draft.label_counts == {"train": {"right": 1, "wrong": 1, "undecided": 1}}
    assert len(completions(draft, "unpaired")) == 2
    assert dropped(draft, "unpaired") == {"no_answer": 1}
    with pytest.raises(SchemaError, match="is_right of config full do not follow from the others in 1 of 3 rows"):
        draft_of(facts(), *rows)


def test_the_card_says_what_found_the_answers(facts):
    draft = draft_of(facts(), attempt(1, 0), attempt(1, 1, says="no_answer"))
    figures = more_facts(None, draft.tables["full"].computed("train"), {}).figures[FOUND_BY]
    assert figures == {"box": {"equal": 1, "no_answer": 0}, "nothing": {"equal": 0, "no_answer": 1}}


# the attempts at one problem, the index of those that SFT learns, and why the others are dropped
LEARNT = [
    ([{}, {"says": "different"}, {"says": "no_answer"}], [0], {"different": 1, "no_answer": 1}),
    ([{"says": verdict} for verdict in UNDECIDED], [], dict.fromkeys(UNDECIDED, 1)),
    ([{"finish_reason": "length"}, {}], [1], {"cut_off": 1}),
    ([{"text": "\\boxed{3}"}, {"text": "\\boxed{3}"}, {"text": "So \\boxed{3}"}], [0, 2], {"repeats_another": 1}),
    ([{"text": "\\boxed{3}", "finish_reason": "length"}, {"text": "\\boxed{3}"}], [1], {"cut_off": 1}),
    ([{"text": "1 + 2 = 4, \\boxed{3}"}, {"text": "1 + 2 = 3, \\boxed{3}"}], [1], {"false_equation": 1}),
]


@pytest.mark.parametrize(("made", "learnt", "reasons"), LEARNT)
def test_sft_learns_right_attempts_that_ended_each_text_once(facts, made, learnt, reasons):
    rows = [attempt(1, index, **changes) for index, changes in enumerate(made)]
    draft = draft_of(facts(), *rows)
    assert completions(draft, "default") == [rows[index]["text"] for index in learnt]
    assert dropped(draft, "default") == reasons


def test_equal_texts_of_two_problems_both_stay(facts):
    draft = draft_of(facts(), attempt(1, 0, text="It follows."), attempt(2, 0, text="It follows."))
    assert completions(draft, "default") == ["It follows."] * 2


def test_an_attempt_is_labelled_by_its_verdict_unless_that_is_open(facts):
    rows = [attempt(1, index, says=verdict.value) for index, verdict in enumerate(Verdict)]
    draft = draft_of(facts(), *rows)
    labelled = draft.tables["unpaired"].splits["train"].select("completion", "label").iter_rows()
    verdicts = {row["text"]: row["verdict"] for row in rows}
    assert {verdicts[completion[0]["content"]]: label for completion, label in labelled} == {
        "equal": True,
        "different": False,
        "no_answer": False,
    }
    assert dropped(draft, "unpaired") == dict.fromkeys(UNDECIDED, 1)


def test_of_attempts_that_were_cut_off_only_the_wrong_ones_are_labelled(facts):
    cut = [attempt(1, index, says=says, finish_reason="length") for index, says in enumerate(("equal", "no_answer"))]
    draft = draft_of(facts(), *cut)
    assert draft.tables["unpaired"].splits["train"]["label"].to_list() == [False]
    assert dropped(draft, "unpaired") == {"right_but_cut_off": 1}


def test_of_attempts_that_state_a_false_equation_only_the_wrong_ones_are_labelled(facts):
    false = [
        attempt(1, 0, text="1 + 2 = 4, \\boxed{3}"),
        attempt(1, 1, says="different", text="1 + 2 = 4, \\boxed{4}"),
    ]
    draft = draft_of(facts(), *false)
    assert draft.tables["unpaired"].splits["train"]["label"].to_list() == [False]
    assert dropped(draft, "unpaired") == {"false_equation": 1}


def test_an_attempt_whose_verdict_does_not_say_whether_it_is_right_is_refused(facts):
    with pytest.raises(SchemaError, match=r"attempts.is_right: follows_verdict is broken by 1 of 1 rows"):
        draft_of(facts(), {**attempt(1, 0), "is_right": False})


@pytest.fixture
def released(facts, registry):
    return registry.publish(draft_of(facts(), *decided()))


def decided():
    """Two right attempts and two wrong ones at each of four problems."""
    verdicts = ("equal", "equal", "different", "no_answer")
    return [attempt(number, index, says=says) for number in range(4) for index, says in enumerate(verdicts)]


def test_verify_decides_every_verdict_again(facts, registry, released):
    report = verify(released.path)
    assert report.findings == () and report.checks["answers"].n == 16
    draft = draft_of(facts(), *decided())
    wrong = draft.tables["full"].splits["train"]["verdict"].to_list().index("different")
    forged = draft
    for column, value in (("verdict", "equal"), ("is_right", True)):
        forged = with_value(forged, "full", "train", wrong, column, value)
    findings = [str(finding) for finding in verify(registry.publish(forged).path).findings]
    assert any(f"row {wrong}, column verdict: it is equal; checking the text" in finding for finding in findings)


PREPARE = """
import json, sys
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import KTOConfig, KTOTrainer, SFTConfig, SFTTrainer
from tests.tiny_policy import tiny_policy

folder, config = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(tiny_policy(folder, vocabulary=128))
tokenizer = AutoTokenizer.from_pretrained(folder, eos_token="0", pad_token="1")
tokenizer.chat_template = (
    "{% for turn in messages %}{{ 2 if turn.role == 'assistant' else 3 }} {{ turn.content }} "
    "{{ '0 ' if turn.role == 'assistant' else '' }}{% endfor %}{{ '2 ' if add_generation_prompt else '' }}"
)
settings, trainer = (SFTConfig, SFTTrainer) if config == "default" else (KTOConfig, KTOTrainer)
options = {
    "output_dir": folder, "report_to": [], "use_cpu": True, "bf16": False, "max_steps": 1,
    "per_device_train_batch_size": 4, "gradient_checkpointing": False, "save_strategy": "no",
}
rows = load_dataset("attempts/v0.1.0", config, split="train")
trainer = trainer(model=model, args=settings(**options), train_dataset=rows, processing_class=tokenizer)
batch = trainer.data_collator([trainer.train_dataset[index] for index in range(len(rows))])
result = trainer.train()
told = {name: values.tolist() for name, values in batch.items() if hasattr(values, "tolist")}
print(json.dumps({"step": trainer.state.global_step, "loss": result.training_loss, "batch": told}))
"""


def told_by_trl(config, registry, folder):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    environment["HF_HOME"] = str(folder / "hf")
    command = [sys.executable, "-W", "ignore", "-c", PREPARE, str(folder / "model"), config]
    done = subprocess.run(command, cwd=registry.root.path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def numbered(number, index, *, right):
    """An attempt whose text is words of the tiny policy, numbers without the digits of its special tokens."""
    return attempt(number, index, says="equal" if right else "different", text=" ".join(map(str, ids(number, index))))


def ids(number, index):
    """The token ids of the tiny policy for such a text, which says 99 where it is wrong."""
    return [45, 25 + index, 22 + number if index < 2 else 99]


@pytest.fixture
def numbers(facts, registry):
    """Two right attempts and two wrong ones at each of four problems, as numbers."""
    registry.publish(draft_of(facts(), *(numbered(n, index, right=index < 2) for n in range(4) for index in range(4))))


def test_trls_sft_trainer_learns_the_completion_alone(numbers, registry, tmp_path):
    told = told_by_trl("default", registry, tmp_path)
    learnt = [[token for token in row if token != -100] for row in told["batch"]["labels"]]
    assert told["step"] == 1 and told["loss"] > 0
    assert sorted(learnt) == sorted([*ids(number, index), 0] for number in range(4) for index in range(2))


def test_trls_kto_trainer_takes_a_step_on_right_and_wrong_completions(numbers, registry, tmp_path):
    told = told_by_trl("unpaired", registry, tmp_path)
    batch = told["batch"]
    masked = zip(batch["input_ids"], batch["completion_mask"], batch["label"], strict=True)
    kept = sorted(
        ([token for token, is_kept in zip(tokens, mask, strict=True) if is_kept], right)
        for tokens, mask, right in masked
    )
    assert told["step"] == 1 and told["loss"] > 0
    assert kept == sorted(([*ids(number, index), 0], index < 2) for number in range(4) for index in range(4))


def test_the_picture_is_drawn_where_no_attempt_is_undecided(facts):
    picture, _ = draft_of(facts(), attempt(1, 0)).pictures
    assert picture.name == "lengths.png" and picture.png.startswith(b"\x89PNG")
