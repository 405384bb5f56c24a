"""`stepmill export` as a person meets it: what it prints, and that a wrong call makes nothing."""

import json

import pytest
from typer.testing import CliRunner

from releases.cli import app


@pytest.fixture
def stepmill(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, ["export", *(str(argument) for argument in arguments)])

    return run


@pytest.fixture
def release(registry, true_draft):
    return registry.publish(true_draft).path


def test_the_folder_the_rows_and_the_command_are_printed(stepmill, release, tmp_path):
    told = stepmill(release, "--to", "axolotl")
    assert told.exit_code == 0, told.output
    folder = "exports/process_labels-v0.1.0-axolotl"
    assert told.output.startswith(f"{folder}: ") and "rows of default for axolotl (PRM)" in told.output
    assert told.output.endswith(f"\ncd {folder}\naxolotl train train.yaml\n")
    written = sorted(str(path.relative_to(tmp_path / folder)) for path in (tmp_path / folder).rglob("*.*"))
    assert written == ["README.md", "data/test.parquet", "data/train.parquet", "export.json", "train.yaml"]


def test_a_program_gets_the_record(stepmill, release, tmp_path):
    told = json.loads(stepmill(release, "--to", "axolotl", "--config", "truncated", "--out", "out", "--json").stdout)
    assert told.pop("folder") == "out"
    assert told == json.loads((tmp_path / "out" / "export.json").read_text())
    assert (told["config"], told["method"], told["policy"]) == ("truncated", "PRM", "tiny")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--to", "verl"),
            "verl cannot train on process_labels: it trains no process reward model; export it to axolotl",
        ),
        (
            ("--to", "axolotl", "--config", "truncate"),
            "has no config truncate here; there are default, full, truncated; did you mean truncated?",
        ),
        (("--to", "axolotl", "--config", "full"), "it is for reading, and has more columns than a trainer takes"),
        (("--to", "axolotl", "--version", "v7.0.0"), "holds version v0.1.0, not v7.0.0"),
    ],
)
def test_a_wrong_call_is_one_sentence_and_makes_nothing(stepmill, release, tmp_path, arguments, sentence):
    before = sorted(tmp_path.iterdir())
    told = stepmill(release, *arguments)
    assert told.exit_code == 2
    assert sentence in told.stderr and told.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_trainer_that_there_is_not_is_answered_with_those_there_are(stepmill, release):
    told = stepmill(release, "--to", "trlx")
    assert told.exit_code == 2
    assert "'trl', 'verl', 'openrlhf', 'llamafactory', 'axolotl', 'prime-rl', 'open-instruct'" in told.stderr


def test_a_folder_that_exists_is_kept(stepmill, release, tmp_path):
    assert stepmill(release, "--to", "axolotl", "--out", "out").exit_code == 0
    before = (tmp_path / "out" / "export.json").stat().st_mtime_ns
    told = stepmill(release, "--to", "axolotl", "--out", "out")
    assert (told.exit_code, "replace it with --force" in told.stderr) == (2, True)
    assert (tmp_path / "out" / "export.json").stat().st_mtime_ns == before
    assert stepmill(release, "--to", "axolotl", "--out", "out", "--force").exit_code == 0
