"""`stepmill rounds`, `releases` and `status` over the rounds that all tests share, and over none."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from generators.datasets import DATASETS
from releases.registry.local import LocalRegistry
from tests.dagster_project.conftest import SETTINGS

NAMES = [dataset.name for dataset in DATASETS]


@pytest.fixture
def stepmill(copied_world, tmp_path):
    """Runs a command with the settings of a copy of the shared rounds."""
    (tmp_path / "stepmill.toml").write_text(SETTINGS.format(policy="").replace("size = 12", "size = 48"))
    assert Path(copied_world.data_root) == tmp_path / "data"

    def run(*arguments):
        return CliRunner().invoke(app, [*arguments, "--settings", str(tmp_path / "stepmill.toml")])

    return run


def test_rounds_are_listed_with_their_datasets_and_their_cost(stepmill):
    listed = json.loads(stepmill("rounds", "--json").stdout)["rounds"]
    assert {one["round"] for one in listed} == {"r1", "r2"}
    for one in listed:
        assert one["slices"] == ["sums-0", "sums-1"]
        assert [dataset["name"] for dataset in one["datasets"]] == NAMES
        assert {dataset["state"] for dataset in one["datasets"]} == {"released"}
        assert one["cost"]["rollouts"] > 0
    text = stepmill("rounds").stdout
    assert "Round r1: 2 of 2 slices, " in text and " rollouts, " in text


def test_releases_are_listed_with_round_rows_and_size(stepmill, world):
    listed = json.loads(stepmill("releases", "process_labels", "--json").stdout)["releases"]
    assert [(one["version"], one["round"]) for one in listed] == [("v0.1.0", "r1"), ("v0.2.0", "r2")]
    manifest = LocalRegistry(world.store.releases).manifest("process_labels", "v0.1.0")
    assert listed[0]["rows"] == sum(manifest.rows["full"].values()) >= sum(manifest.rows["default"].values()) > 0
    assert listed[0]["size"] == sum(file.size for file in manifest.files) > 0
    text = stepmill("releases").stdout
    assert all(f"{name}  " in text or f"{name} " in text for name in NAMES)


def test_the_status_of_a_round_says_what_is_not_made_and_how_to_go_on(stepmill, copied_world):
    store = Store(data_root=copied_world.data_root)
    store.scorecard("attempts", Cell(round="r1", slice="sums-1")).unlink()
    printed = stepmill("status", "--round", "r1")
    assert printed.exit_code == 0
    assert "Not made of slice sums-1: attempts" in printed.stdout
    assert "Go on with `stepmill run --round r1`." in printed.stdout
    data = json.loads(stepmill("status", "--round", "r1", "--json").stdout)
    assert data["unmade"] == [{"stage": "attempts", "slice": "sums-1"}]
    assert {dataset["state"] for dataset in data["datasets"]} == {"unfinished"}


def test_the_status_of_a_round_says_which_check_blocks_it_and_the_remedy(stepmill, copied_world):
    store = Store(data_root=copied_world.data_root)
    card = store.scorecard("long_cot_traces", Cell(round="r2", slice="sums-0"))
    data = json.loads(card.read_text())
    blocking = next(check for check in data["checks"] if check["name"] == "schema")
    blocking |= {"passed": False, "why": "a column is missing", "remedy": "Put it back."}
    card.write_text(json.dumps(data))
    text = stepmill("status", "--round", "r2").stdout
    assert "Blocked: long_cot_traces, slice sums-0: a column is missing\n  remedy: Put it back.\n" in text
    assert "  not released: long_cot_traces\n" in text


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["status", "--round", "r3"], "there is no round r3 in "),
        (["releases", "process_label"], "did you mean process_labels?"),
        (["releases", "--hub"], "--hub needs a section [hub]"),
    ],
)
def test_a_wrong_name_is_answered_with_those_that_there_are(stepmill, arguments, sentence):
    printed = stepmill(*arguments)
    assert printed.exit_code == 2
    assert printed.stderr.startswith("stepmill: ") and sentence in printed.stderr


@pytest.mark.parametrize("command", ["rounds", "releases", "status"])
def test_before_the_first_round_the_command_says_how_to_make_one(tmp_path, command):
    (tmp_path / "stepmill.toml").write_text(SETTINGS.format(policy=""))
    printed = CliRunner().invoke(app, [command, "--settings", str(tmp_path / "stepmill.toml")])
    assert printed.exit_code == 0
    assert "`stepmill run`" in printed.stdout
