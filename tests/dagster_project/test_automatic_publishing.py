import dagster as dg
import pytest
from upath import UPath

from dagster_project.automatic_publishing import SENSOR
from dagster_project.definitions import build
from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.scorecard import read_scorecard
from dagster_project.settings import load_settings
from releases.local import LocalRegistry
from tests.dagster_project.conftest import LENIENT, SETTINGS

NO_TRACES = f"{LENIENT}\n[checks.most_yield]\nlong_cot_traces = 0.01\n"
SOME_RIGHT = LENIENT.replace("least_right = 0.0\n", "")
FAILED = "yield_in_bounds of long_cot_traces in slice sums-0"


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as stored:
        yield stored


@pytest.fixture
def make_here(instance):
    """Runs a job on the test's stored instance, with the tags that a run request asks for."""

    def run(settings, job, round_key, slice_key=None, *, run_config=None, tags=None, selection=None):
        instance.add_dynamic_partitions("rounds", [round_key])
        keys = {"round": round_key, "slice": slice_key}
        return (
            build(settings)
            .resolve_job_def(job)
            .execute_in_process(
                partition_key=dg.MultiPartitionKey(keys) if slice_key else round_key,
                instance=instance,
                run_config=run_config,
                tags=tags,
                asset_selection=selection,
                raise_on_error=False,
            )
        )

    return run


def tick(settings, instance):
    repository = build(settings).get_repository_def()
    with dg.build_sensor_context(
        instance=instance, instance_ref=instance.get_ref(), repository_def=repository
    ) as context:
        return repository.get_sensor_def(SENSOR).evaluate_tick(context)


def follow(request, settings, make_here):
    """What the daemon does with a run request."""
    return make_here(
        settings, "release", request.partition_key, tags=dict(request.tags), selection=request.asset_selection
    )


def versions(settings, dataset="process_labels"):
    return list(LocalRegistry(UPath(settings.data_root) / "releases").versions(dataset))


def test_a_round_is_published_once_when_its_last_slice_is_made(settings, instance, make_here):
    assert make_here(settings, "slice", "r1", "sums-0").success
    waiting = tick(settings, instance)
    assert waiting.run_requests == []
    assert waiting.skip_message.startswith("round r1 waits for problems of slice sums-1, attempts of slice sums-1")
    assert make_here(settings, "slice", "r1", "sums-1").success
    (request,) = tick(settings, instance).run_requests
    assert (request.run_key, request.partition_key) == ("publish r1", "r1")
    assert follow(request, settings, make_here).success
    assert versions(settings) == ["v0.1.0"]
    assert tick(settings, instance).run_requests == []
    for slice_key in settings.slices():
        assert make_here(settings, "slice", "r2", slice_key).success
    (request,) = tick(settings, instance).run_requests
    assert follow(request, settings, make_here).success
    assert versions(settings) == ["v0.1.0", "v0.2.0"]
    assert tick(settings, instance).skip_message == "every round is published"


def test_a_failed_check_of_one_slice_blocks_the_round_though_the_other_passes_later(tmp_path, instance, make_here):
    settings = write(tmp_path, SOME_RIGHT)
    cut = {"ops": {"attempts": {"config": {"max_tokens": 3}}}}
    assert not make_here(settings, "slice", "r1", "sums-0", run_config=cut).success
    assert make_here(settings, "slice", "r1", "sums-1").success
    stopped = tick(settings, instance)
    assert stopped.run_requests == [] and "process_labels of slice sums-0" in stopped.skip_message
    card = read_scorecard(Store(data_root=settings.data_root), "attempts", Cell(round="r1", slice="sums-0"))
    assert [one.name for one in card.checks if one.blocks and not one.passed] == ["label_balance"]


def test_a_blocked_round_names_slice_and_check_and_cannot_be_released_by_hand(tmp_path, instance, make_here):
    strict, lenient = (write(tmp_path, text) for text in (NO_TRACES, LENIENT))
    assert not make_here(strict, "slice", "r1", "sums-0").success
    assert make_here(lenient, "slice", "r1", "sums-1").success
    blocked = tick(strict, instance)
    assert blocked.run_requests == []
    assert blocked.skip_message.startswith(f"round r1 is blocked by {FAILED} (")
    by_hand = make_here(strict, "release", "r1", selection=[dg.AssetKey("long_cot_traces_release")])
    (failure,) = by_hand.get_step_failure_events()
    message = failure.step_failure_data.error.message
    assert f"round r1 cannot be released: {FAILED} (" in message
    assert versions(strict, "long_cot_traces") == []
    assert make_here(lenient, "slice", "r1", "sums-0").success
    (request,) = tick(lenient, instance).run_requests
    assert request.run_key == "publish r1"


def write(folder, text):
    file = folder / f"settings-{len(text)}.toml"
    file.write_text(SETTINGS.replace(LENIENT, text).format(policy=""))
    return load_settings(file)


def test_nothing_is_published_while_a_run_of_the_round_is_under_way(settings, instance, make_here):
    for slice_key in settings.slices():
        assert make_here(settings, "slice", "r1", slice_key).success
    instance.add_run(
        dg.DagsterRun(job_name="slice", status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition/round": "r1"})
    )
    assert tick(settings, instance).skip_message == "round r1: runs of it are under way"


def test_a_table_that_is_begun_again_and_not_finished_is_not_released(settings, make_round, make):
    make_round(settings, "r1")
    store, cell = Store(data_root=settings.data_root), Cell(round="r1", slice="sums-0")
    store.write_recipe("process_labels", cell, {})
    result = make(settings, "release", "r1", only=["process_labels_release"])
    (failure,) = result.get_step_failure_events()
    assert "process_labels of slice sums-0 was not made to the end" in failure.step_failure_data.error.message
