from dataclasses import replace

import dagster as dg
import pytest
from upath import UPath

from dagster_project import definitions
from dagster_project.definitions import build
from dagster_project.demo import BLOCKED, CRASHED, Runs, had_no_rows, make_round, summary
from dagster_project.settings.file import load_settings
from generators.datasets import DATASETS, STAGES
from tests.dagster_project.conftest import SETTINGS

NAME = "long_cot_traces"
OTHERS = {dataset.name for dataset in DATASETS} - {NAME}


@pytest.fixture
def demo(tmp_path, capsys):
    """Makes the demo's round of one slice under changed settings; gives exit code, stdout and stderr."""
    with dg.DagsterInstance.ephemeral() as instance:

        def run(*changes):
            text = SETTINGS.format(policy="")
            for old, new in (("shards = 2", "shards = 1"), *changes):
                assert old in text
                text = text.replace(old, new)
            (tmp_path / "demo.toml").write_text(text)
            settings = load_settings(tmp_path / "demo.toml")
            code = make_round(settings, Runs(definitions=build(settings), instance=instance))
            printed = capsys.readouterr()
            return code, printed.out, printed.err

        yield run


def released(tmp_path):
    return {folder.name for folder in UPath(tmp_path / "data" / "releases").iterdir()}


def test_a_dataset_without_rows_or_blocked_keeps_no_other_one_back(demo, tmp_path):
    nothing = ('examples = "short"\nmax_tokens = 400', 'examples = "short"\nmax_tokens = 8')
    demanded = ("[checks.least_yield]", f"[checks.least_yield]\n{NAME} = 0.1")
    code, out, err = demo(nothing, demanded)
    assert code == BLOCKED
    assert released(tmp_path) == OTHERS
    assert f"Blocked: {NAME}, slice sums-0: 0 of 12 problems with a row is 0.000, bounds 0.1 to 1; dropped: " in out
    assert f"  remedy: Change [{NAME}] of the settings, the problems or the policy" in out
    assert f"  not released: {NAME}" in out
    assert "yield_in_bounds" not in out + err.rpartition("Traceback")[0]

    code, out, _ = demo(nothing)
    assert code == 0
    assert released(tmp_path) == OTHERS
    assert f"Warning: {NAME}, slice sums-0: 0 of 12 problems with a row is 0.000" in out
    assert f"{NAME}: round demo has no row to release; the asset dropped " in out
    assert "Blocked" not in out


def test_a_stage_that_crashes_keeps_only_its_own_dataset_back(demo, tmp_path, monkeypatch):
    async def broken(_slice, _settings):
        raise RuntimeError("the cable is out")

    stages = [replace(stage, make=broken) if stage.name == NAME else stage for stage in STAGES]
    monkeypatch.setattr(definitions, "STAGES", stages)
    code, out, err = demo()
    assert code == CRASHED
    assert released(tmp_path) == OTHERS
    assert f"{NAME} failed: RuntimeError: the cable is out" in err
    assert f"Not finished: {NAME}. Run it again" in out


def test_after_a_crash_no_further_slice_is_made_and_nothing_that_lacks_one_is_released(demo, tmp_path):
    code, out, err = demo(
        ("shards = 1", "shards = 2"), ('model = "simulated"', 'model = "simulated"\nurls = ["http://127.0.0.1:9"]')
    )
    assert code == CRASHED
    assert err.count("attempts failed: ") == 1
    assert "problems [demo|sums-0]: " in out and "sums-1" not in out
    assert f"Not finished: {', '.join(dataset.name for dataset in DATASETS)}. Run it again" in out
    assert not (tmp_path / "data" / "releases").exists()


def test_a_round_that_was_never_made_is_a_failure_of_another_kind_than_one_without_rows(settings, make):
    result = make(settings, "release", "r9", only=["process_labels_release"])
    (failure,) = result.get_step_failure_events()
    assert not had_no_rows(failure)


def test_the_summary_names_where_a_release_is_and_where_on_the_hub():
    there = "https://hub/datasets/lab/poems/tree/v0.1.0"
    made = {"dagster/row_count": 4, "dagster/uri": "data/releases/poems/v0.1.0", "hub": there}
    text = summary(
        {"poems_release [demo]": made, "other [demo]": {"dagster/row_count": 1, "dagster/uri": "x"}}, seconds=2
    )
    assert text.splitlines()[2:] == [
        "  poems_release [demo]: 4 rows at data/releases/poems/v0.1.0",
        f"    on the Hub at {there}",
        "  other [demo]: 1 rows at x",
    ]
