from dataclasses import replace

import dagster as dg
import pytest
from upath import UPath

from dagster_project import definitions
from dagster_project.running.events import had_no_rows
from dagster_project.running.listener import Made, Table
from dagster_project.running.report import data, releases, report
from dagster_project.running.selection import select
from dagster_project.runs import BLOCKED, CRASHED, Fate, InProcess, RoundMaker
from dagster_project.settings.file import load_settings
from generators.datasets import DATASETS, STAGES
from tests.dagster_project.conftest import SETTINGS

NAME = "long_cot_traces"
OTHERS = {dataset.name for dataset in DATASETS} - {NAME}
ONE_SLICE = ("shards = 2", "shards = 1")


@pytest.fixture
def maker(tmp_path):
    """Makes the round `r1` of what is selected, under changed settings; gives its result."""
    with dg.DagsterInstance.ephemeral() as instance:

        def make(*changes, **selected):
            text = SETTINGS.format(policy="")
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            (tmp_path / "settings.toml").write_text(text)
            settings = load_settings(tmp_path / "settings.toml")
            runner = InProcess(settings=settings, instance=instance)
            round_maker = RoundMaker(settings=settings, instance=instance, runner=runner)
            return round_maker.make("r1", select(settings, **selected), log=tmp_path / "logs" / "round.log")

        yield make


def released(tmp_path):
    folder = UPath(tmp_path / "data" / "releases")
    return {child.name for child in folder.iterdir()} if folder.exists() else set()


def test_a_dataset_without_rows_or_blocked_keeps_no_other_one_back(maker, tmp_path):
    nothing = ('examples = "short"\nmax_tokens = 400', 'examples = "short"\nmax_tokens = 8')
    demanded = ("[checks.least_yield]", f"[checks.least_yield]\n{NAME} = 0.1")
    result = maker(ONE_SLICE, nothing, demanded)
    text = report(result)
    assert result.exit_code == BLOCKED
    assert released(tmp_path) == OTHERS
    assert f"Blocked: {NAME}, slice sums-0: 0 of 12 problems with a row is 0.000, bounds 0.1 to 1; dropped: " in text
    assert f"  remedy: Change [{NAME}] of the settings, the problems or the policy" in text
    assert f"  not released: {NAME}" in text
    assert "yield_in_bounds" not in text

    result = maker(ONE_SLICE, nothing)
    text = report(result)
    assert result.exit_code == 0
    assert released(tmp_path) == OTHERS
    assert f"Warning: {NAME}, slice sums-0: 0 of 12 problems with a row is 0.000" in text
    assert f"{NAME}: round r1 has no row to release; the asset dropped " in text
    assert "Blocked" not in text
    assert data(result)["datasets"] == dict.fromkeys(OTHERS, "ready") | {NAME: "empty"}


def test_a_stage_that_crashes_keeps_only_its_own_dataset_back(maker, tmp_path, monkeypatch):
    async def broken(_slice, _settings):
        raise RuntimeError("the cable is out")

    stages = [replace(stage, make=broken) if stage.name == NAME else stage for stage in STAGES]
    monkeypatch.setattr(definitions, "STAGES", stages)
    result = maker(ONE_SLICE)
    assert result.exit_code == CRASHED
    assert released(tmp_path) == OTHERS
    text = report(result)
    assert f"Failed: {NAME} [sums-0]: RuntimeError: the cable is out" in text
    assert f"Not finished: {NAME}. Run it again" in text
    assert "in broken\n" in (tmp_path / "logs" / "round.log").read_text()


def test_after_a_crash_no_further_slice_is_made_and_nothing_that_lacks_one_is_released(maker, tmp_path):
    result = maker(('model = "simulated"', 'model = "simulated"\nurls = ["http://127.0.0.1:9"]'))
    assert result.exit_code == CRASHED
    assert [crash.table for crash in result.crashes] == [Table("attempts", "sums-0")]
    assert [made.table for made in result.tables] == [Table("problems", "sums-0")]
    assert f"Not finished: {', '.join(dataset.name for dataset in DATASETS)}. Run it again" in report(result)
    assert released(tmp_path) == set()


def test_one_dataset_alone_takes_the_stages_that_it_needs_and_is_released_alone(maker, tmp_path):
    result = maker(ONE_SLICE, only=["step_preference_pairs"])
    assert result.exit_code == 0
    made = [made.table.asset for made in result.tables]
    assert made == ["problems", "attempts", "process_labels", "step_preference_pairs"]
    assert [made.table.asset for made in result.released] == ["step_preference_pairs_release"]
    assert released(tmp_path) == {"step_preference_pairs"}


def test_one_slice_of_two_is_made_and_its_round_released_once_the_other_is_made_too(maker, tmp_path):
    result = maker(only=["process_labels"], slices=["sums-1"])
    assert result.exit_code == 0
    assert {made.table.partition for made in result.tables} == {"sums-1"}
    assert result.fates == {"process_labels": Fate.WAITING}
    assert "Not released: process_labels. A release needs all slices of a round, and of round r1 sums-0" in report(
        result
    )
    assert released(tmp_path) == set()

    result = maker(only=["process_labels"], slices=["sums-0"])
    assert result.fates == {"process_labels": Fate.READY}
    assert released(tmp_path) == {"process_labels"}


def test_a_round_without_releases_says_what_it_could_release(maker, tmp_path):
    result = maker(ONE_SLICE, only=["process_labels"], releases=False)
    assert result.exit_code == 0
    assert "Not released, by --no-release: process_labels." in report(result)
    assert released(tmp_path) == set()


def test_a_round_that_was_never_made_is_a_failure_of_another_kind_than_one_without_rows(settings, make):
    result = make(settings, "release", "r9", only=["process_labels_release"])
    (failure,) = result.get_step_failure_events()
    assert not had_no_rows(failure)


def test_a_release_is_named_with_its_folder_and_its_place_on_the_hub():
    there = "https://hub/datasets/lab/poems/tree/v0.1.0"
    made = Made(
        table=Table("poems_release", "r1"), rows=4, seconds=1, path="data/releases/poems/v0.1.0", version="v0.1.0"
    )
    assert releases([replace(made, hub=there), replace(made, table=Table("odes_release", "r1"), path="x")]) == [
        "Released poems v0.1.0: 4 rows at data/releases/poems/v0.1.0",
        f"  on the Hub at {there}",
        "Released odes v0.1.0: 4 rows at x",
    ]


def test_a_round_that_is_continued_keeps_what_is_finished_and_makes_what_a_changed_setting_reaches(maker):
    only = ["process_labels", "long_cot_traces"]
    stages = ["problems", "attempts", "process_labels", "long_cot_traces"]
    first = maker(ONE_SLICE, only=only)
    assert sorted(made.table.asset for made in first.tables) == sorted(stages)

    same = maker(ONE_SLICE, only=only)
    assert same.tables == ()
    assert [table.asset for table in same.kept] == stages
    assert [made.is_new for made in same.released] == [False, False]
    text = report(same)
    assert (
        f"Kept in slice sums-0, because they are finished and fresh (--again makes them anew): {', '.join(stages)}"
        in text
    )
    assert "Already released: process_labels v0.1.0" in text

    fewer = ("rollouts_per_step = 4\ncap = 16", "rollouts_per_step = 4\ncap = 6")
    changed = maker(ONE_SLICE, fewer, only=only)
    assert [made.table.asset for made in changed.tables] == ["process_labels"]
    assert [made.version for made in changed.released if made.is_new] == ["v0.1.1"]

    anew = maker(ONE_SLICE, fewer, only=only, again=True)
    assert len(anew.tables) == len(stages)
    assert sum(made.rollouts_drawn for made in anew.tables) == 0


def test_a_table_that_was_made_by_other_settings_of_an_earlier_stage_is_made_again(maker):
    maker(ONE_SLICE, only=["process_labels"])
    more = ("[attempts]\nn = 4", "[attempts]\nn = 5")
    half = maker(ONE_SLICE, more, only=["long_cot_traces"])
    assert "attempts" in [made.table.asset for made in half.tables]
    rest = maker(ONE_SLICE, more, only=["process_labels"])
    assert [made.table.asset for made in rest.tables] == ["process_labels"]


def test_a_table_that_a_check_blocks_is_made_again(maker):
    strict = ("least_label = 0.0", "least_label = 0.5")
    blocked = maker(ONE_SLICE, strict, only=["process_labels"])
    assert blocked.exit_code == BLOCKED
    again = maker(ONE_SLICE, strict, only=["process_labels"])
    assert [made.table.asset for made in again.tables] == ["process_labels"]
