"""The command `stepmill run` as a person meets it."""

import json
import re

import dagster as dg
import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from tests.dagster_project.conftest import SETTINGS


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command in a folder of its own, with an instance folder that does not exist yet."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "stepmill.toml").write_text(SETTINGS.format(policy="").replace("shards = 2", "shards = 1"))

    def invoke(*arguments):
        return CliRunner().invoke(app, ["run", "--settings", str(tmp_path / "stepmill.toml"), *arguments])

    return invoke


def test_a_round_is_named_for_today_and_its_events_are_where_the_ui_reads_them(run, tmp_path):
    printed = run("--only", "process_labels", "--json")
    assert printed.exit_code == 0, printed.output
    *text, last = printed.stdout.strip().splitlines()
    result = json.loads(last)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", result["round"])
    assert [one["asset"] for one in result["released"]] == ["process_labels_release"]
    assert any(line.startswith("Released process_labels v0.1.0: ") for line in text)
    assert (tmp_path / "home" / "dagster.yaml").exists()
    with dg.DagsterInstance.from_config(str(tmp_path / "home")) as instance:
        assert instance.get_dynamic_partitions("rounds") == [result["round"]]
        assert instance.get_latest_materialization_event(dg.AssetKey("process_labels_release")) is not None

    again = json.loads(run("--only", "process_labels", "--json").stdout.splitlines()[-1])
    assert again["round"] == f"{result['round']}-2"
    kept = json.loads(run("--only", "process_labels", "--round", result["round"], "--json").stdout.splitlines()[-1])
    assert len(kept["kept"]) == 3 and kept["tables"] == []


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--only", "process_label"], "there is no dataset process_label; there are "),
        (["--only", "process_label"], "did you mean process_labels?"),
        (["--slice", "sums_0"], "there is no slice sums_0; there are sums-0; did you mean sums-0?"),
        (["--round", "a/b"], "a round cannot be called 'a/b': use letters, digits, "),
        (["--settings", "nowhere.toml"], "nowhere.toml cannot be read "),
    ],
)
def test_a_wrong_call_is_answered_in_one_sentence_and_makes_nothing(run, tmp_path, arguments, sentence):
    printed = run(*arguments)
    assert printed.exit_code == 2
    assert printed.stderr.startswith("stepmill: ") and printed.stderr.count("\n") == 1 and sentence in printed.stderr
    assert not (tmp_path / "data").exists()


def test_an_instance_folder_that_cannot_be_made_is_named(run, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file"))
    printed = run()
    assert printed.exit_code == 2
    assert "dagster.yaml cannot be written (" in printed.stderr and "point DAGSTER_HOME at a folder" in printed.stderr
