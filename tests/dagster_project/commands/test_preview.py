"""`stepmill preview` on the simulated policy: rows of every dataset as a person reads them, drops, and a forecast."""

import io
import re
from dataclasses import replace

import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from dagster_project import definitions
from dagster_project.cli import app
from dagster_project.preview import text
from dagster_project.preview.making import make, order
from dagster_project.running.listener import Listener
from dagster_project.settings.file import load_settings
from generators.datasets import DATASETS, STAGES
from tests.dagster_project.conftest import SETTINGS

TWO_SOURCES = SETTINGS.format(policy="").replace(
    "[attempts]",
    '[[sources]]\nkind = "simulated"\nname = "more"\nsize = 40\nmin_steps = 3\nmax_steps = 5\n\n[attempts]',
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preview")
    (folder / "stepmill.toml").write_text(TWO_SOURCES)
    return folder


@pytest.fixture(scope="module")
def previewed(folder):
    """The output of the command over five problems of two sources."""
    return CliRunner().invoke(app, ["preview", "--settings", str(folder / "stepmill.toml"), "--n", "5"])


def test_every_dataset_is_shown_with_its_rows_in_plain_text_on_a_pipe(previewed):
    assert previewed.exit_code == 0, previewed.output
    assert "\x1b" not in previewed.output and "╭" not in previewed.output
    for dataset in DATASETS:
        assert re.search(rf"^{dataset.name}\n\d+ rows from \d of 5 problems: ", previewed.output, re.MULTILINE)
    assert "--- process_labels, row 1 of " in previewed.output
    assert re.search(r"^steps:\n0\. Adding ", previewed.output, re.MULTILINE)


def test_what_was_dropped_is_counted_by_stage_and_reason(previewed):
    assert re.search(r"^dropped by process_labels: \d+ \w+", previewed.output, re.MULTILINE)


def test_a_round_is_forecast_over_all_problems_of_both_sources(previewed):
    assert "from 3 of 12 of sums, 2 of 40 of more." in previewed.output
    (rollouts,) = re.findall(r"all 52 problems would draw about ([\d,]+) rollouts", previewed.output)
    assert int(rollouts.replace(",", "")) > 52 * 4
    assert re.search(r"^by asset: attempts \d+%", previewed.output, re.MULTILINE)


def test_nothing_is_released_and_the_data_root_has_no_round(previewed, folder):
    assert not (folder / "data" / "preview" / "releases").exists()
    assert not (folder / "data" / "tables").exists()


def test_the_same_preview_draws_nothing_twice_and_forecasts_the_same(previewed, folder):
    asked = order(load_settings(folder / "stepmill.toml"), n=5, seed=0)
    before = tokens(folder)
    again = make(asked, Listener(), asked.log)
    assert tokens(folder) == before
    (rollouts,) = re.findall(r"would draw about ([\d,]+) rollouts", previewed.output)
    assert f"{again.forecast.rollouts:,.0f}" == rollouts


def tokens(folder):
    parts = [pl.read_parquet(file)["token_ids"].list.len().sum() for file in folder.rglob("ledger/**/part-*.parquet")]
    return sum(parts)


def test_one_dataset_alone_takes_the_stages_that_it_needs(folder):
    arguments = ["--settings", str(folder / "stepmill.toml"), "--n", "2", "--only", "long_cot_traces"]
    done = CliRunner().invoke(app, ["preview", *arguments])
    assert done.exit_code == 0, done.output
    assert "long_cot_traces\n" in done.output and "process_labels" not in done.output


def test_a_terminal_shows_rows_in_panels(folder):
    asked = order(load_settings(folder / "stepmill.toml"), n=5, seed=0)
    preview = make(asked, Listener(), asked.log)
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    text.show(preview, console)
    shown = console.file.getvalue()
    assert re.search(r"╭─ process_labels, row 1 of \d+ ─+╮", shown)
    assert r"\boxed{" in shown


def test_a_stage_that_crashes_costs_only_the_datasets_that_read_it(folder, monkeypatch):
    async def broken(_slice, _settings):
        raise RuntimeError("the cable is out")

    name = "contrastive_models"
    stages = [replace(stage, make=broken) if stage.name == name else stage for stage in STAGES]
    monkeypatch.setattr(definitions, "STAGES", stages)
    done = CliRunner().invoke(app, ["preview", "--settings", str(folder / "stepmill.toml"), "--n", "5"])
    assert done.exit_code == 1
    assert done.output.count(f"Failed: {name} [sums-0]: RuntimeError: the cable is out") == 1
    assert re.search(r"^critical_token_pairs\n0 rows from 0 of 5 problems: ", done.output, re.MULTILINE)
    assert re.search(r"^process_labels\n[1-9]\d* rows", done.output, re.MULTILINE)
    assert "Made in " in done.output


def test_what_the_check_refuses_is_refused_here_before_anything_is_drawn(tmp_path):
    too_long = TWO_SOURCES.replace('"short"\nmax_tokens = 400', '"short"\nmax_tokens = 8190')
    (tmp_path / "stepmill.toml").write_text(too_long)
    refused = CliRunner().invoke(app, ["preview", "--settings", str(tmp_path / "stepmill.toml")])
    assert refused.exit_code == 2
    assert "stepmill: long_cot_traces.max_tokens: 8190 tokens after" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_dataset_that_does_not_exist_is_named_beside_those_that_do(folder):
    arguments = ["--settings", str(folder / "stepmill.toml"), "--only", "process_label"]
    refused = CliRunner().invoke(app, ["preview", *arguments])
    assert refused.exit_code == 2
    assert "there is no dataset process_label" in refused.stderr and "did you mean process_labels?" in refused.stderr
