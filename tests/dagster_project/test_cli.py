"""The command `stepmill` as a person meets it, and its forecast against what the round then cost."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner
from upath import UPath

from dagster_project.cli import app
from dagster_project.planning import SAMPLED, plan
from dagster_project.resources.store import Store
from dagster_project.settings import load_settings
from generators.ledger import totals
from tests.dagster_project.conftest import SETTINGS


@pytest.fixture
def written(tmp_path):
    """Writes a settings file over one data root; gives its path."""

    def write(name, *changes):
        text = SETTINGS.format(policy="").replace("size = 12", "size = 24")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def stepmill(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def spent(settings, round_key):
    folders = [UPath(settings.data_root) / "ledger" / "simulated" / round_key / one for one in settings.slices()]
    return totals(folders)


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (("n = 4\nmax_tokens = 400\n\n[process", "n = 6\nmax_tokens = 400\n\n[process"), ("size = 24", "size = 36")),
    ],
    ids=["as it was", "more attempts at more problems"],
)
def test_a_plan_is_within_a_quarter_of_what_the_next_round_costs(written, make, changes):
    before = load_settings(written("before.toml"))
    for slice_key in before.slices():
        assert make(before, "slice", "2026-11-22", slice_key).success
    after = load_settings(written("after.toml", *changes))
    planned = plan(after, Store(data_root=after.data_root))
    for slice_key in after.slices():
        assert make(after, "slice", "2026-11-29", slice_key).success
    cost = spent(after, "2026-11-29")
    print(planned.tokens / cost["generated"], planned.rollouts / cost["rollouts"])
    assert planned.tokens == pytest.approx(cost["generated"], rel=0.25)
    assert planned.rollouts == pytest.approx(cost["rollouts"], rel=0.25)
    assert {one.asset for one in planned.assets} == set(SAMPLED)


def test_a_plan_is_told_by_slice_and_asset_with_its_sum_and_its_basis(written, make):
    file = written("stepmill.toml")
    settings = load_settings(file)
    assert make(settings, "slice", "demo", "sums-0").success
    told = stepmill("plan", "--settings", file, "--tokens-per-second", "1000")
    assert told.exit_code == 0
    assert re.search(r"^sums-0 +attempts +\d+ +\d+ +\d+\.\d{3}$", told.output, re.MULTILINE)
    assert re.search(r"^sums-1 +attempts ", told.output, re.MULTILINE)
    assert "at 1,000 tokens a second and GPU; by what sums-0 of round demo cost\n" in told.output
    (hours,) = re.findall(r"^all .* (\d+\.\d{3})$", told.output, re.MULTILINE)
    tokens = plan(settings, Store(data_root=settings.data_root)).tokens
    assert float(hours) == pytest.approx(tokens / 3_600_000, abs=1e-3)


def test_a_source_without_a_past_slice_is_named_and_not_planned(written, make):
    assert make(load_settings(written("before.toml")), "slice", "r1", "sums-0").success
    other = '[[sources]]\nkind = "simulated"\nname = "more"\nsize = 9\n\n[attempts]'
    told = stepmill("plan", "--settings", written("after.toml", ("[attempts]", other)))
    assert told.exit_code == 0
    assert told.output.endswith("not planned, for want of a past slice (materialise one): more-0\n")


def test_without_a_past_round_the_plan_says_how_to_get_one(written):
    told = stepmill("plan", "--settings", written("stepmill.toml"))
    assert told.exit_code == 2
    assert "has no past round of these sources to plan by: materialise one slice in the UI" in told.stderr


def test_settings_that_cannot_be_read_are_told_in_one_sentence(tmp_path):
    told = stepmill("plan", "--settings", tmp_path / "none.toml")
    assert told.exit_code == 2
    assert told.stderr.startswith("stepmill: ") and "cannot be read" in told.stderr


def test_the_commands_on_releases_are_there_too():
    assert {"plan", "verify", "diff", "pull"} <= set(re.findall(r"^  (\w+)", stepmill("--help").output, re.MULTILINE))


def test_the_command_starts_without_dagster_torch_or_a_table():
    program = "import sys, dagster_project.cli; print({'dagster', 'torch', 'polars', 'datasets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
