"""From problems and what attempts showed of them to a release: what is joined, left out, and read by RL trainers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from datasets import Dataset
from transformers import AutoTokenizer

from filters.answers.verdicts import AnswerRule
from filters.schema import SchemaError
from generators.problems.dataset import DATASET
from generators.problems.difficulty import DifficultyBounds
from generators.problems.loading import problem_id
from generators.problems.release import (
    FURTHER,
    ProblemParameters,
    SourceNotes,
    more_facts,
    parameters_of,
    recompute,
)
from generators.problems.table import PROBLEM_DIFFICULTY, PROBLEMS
from generators.rows import Rows
from releases.drafting import drafted
from releases.errors import NothingToRelease
from releases.splits import SplitShares
from releases.verification.verify import verify
from tests.releases.forgery import with_value

ALL_TRAIN = SplitShares(test=0.0)
RULE = {"bare_last_number": False, "percent": "number", "units": "optional", "lists": "undecided"} | {
    "tolerance": None,
    "unfinished_thoughts": "no_answer",
    "no_answer": "wrong",
}
NOTES = SourceNotes(licence="MIT", language="en", answer_rule=AnswerRule(percent="number"))
PARAMETERS = ProblemParameters(sources={"sums": NOTES, "essays": SourceNotes()})


def problem(number, *, source="sums", answer=None):
    prompt = f"What is {number} + 2?"
    answer = str(number + 2) if answer is None else answer
    names = {"problem_id": problem_id(prompt, answer), "source": source, "prompt": prompt, "answer": answer}
    return {**names, "also_accepted": [], "level": None}


def attempted(row, *, n, right, undecided=0):
    decided = n - undecided
    rate = right / decided if decided else None
    band = None if rate is None else "easy" if rate >= 0.5 else "medium" if rate >= 0.1 else "hard"
    counts = {"n_attempts": n, "n_right": right, "n_undecided": undecided, "n_no_answer": 0}
    counts |= {"pass_rate": rate, "difficulty": band}
    return {"problem_id": row["problem_id"], **counts, "policy": "tiny", "round": "first", "slice": "sums-0"}


EASY, HARD, OPEN, UNTRIED = (problem(number) for number in range(4))
ESSAY = problem(9, source="essays", answer="")
RATED = [
    attempted(EASY, n=4, right=3),
    attempted(HARD, n=4, right=0, undecided=1),
    attempted(OPEN, n=2, right=0, undecided=2),
]


def tables(problems=(EASY, HARD, OPEN, UNTRIED, ESSAY), difficulty=RATED):
    return {
        "problems": PROBLEMS.frame(list(problems)),
        "problem_difficulty": PROBLEM_DIFFICULTY.frame(list(difficulty)),
    }


def draft_of(facts, shares=ALL_TRAIN, parameters=PARAMETERS, **changed):
    return drafted(DATASET, tables(**changed), facts, parameters, shares)


def rows_of(draft, config):
    return {row["answer"]: row for row in draft.tables[config].splits["train"].iter_rows(named=True)}


def test_each_problem_gets_what_its_attempts_showed_and_what_its_source_states(facts):
    rows = rows_of(draft_of(facts()), "full")
    assert [rows[answer]["pass_rate"] for answer in ("2", "3", "4", "5")] == [0.75, 0.0, None, None]
    assert [rows[answer]["difficulty"] for answer in ("2", "3", "4", "5")] == ["easy", "hard", None, None]
    assert {(row["licence"], row["language"]) for row in rows.values()} == {("MIT", "en")}
    assert all(row["answer_rule"] == RULE for row in rows.values())


def test_a_problem_that_nobody_attempted_has_counts_of_0_and_no_pass_rate(facts):
    row = rows_of(draft_of(facts()), "full")["5"]
    assert (row["n_attempts"], row["n_right"], row["n_undecided"]) == (0, 0, 0)
    assert [row[name] for name in ("pass_rate", "difficulty", "policy", "round", "slice")] == [None] * 5


def test_further_answers_are_released_verified_and_handed_to_trainers(facts, registry):
    prompt, others = "Name a root of (x - 2)(x - 3).", ["3", "x = 3"]
    roots = {"problem_id": problem_id(prompt, "2", others), "prompt": prompt, "answer": "2", "also_accepted": others}
    draft = draft_of(facts(), problems=(EASY | roots, HARD), difficulty=())
    row = next(row for row in draft.tables["default"].splits["train"].to_dicts() if row["also_accepted"])
    assert (row["answer"], row["ground_truth"], row["reward_model"]["ground_truth"]) == ("2", "2", "2")
    assert row["also_accepted"] == row["extra_info"]["also_accepted"] == others
    report = verify(registry.publish(draft).path)
    assert report.findings == () and report.checks["answers"].n == 2 * 3 + 2
    rows = draft.tables["full"].splits["train"]
    assert more_facts(None, Rows.of(rows), {}).figures == {
        FURTHER: {"sums": {"problems": 2, "with_further_answers": 1}}
    }
    assert more_facts(None, Rows.of(rows.filter(pl.col("also_accepted").list.len() == 0)), {}).figures == {}


def test_problems_without_an_answer_are_left_out_with_a_reason(facts):
    stages = {stage.name: stage for stage in draft_of(facts()).facts.stages}
    assert (stages["release: full"].kept, stages["release: full"].dropped) == (4, {"no_answer": 1})
    with pytest.raises(
        NothingToRelease, match="problems: there are no rows to release after the release dropped 1 no_"
    ):
        draft_of(facts(), problems=(ESSAY,), difficulty=())


def test_labels_count_the_difficulties(facts):
    assert draft_of(facts()).label_counts == {"train": {"easy": 1, "medium": 0, "hard": 1, "not_rated": 2}}


def test_a_pass_rate_that_the_counts_do_not_give_is_refused(facts):
    wrong = [{**RATED[0], "pass_rate": 0.5}, *RATED[1:]]
    with pytest.raises(SchemaError, match="problems: pass_rate of config full do not follow from the others in 1 of 4"):
        draft_of(facts(), difficulty=wrong)


def test_bounds_of_difficulty_are_those_of_the_release(facts):
    draft = draft_of(facts())
    strict = ProblemParameters(sources=PARAMETERS.sources, bounds=DifficultyBounds(easy=0.9, medium=0.5))
    assert draft.facts.settings["export"]["difficulty"] == {"easy": 0.5, "medium": 0.1}
    again = recompute(draft.tables["full"].splits["train"], strict)
    assert set(again["difficulty"].drop_nulls()) == {"medium", "hard"}


def test_parameters_come_back_from_the_manifest_as_they_were():
    assert ProblemParameters.of(json.loads(json.dumps(PARAMETERS.to_json()))) == PARAMETERS


def recipe(**changed):
    config = {"problems": {"name": "sums"}, "licence": "MIT", "language": "en", **RULE}
    return {"config": {**config, **changed}, "settings": {}}


def test_parameters_are_those_of_the_recipes_and_slices_of_a_source_agree():
    def of(*recipes):
        return parameters_of(SimpleNamespace(recipes=lambda _: dict(enumerate(recipes))))

    assert of(recipe(), recipe()).sources == {"sums": NOTES}
    with pytest.raises(SchemaError, match="slices of source sums differ in licence, language or answer rule"):
        of(recipe(), recipe(licence="apache-2.0"))


def test_a_source_without_notes_is_refused_by_its_name(facts):
    with pytest.raises(SchemaError, match="problems: there is no licence, language and answer rule of source sums"):
        draft_of(facts(), parameters=ProblemParameters(sources={"essays": SourceNotes()}))


@pytest.fixture
def released(facts, registry):
    return registry.publish(draft_of(facts()))


def test_every_gold_answer_is_verified_again_against_itself_and_a_near_copy(released):
    report = verify(released.path)
    assert report.findings == ()
    assert report.checks["answers"].n == 8


def test_a_forged_answer_and_a_forged_count_are_found(facts, registry):
    draft = draft_of(facts())
    rows = draft.tables["full"].splits["train"]
    row = rows["answer"].to_list().index("2")
    answer = verify(registry.publish(with_value(draft, "full", "train", row, "answer", "\\sum")).path)
    assert {finding.column for finding in answer.findings} >= {"problem_id", "answer"}
    count = verify(registry.publish(with_value(draft, "full", "train", row, "n_right", 1)).path)
    assert any(f"row {row}, column pass_rate: it is 0.75, it must be 0.25" in str(one) for one in count.findings)


def split_file(release, config="default"):
    return f"{release.path}/data/{config}/train-00000-of-00001.parquet"


def test_a_row_for_rl_is_the_one_that_verl_documents(released):
    rows = {row["answer"]: row for row in Dataset.from_parquet(split_file(released))}
    row = rows["2"]
    assert row["data_source"] == "sums" and row["ability"] == "math"
    assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
    assert row["prompt"][1]["content"] == "What is 0 + 2?" and "\\boxed{}" in row["prompt"][0]["content"]
    assert row["reward_model"] == {"style": "rule", "ground_truth": "2"}
    assert row["extra_info"] == {
        "index": EASY["problem_id"],
        "also_accepted": [],
        "level": None,
        "pass_rate": 0.75,
        "n_attempts": 4,
        "difficulty": "easy",
        "policy": "tiny",
        "answer_rule": RULE,
    }
    assert rows["5"]["extra_info"]["pass_rate"] is None


@pytest.fixture
def tokenizer(tmp_path):
    from tests.tiny_policy import tiny_policy

    tokenizer = AutoTokenizer.from_pretrained(tiny_policy(tmp_path / "tiny"))
    tokenizer.chat_template = "{% for turn in messages %}<{{ turn.role }}>{{ turn.content }}{% endfor %}<assistant>"
    return tokenizer


def asked(tokenizer, chat):
    return tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)


# What each trainer's own data module takes from a row, by the keys that it is given.
READERS = {
    "verl": lambda row: (
        row["prompt"],
        row["reward_model"]["ground_truth"],
        row["data_source"],
        row["extra_info"]["index"],
    ),
    "openrlhf": lambda row: (row["prompt"], row["ground_truth"]),
    "open-instruct": lambda row: (row["prompt"], row["ground_truth"]),
    "verifiers": lambda row: (row["prompt"], row["answer"]),
}


@pytest.mark.parametrize("trainer", READERS)
def test_what_a_trainer_takes_from_a_row_is_a_chat_that_ends_with_the_problem_and_its_answer(
    trainer, released, tokenizer
):
    for row in Dataset.from_parquet(split_file(released)):
        prompt, truth, *others = READERS[trainer](row)
        assert asked(tokenizer, prompt).endswith("+ 2?<assistant>")
        assert truth == str(int(prompt[-1]["content"].split()[2]) + 2)
        assert all(isinstance(value, str) for value in others)


GRPO = """
import json, sys
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer
from tests.tiny_policy import tiny_policy

folder = tiny_policy(sys.argv[1], vocabulary=128)
tokenizer = AutoTokenizer.from_pretrained(folder, eos_token="0", pad_token="1", padding_side="left")
tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }} {% endfor %}"
seen = []

def reward(completions, ground_truth, extra_info, **_):
    seen.extend(zip(ground_truth, (facts["index"] for facts in extra_info)))
    return [float(truth in completion[0]["content"].split()) for completion, truth in zip(completions, ground_truth)]

trainer = GRPOTrainer(
    model=AutoModelForCausalLM.from_pretrained(folder),
    reward_funcs=reward,
    args=GRPOConfig(
        output_dir=sys.argv[1], report_to=[], use_cpu=True, bf16=False, max_steps=1, max_completion_length=4,
        per_device_train_batch_size=2, num_generations=2, gradient_checkpointing=False,
    ),
    train_dataset=Dataset.from_parquet(sys.argv[2]),
    processing_class=tokenizer,
)
trainer.train()
print(json.dumps({"step": trainer.state.global_step, "seen": seen}))
"""


def test_trls_grpo_trainer_takes_a_step_on_the_rows_as_they_are(released, tmp_path):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-W", "ignore", "-c", GRPO, str(tmp_path / "model"), split_file(released)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["step"] == 1
    ids = {row["answer"]: row["problem_id"] for row in (EASY, HARD, OPEN, UNTRIED)}
    assert told["seen"] and all(ids[truth] == index for truth, index in told["seen"])


def test_the_picture_is_drawn_where_some_problems_have_no_pass_rate(facts):
    picture, _ = draft_of(facts()).pictures
    assert picture.name == "pass_rates.png" and picture.png.startswith(b"\x89PNG")
