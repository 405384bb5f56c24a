"""The command `stepmill` as a person meets it, and its forecast against what the round then cost."""

import json
import re
import subprocess
import sys
from importlib.metadata import version

import dagster as dg
import pytest
from typer.testing import CliRunner
from upath import UPath

from dagster_project.cli import app
from dagster_project.definitions import build
from dagster_project.planning import SAMPLED, plan
from dagster_project.resources.store import Store
from dagster_project.settings.file import load_settings
from generators.sampling.ledger import totals
from tests.dagster_project.conftest import SETTINGS

# Long searches cost very different amounts from problem to problem, and a few dozen problems are no average of them.
SHORT_SEARCHES = "[step_preference_pairs]\ncandidates = 4\ncap = 8\n"
SMALL = (
    SETTINGS.format(policy="").replace("shards = 2", "shards = 1").replace("size = 12", "size = 24") + SHORT_SEARCHES
).replace("search_cap = 32\ncap = 32\nbudget = 64", "search_cap = 8\ncap = 8\nbudget = 16")
LARGER = SMALL.replace("size = 24", "size = 36").replace("[attempts]\nn = 4", "[attempts]\nn = 6")
OTHER = SMALL.replace("[attempts]", '[[sources]]\nkind = "simulated"\nname = "more"\nsize = 9\n\n[attempts]')


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """A folder of settings files over one data root, in which the small ones made a round."""
    folder = tmp_path_factory.mktemp("plan")
    for name, text in {"small": SMALL, "larger": LARGER, "other": OTHER}.items():
        (folder / f"{name}.toml").write_text(text)
    make_round(load_settings(folder / "small.toml"), "2026-11-22")
    return folder


def make_round(settings, round_key):
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("rounds", [round_key])
        key = dg.MultiPartitionKey({"round": round_key, "slice": "sums-0"})
        build(settings).resolve_job_def("slice").execute_in_process(partition_key=key, instance=instance)


def stepmill(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_plan_is_within_a_quarter_of_what_the_next_round_costs(past):
    settings = load_settings(past / "larger.toml")
    planned = plan(settings, Store(data_root=settings.data_root))
    make_round(settings, "2026-11-29")
    cost = totals([UPath(settings.data_root) / "ledger" / "simulated" / "2026-11-29" / "sums-0"])
    print(
        f"planned tokens {planned.tokens / cost['generated']:.3f}, rollouts {planned.rollouts / cost['rollouts']:.3f}"
    )
    assert planned.tokens == pytest.approx(cost["generated"], rel=0.25)
    assert planned.rollouts == pytest.approx(cost["rollouts"], rel=0.25)
    assert [asset.asset for asset in planned.assets] == [stage.name for stage in SAMPLED]


def test_a_plan_is_told_by_slice_and_asset_with_its_sum_and_its_basis(past):
    told = stepmill("plan", "--settings", past / "small.toml", "--tokens-per-second", "10")
    assert told.exit_code == 0
    assert re.search(r"^sums-0 +attempts +\d+ +\d+ +\d+\.\d{3}$", told.output, re.MULTILINE)
    assert re.search(r"at 10 tokens a second and GPU; based on what sums-0 of round 2026-11-\d\d cost\n", told.output)
    (tokens, hours) = re.search(r"^all +\d+ +(\d+) +(\d+\.\d{3})$", told.output, re.MULTILINE).groups()
    assert float(hours) == pytest.approx(int(tokens) / 36_000, abs=1e-3)


def test_a_program_reads_a_plan_as_json(past):
    planned = stepmill("plan", "--settings", past / "other.toml", "--tokens-per-second", "10", "--json")
    assert planned.exit_code == 0
    forecast = json.loads(planned.stdout)
    assert [asset["asset"] for asset in forecast["assets"]] == [stage.name for stage in SAMPLED]
    assert forecast["tokens"] == pytest.approx(sum(asset["tokens"] for asset in forecast["assets"]))
    assert forecast["gpu_hours"] == pytest.approx(forecast["tokens"] / 36_000)
    assert (forecast["tokens_per_second"], forecast["is_measured_pace"]) == (10, False)
    assert forecast["not_planned"] == ["more-0"]
    assert {asset["basis"]["slice"] for asset in forecast["assets"]} == {"sums-0"}


def test_a_source_without_a_past_slice_is_named_and_not_planned(past):
    told = stepmill("plan", "--settings", past / "other.toml")
    assert told.exit_code == 0
    assert told.output.endswith("not planned, because no past slice exists (materialise one): more-0\n")
    assert ", as measured; based on what" in told.output


def test_without_a_past_round_the_plan_says_how_to_get_one(tmp_path):
    (tmp_path / "stepmill.toml").write_text(SMALL)
    told = stepmill("plan", "--settings", tmp_path / "stepmill.toml")
    assert told.exit_code == 2
    assert "has no past round of these sources to plan by: materialise one slice in the UI" in told.stderr


def test_settings_that_cannot_be_read_are_told_in_one_sentence(tmp_path):
    told = stepmill("plan", "--settings", tmp_path / "none.toml")
    assert told.exit_code == 2
    assert told.stderr.startswith("stepmill: ") and "cannot be read" in told.stderr


def test_the_commands_on_releases_are_there_too():
    assert {"plan", "verify", "diff", "pull"} <= set(re.findall(r"^  (\w+)", stepmill("--help").output, re.MULTILINE))


def test_the_version_is_that_of_the_package():
    printed = stepmill("--version")
    assert (printed.exit_code, printed.output) == (0, f"stepmill {version('stepmill')}\n")


def test_a_shell_completes_commands_and_options():
    def completions(*words):
        line = " ".join(("stepmill", *words))
        environment = {"_STEPMILL_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
        done = CliRunner().invoke(app, prog_name="stepmill", env=environment)
        return set(done.stdout.split())

    assert completions("ver") == {"verify"}
    assert {"--json", "--version"} <= completions("verify", "--")
    assert "--install-completion" in stepmill("--help").output


def test_the_command_starts_without_dagster_torch_or_a_table():
    program = "import sys, dagster_project.cli; print({'dagster', 'torch', 'polars', 'datasets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
