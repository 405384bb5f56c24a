"""The command `stepmill` as a person meets it: what it prints, and how it ends."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from releases.cli import app
from tests.releases.forgery import with_value


@pytest.fixture
def stepmill():
    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def good(registry, true_draft):
    return registry.publish(true_draft).path


@pytest.fixture
def flipped(registry, true_draft, good):
    labels = [not label for label in true_draft.tables["default"].splits["train"]["hard_labels"][3]]
    return registry.publish(with_value(true_draft, "default", "train", 3, "hard_labels", labels)).path


def test_a_good_release_ends_with_a_table_and_zero(stepmill, good):
    told = stepmill("verify", good)
    assert told.exit_code == 0
    assert "labels    16 rows             0" in told.output
    assert told.output.endswith("process_labels v0.1.0 is as its manifest says\n")


def test_a_version_is_named_by_its_dataset_too(stepmill, registry, good):
    dataset = registry.root / "process_labels"
    assert stepmill("verify", dataset, "--version", "v0.1.0").exit_code == 0
    told = stepmill("verify", dataset)
    assert told.exit_code == 2
    assert "name the folder of a version, or --version of: v0.1.0" in told.stderr
    assert "has no version v7.0.0; there are v0.1.0" in stepmill("verify", dataset, "--version", "v7.0.0").stderr


def test_a_finding_is_printed_with_its_place_and_the_command_fails(stepmill, flipped):
    told = stepmill("verify", flipped)
    assert told.exit_code == 1
    assert told.output.startswith("data/default/train-00000-of-00001.parquet, row 3, column hard_labels: item 0 is ")
    assert told.output.endswith("process_labels v0.1.1 has 1 finding\n")


def test_a_difference_is_told_in_tables_and_is_one(stepmill, good, flipped):
    told = stepmill("diff", good, flipped)
    assert told.exit_code == 1
    assert told.output.startswith(
        "process_labels v0.1.0 and v0.1.1 differ\n\nconfig     added  removed  changed  same\n"
    )
    assert "default        0        0        1    15\n" in told.output
    assert re.search(r"default: changed \('[0-9a-f]{24}', 0, '[a-z_]+'\) in hard_labels\n", told.output)
    assert re.search(r"\nlabels +v0\.1\.0  v0\.1\.1\n", told.output)
    assert re.search(r"\nsteps per row +v0\.1\.0  v0\.1\.1\n(.*\n){2}shortest +2 +2\n", told.output)


def test_more_rows_than_the_limit_are_counted(stepmill, good, flipped):
    assert "default: changed 1 more\n" in stepmill("diff", good, flipped, "--limit", 0).output


def test_equal_releases_are_said_to_be_equal(stepmill, good):
    told = stepmill("diff", good, good)
    assert (told.exit_code, told.output) == (0, "process_labels v0.1.0 and v0.1.0 hold equal rows\n")


def test_a_pulled_version_verifies(stepmill, registry, good, tmp_path):
    pull = ("pull", "process_labels", "--version", "v0.1.0", "--from", registry.root, "--into", tmp_path / "here")
    place = tmp_path / "here" / "process_labels" / "v0.1.0"
    assert stepmill(*pull).output == f"process_labels v0.1.0 is now at {place}\n"
    assert stepmill(*pull).output == f"process_labels v0.1.0 is already at {place}\n"
    assert stepmill("verify", place).exit_code == 0


def test_a_damaged_release_is_not_pulled(stepmill, registry, good, tmp_path):
    (good / "README.md").write_text("another")
    told = stepmill(
        "pull", "process_labels", "--version", "v0.1.0", "--from", registry.root, "--into", tmp_path / "here"
    )
    assert told.exit_code == 2
    assert told.stderr.startswith(f"stepmill: {good / 'README.md'} has the SHA-256 ")


def test_the_command_starts_without_dagster_torch_or_a_table():
    program = "import sys; import releases.cli; print({'dagster', 'torch', 'polars', 'datasets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_some_rows_are_shown_as_markdown_the_same_ones_for_the_same_seed(stepmill, good):
    told = stepmill("show", good, "--rows", 2, "--seed", 5, "--columns", "problem_id, steps")
    assert told.exit_code == 0
    assert re.findall(r"^### Row (\d)$", told.output, re.MULTILINE) == ["1", "2"]
    assert re.findall(r"^\*\*(\w+)\*\*", told.output, re.MULTILINE) == ["problem_id", "steps"] * 2
    again = stepmill("show", good, "--rows", 2, "--seed", 5, "--columns", "problem_id,steps")
    other = stepmill("show", good, "--rows", 2, "--seed", 6, "--columns", "problem_id,steps")
    assert again.output == told.output != other.output


def test_a_column_that_is_not_there_is_named_with_those_that_are(stepmill, good):
    told = stepmill("show", good, "--columns", "poem")
    assert told.exit_code == 2
    assert "there is no column poem; there are problem_id" in told.stderr
