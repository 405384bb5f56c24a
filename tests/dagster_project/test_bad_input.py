import json

import polars as pl
import pytest

from dagster_project.settings.file import load_settings
from generators.engine.simulated.statement import SimulatedProblems
from generators.process_labels.dataset import DATASET
from tests.dagster_project.conftest import LENIENT

SETTINGS = (
    """
data_root = "{root}"

[policy]
model = "{model}"

[[sources]]
name = "src"
kind = "file"
path = "{path}"
columns = {{ prompt = "{prompt}", answer = "gold" }}

[attempts]
n = 2
max_tokens = 400

[process_labels]
rollouts_per_step = 2
"""
    + LENIENT
)
PROBLEMS = [SimulatedProblems(min_steps=2, max_steps=3).problem(index) for index in range(10)]
LINES = [json.dumps({"question": problem.prompt, "gold": problem.answer}) for problem in PROBLEMS]
WITHOUT_ANSWER = json.dumps({"question": PROBLEMS[2].prompt})


def settings(folder, lines, *, prompt="question", model="simulated", root="data"):
    (folder / "problems.jsonl").write_text("".join(f"{line}\n" for line in lines))
    text = SETTINGS.format(root=root, model=model, path=folder / "problems.jsonl", prompt=prompt)
    (folder / "stepmill.toml").write_text(text)
    return load_settings(folder / "stepmill.toml")


def failure(result):
    (failed,) = result.get_step_failure_events()
    return str(failed.step_failure_data.error.message)


@pytest.mark.parametrize(
    ("lines", "reason", "origin"),
    [
        ([*LINES[:6], '{"question": "Start wi', *LINES[7:]], "broken_line", "line 7"),
        ([*LINES[:2], WITHOUT_ANSWER, *LINES[3:]], "missing_answer", "line 3"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_line_and_the_good_rows_are_made(tmp_path, make, lines, reason, origin):
    assert make(settings(tmp_path, lines), "slice", "r1", "src-0", only=DATASET.stages).success
    dropped = pl.read_parquet(tmp_path / "data/tables/problems/r1/src-0.dropped.parquet")
    assert dropped.select("reason", "origin").rows() == [(reason, origin)]
    labels = pl.read_parquet(tmp_path / "data/tables/process_labels/r1/src-0.parquet")
    assert labels["problem_id"].n_unique() == 9


def test_an_empty_file_is_named_with_what_to_do(tmp_path, make):
    result = make(settings(tmp_path, []), "slice", "r1", "src-0")
    assert "problems.jsonl is empty: give a file with at least one problem" in failure(result)


def test_an_unknown_column_is_named_beside_those_that_there_are(tmp_path, make):
    result = make(settings(tmp_path, LINES, prompt="problem"), "slice", "r1", "src-0")
    assert "has no column 'problem': set prompt to one of gold, question" in failure(result)


def test_a_model_folder_without_a_model_is_named_with_the_remedy(tmp_path, make):
    (tmp_path / "model").mkdir()
    result = make(settings(tmp_path, LINES, model=str(tmp_path / "model")), "slice", "r1", "src-0")
    assert "holds no config.json: name a folder written by save_pretrained" in failure(result)


def test_a_model_that_the_hub_does_not_have_is_named_with_the_remedy(tmp_path, make):
    result = make(settings(tmp_path, LINES, model="no such/model"), "slice", "r1", "src-0")
    assert "policy.model is 'no such/model'" in failure(result)
    assert "set policy.model to 'embedded'" in failure(result)


def test_a_data_root_that_cannot_be_written_is_named_before_anything_is_generated(tmp_path, make):
    (tmp_path / "taken").write_text("a file")
    result = make(settings(tmp_path, LINES, root=str(tmp_path / "taken")), "slice", "r1", "src-0")
    assert f"cannot write {tmp_path}/taken/tables/problems/r1/src-0" in failure(result)
    assert "set data_root to another place" in failure(result)
