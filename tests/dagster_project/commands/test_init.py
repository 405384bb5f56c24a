"""`stepmill init`: what it sees of a file, of a Hub dataset and of a model, and that its settings pass the check."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.preflight.report import check
from dagster_project.settings.file import load_settings
from tests.hub.state import Blob, Repository
from tests.tiny_policy import tiny_policy

PROBLEMS = [
    {
        "question": f"Ann has {n} apples and buys 3 more. How many apples has she now?",
        "answer": f"She has {n} + 3 = {n + 3} apples.\n#### {n + 3}",
    }
    for n in range(10)
]
CARD = """---
license: mit
language: [en]
configs:
- config_name: main
  data_files: [{split: train, path: a.jsonl}]
---
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture
def init(tmp_path, monkeypatch):
    """Runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["init", *arguments])


def write(file, rows=PROBLEMS):
    if file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif file.suffix == ".csv":
        pl.DataFrame(rows).write_csv(file)
    else:
        pl.DataFrame(rows).write_parquet(file)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_file_becomes_settings_that_pass_the_check(init, tmp_path, suffix):
    write(tmp_path / f"My problems{suffix}")
    done = init(f"My problems{suffix}")
    assert done.exit_code == 0, done.output
    assert "answer       column `answer`, format gsm8k: 10 of 10 rows parse, such as '3'" in done.output
    assert "language     en: 10 of 10 prompts pass as en" in done.output
    assert "policy       embedded: was made for 8192 tokens, 135 million parameters" in done.output
    settings = load_settings(tmp_path / "my_problems.toml")
    (source,) = settings.sources
    assert (source.problems.columns.answer_format, source.language, source.licence) == ("gsm8k", "en", None)
    report = check(settings)
    assert report.refused == [] and [finding.field for finding in report.warned] == ["sources.my_problems.licence"]


def test_a_known_set_becomes_its_preset_with_its_licence(init, tmp_path):
    write(tmp_path / "gsm8k_train.jsonl")
    done = init("gsm8k_train.jsonl")
    assert "preset       gsm8k: by the name of the file, and by its columns" in done.output
    text = (tmp_path / "gsm8k_train.toml").read_text()
    assert 'preset = "gsm8k"' in text and "columns" not in text.replace("# columns", "").partition("preset")[0]
    settings = load_settings(tmp_path / "gsm8k_train.toml")
    (source,) = settings.sources
    assert (source.kind, source.preset, source.licence) == ("file", "gsm8k", "mit")
    assert check(settings).refused == []


@pytest.mark.parametrize("source", ["shards", "shards/train-*.parquet"])
def test_shards_become_one_source(init, tmp_path, source):
    (tmp_path / "shards").mkdir()
    for number in range(2):
        write(tmp_path / "shards" / f"train-0000{number}-of-00002.parquet", PROBLEMS[5 * number : 5 * number + 5])
    done = init(source)
    assert done.exit_code == 0, done.output
    assert check(load_settings(tmp_path / "shards.toml")).refused == []


def test_problems_with_tests_instead_of_answers_are_refused(init, tmp_path):
    rows = [
        {"text": row["question"], "code": f"def f():\n    return {n}", "test_list": [f"assert f() == {n}"]}
        for n, row in enumerate(PROBLEMS)
    ]
    write(tmp_path / "mbpp.jsonl", rows)
    refused = init("mbpp.jsonl")
    assert refused.exit_code == 2
    assert "have tests in column 'test_list' instead of answers, and tests need a sandbox" in refused.stderr


def test_conversations_in_json_become_a_source(init, tmp_path):
    rows = [
        [
            {"from": "human", "value": row["question"]},
            {"from": "assistant", "ground_truth": {"value": row["answer"].rpartition(" ")[2]}},
        ]
        for row in PROBLEMS
    ]
    (tmp_path / "own.json").write_text(json.dumps(rows))
    done = init("own.json")
    assert "answer       column `messages.ground_truth.value`, format plain: 10 of 10 rows parse" in done.output
    assert check(load_settings(tmp_path / "own.toml")).refused == []


def test_worked_examples_are_chosen_by_the_room_that_the_context_leaves(init, tmp_path):
    write(tmp_path / "own.jsonl")
    assert init("own.jsonl").exit_code == 0
    settings = load_settings(tmp_path / "own.toml")
    assert settings.section("long_cot_traces").examples == "short"
    assert settings.policy.max_model_len == 2048


def test_a_small_policy_gets_worked_examples_for_word_problems_and_for_nothing_else(init, tmp_path):
    write(tmp_path / "words.jsonl")
    write(tmp_path / "sums.jsonl", [{"problem": f"{n} + 3 = ?", "answer": str(n + 3)} for n in range(8)])
    chosen = {}
    for name in ("words", "sums"):
        init(f"{name}.jsonl")
        chosen[name] = load_settings(tmp_path / f"{name}.toml").sources[0].worked_examples
    assert chosen == {"words": "word_problems", "sums": "none"}


def test_what_was_not_seen_is_a_comment(init, tmp_path):
    write(tmp_path / "own.jsonl")
    init("own.jsonl")
    text = (tmp_path / "own.toml").read_text()
    assert '# licence = "cc-by-4.0"           # a file names none: fill in the SPDX id' in text
    assert 'path = "own.jsonl"' in text


def test_a_path_is_relative_to_the_settings_file(init, tmp_path):
    (tmp_path / "problems").mkdir()
    (tmp_path / "settings").mkdir()
    write(tmp_path / "problems" / "own.jsonl")
    assert init("problems/own.jsonl", "--out", "settings/mine.toml").exit_code == 0
    assert check(load_settings(tmp_path / "settings" / "mine.toml")).refused == []


def test_a_file_is_never_overwritten_unasked(init, tmp_path):
    write(tmp_path / "own.jsonl")
    (tmp_path / "own.toml").write_text("mine")
    refused = init("own.jsonl")
    assert refused.exit_code == 2
    assert refused.stderr == "stepmill: own.toml exists: name another file with --out, or overwrite it with --force\n"
    assert (tmp_path / "own.toml").read_text() == "mine"
    assert init("own.jsonl", "--force").exit_code == 0


def test_many_problems_are_limited_on_a_cpu(init, tmp_path):
    write(
        tmp_path / "own.jsonl", [{**row, "question": f"{row['question']} ({n})"} for n in range(9) for row in PROBLEMS]
    )
    init("own.jsonl")
    (source,) = load_settings(tmp_path / "own.toml").sources
    assert source.problems.span.limit == 24


def test_problems_without_answers_need_a_reward_model(init, tmp_path):
    write(tmp_path / "own.jsonl", [{"prompt": f"Write a short poem about the number {n}."} for n in range(8)])
    refused = init("own.jsonl")
    assert refused.exit_code == 2 and "no column of own.jsonl reads as an answer" in refused.stderr
    assert not (tmp_path / "own.toml").exists()
    tiny_policy(tmp_path / "reward")
    assert init("own.jsonl", "--reward", str(tmp_path / "reward")).exit_code == 0
    settings = load_settings(tmp_path / "own.toml")
    assert not settings.sources[0].has_answers and settings.judge is not None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["missing.jsonl"], "problem file missing.jsonl does not exist"),
        (["problems.txt"], "problems.txt does not exist, nor is it the id of a Hub dataset: name a .jsonl"),
        (["empty.jsonl"], "problem file empty.jsonl is empty"),
        (["own.jsonl", "--answer", "gold"], "own.jsonl has no column 'gold': set --answer to one of question, answer"),
        (["own.jsonl", "--model", "simulated"], "the simulated policy continues its own problems only"),
        (["own.jsonl", "--model", "no such/model"], "policy.model is 'no such/model', which the Hub does not provide"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_nothing_is_written(init, tmp_path, arguments, sentence):
    write(tmp_path / "own.jsonl")
    (tmp_path / "empty.jsonl").touch()
    refused = init(*arguments)
    assert refused.exit_code == 2
    assert sentence in refused.stderr and refused.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.toml"))


def test_a_program_reads_what_was_detected_as_json(init, tmp_path):
    write(tmp_path / "own.jsonl")
    seen = json.loads(init("own.jsonl", "--json").stdout)
    assert seen["settings"] == "own.toml"
    assert {"source", "prompt", "answer", "language", "licence", "policy", "tokens"} <= {
        entry["what"] for entry in seen["detected"]
    }


@pytest.fixture
def of_the_hub(hub, tmp_path, monkeypatch):
    """Runs commands as processes, since the Hub's clients read its address once; with caches of their own."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))

    def run(*arguments):
        command = [sys.executable, "-m", "dagster_project.cli", *arguments, *("--out", str(tmp_path / "own.toml"))]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    return run


def test_a_hub_dataset_is_read_with_its_config_revision_and_licence(of_the_hub, tmp_path, hub):
    repository = hub.state.repositories["lab/word-problems"] = Repository("lab/word-problems", private=False)
    rows = "".join(json.dumps(row) + "\n" for row in PROBLEMS).encode()
    repository.commit("problems", {"README.md": Blob(CARD.encode(), False), "a.jsonl": Blob(rows, False)}, [], None)
    done = of_the_hub("init", "lab/word-problems")
    assert done.returncode == 0, done.stderr
    assert "licence      mit: the card says mit" in done.stdout
    (source,) = load_settings(tmp_path / "own.toml").sources
    problems = source.problems
    assert (source.hub_dataset, source.licence) == ("lab/word-problems", "mit")
    assert (problems.config, problems.split, problems.revision) == ("main", "train", repository.head.oid)


def test_a_hub_dataset_that_does_not_exist_is_named(of_the_hub):
    refused = of_the_hub("init", "lab/nothing")
    assert refused.returncode == 2
    assert "stepmill: the Hub dataset lab/nothing cannot be read" in refused.stderr


def test_a_hub_that_does_not_answer_is_named(of_the_hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    refused = of_the_hub("init", "lab/nothing")
    assert refused.returncode == 2
    assert "stepmill: the Hub dataset lab/nothing cannot be read" in refused.stderr
