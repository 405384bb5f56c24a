import dagster as dg
import pytest
from upath import UPath

from dagster_project.definitions import build
from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.scorecard import CheckOutcome, Scorecard
from dagster_project.sensors import PUBLISHED_BY
from dagster_project.sensors import PUBLISHING as SENSOR
from dagster_project.settings.file import load_settings
from generators import datasets
from releases.registry.local import LocalRegistry
from tests.dagster_project.conftest import SETTINGS

STAGES = [stage.name for stage in datasets.STAGES]
DATASETS = [dataset.name for dataset in datasets.DATASETS]
LATE = CheckOutcome(name="timeouts", passed=False, blocks=True, why="3 of 4 answers")
FAR = CheckOutcome(name="in_line_with_other_rounds", passed=False, blocks=False, why="yield is 0.4, 0.9 in others")
FINE = CheckOutcome(name="timeouts", passed=True, blocks=True, why="0 of 4 answers")


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as stored:
        stored.add_dynamic_partitions("rounds", ["r1"])
        yield stored


@pytest.fixture
def card(settings):
    """Writes the scorecards of some assets of one slice, as the assets do when they are done."""

    def write(slice_key, check=FINE, assets=STAGES, round_key="r1", rows=1):
        for asset in assets:
            cell = Cell(round=round_key, slice=slice_key)
            done = Scorecard(rows=rows, figures={}, checks=(check,))
            done.write(Store(data_root=settings.data_root), asset, cell)

    return write


def tick(settings, instance):
    """What the sensor asks for, as the daemon resolves it."""
    repository = build(settings).get_repository_def()
    with dg.build_sensor_context(
        instance=instance, instance_ref=instance.get_ref(), repository_def=repository
    ) as context:
        return repository.get_sensor_def(SENSOR).evaluate_tick(context)


def selected(request):
    return [key.to_user_string().removesuffix("_release") for key in request.asset_selection]


def publish(instance, request, status=dg.DagsterRunStatus.FAILURE):
    """Launch what the sensor requested; the run ends at once."""
    selection = frozenset(request.asset_selection)
    instance.add_run(dg.DagsterRun(job_name="release", tags=request.tags, status=status, asset_selection=selection))


def test_a_round_is_published_when_its_last_slice_is_done_and_never_again(settings, instance, card):
    card("sums-0")
    card("sums-1", assets=["problems"])
    waiting = tick(settings, instance)
    assert waiting.run_requests == []
    assert waiting.skip_message.startswith("round r1 waits for attempts of slice sums-1, ")
    card("sums-1")
    (request,) = tick(settings, instance).run_requests
    assert request.run_key.startswith("publish r1: process_labels, ")
    assert request.partition_key == "r1"
    assert selected(request) == DATASETS
    publish(instance, request)
    assert tick(settings, instance).skip_message == "every round is published"


def test_a_dataset_that_waits_or_is_blocked_keeps_no_other_one_back_and_follows_when_it_is_mended(
    settings, instance, card
):
    late, missing = "long_cot_traces", "step_preference_pairs"
    others = [name for name in DATASETS if name not in (late, missing)]
    for slice_key in settings.slices():
        card(slice_key, assets=[name for name in STAGES if name != missing])
    card("sums-0", LATE, assets=[late])
    (request,) = tick(settings, instance).run_requests
    assert selected(request) == others
    publish(instance, request, dg.DagsterRunStatus.SUCCESS)
    assert tick(settings, instance).skip_message == (
        f"round r1 is blocked by timeouts of {late} in slice sums-0 (3 of 4 answers) | "
        f"round r1 waits for {missing} of slice sums-0, {missing} of slice sums-1"
    )
    card("sums-0", assets=[late])
    (request,) = tick(settings, instance).run_requests
    assert selected(request) == [late]


def test_a_publishing_run_of_a_whole_round_counts_for_every_dataset(settings, instance, card):
    for slice_key in settings.slices():
        card(slice_key)
    (request,) = tick(settings, instance).run_requests
    instance.add_run(dg.DagsterRun(job_name="release", tags=request.tags, status=dg.DagsterRunStatus.SUCCESS))
    assert tick(settings, instance).skip_message == "every round is published"


def test_a_check_that_fails_in_one_slice_blocks_the_round_though_the_other_passes_later(settings, instance, card):
    card("sums-0", LATE, assets=["attempts"])
    card("sums-0", assets=[name for name in STAGES if name != "attempts"])
    card("sums-1")
    blocked = tick(settings, instance)
    assert blocked.run_requests == []
    assert blocked.skip_message == "round r1 is blocked by timeouts of attempts in slice sums-0 (3 of 4 answers)"
    card("sums-0", assets=["attempts"])
    assert [request.partition_key for request in tick(settings, instance).run_requests] == ["r1"]


def test_a_warning_blocks_nothing(settings, instance, card):
    card("sums-0", FAR)
    card("sums-1")
    assert [request.partition_key for request in tick(settings, instance).run_requests] == ["r1"]


def test_a_round_that_waits_keeps_no_other_one_back(settings, instance, card):
    instance.add_dynamic_partitions("rounds", ["r2"])
    for slice_key in settings.slices():
        card(slice_key, round_key="r2")
    assert [request.partition_key for request in tick(settings, instance).run_requests] == ["r2"]


def test_a_dataset_without_a_row_or_released_by_hand_is_left_out(settings, instance, card):
    for slice_key in settings.slices():
        card(slice_key)
        card(slice_key, assets=["long_cot_traces"], rows=0)
    by_hand = dg.AssetMaterialization("process_labels_release", partition="r1")
    instance.report_runless_asset_event(by_hand)
    (request,) = tick(settings, instance).run_requests
    assert selected(request) == [name for name in DATASETS if name not in ("process_labels", "long_cot_traces")]


def test_nothing_is_published_while_a_run_of_the_round_is_under_way(settings, instance, card):
    for slice_key in settings.slices():
        card(slice_key)
    tags = {"dagster/partition/round": "r1"}
    instance.add_run(dg.DagsterRun(job_name="slice", status=dg.DagsterRunStatus.STARTED, tags=tags))
    assert tick(settings, instance).skip_message == "round r1: runs of it are under way"


@pytest.fixture
def small(tmp_path):
    """A round of four short problems."""
    text = SETTINGS.format(policy="").replace("size = 12", "size = 4").replace("min_steps = 3", "min_steps = 2")
    (tmp_path / "small.toml").write_text(text)
    return load_settings(tmp_path / "small.toml")


def test_slices_that_were_made_are_published_once_and_a_blocked_slice_is_refused_by_hand(small, instance):
    def run(job, key, **asked):
        job = build(small).resolve_job_def(job)
        return job.execute_in_process(partition_key=key, instance=instance, raise_on_error=False, **asked)

    for slice_key in small.slices():
        assert run("slice", dg.MultiPartitionKey({"round": "r1", "slice": slice_key})).success
    (request,) = tick(small, instance).run_requests
    assert dg.AssetKey("process_labels_release") in request.asset_selection
    tags = {PUBLISHED_BY: request.tags[PUBLISHED_BY]}
    run("release", "r1", tags=tags, asset_selection=request.asset_selection)
    versions = LocalRegistry(UPath(small.data_root) / "releases").versions
    assert list(versions("process_labels")) == ["v0.1.0"]
    assert tick(small, instance).run_requests == []

    cell, store = Cell(round="r1", slice="sums-0"), Store(data_root=small.data_root)
    Scorecard(rows=1, figures={}, checks=(LATE,)).write(store, "attempts", cell)
    store.write_recipe("problems", cell, {})
    by_hand = run("release", "r1", asset_selection=[dg.AssetKey("process_labels_release")])
    (failure,) = by_hand.get_step_failure_events()
    assert (
        "round r1 cannot be released: problems of slice sums-0 is not finished; "
        "timeouts of attempts in slice sums-0 (3 of 4 answers). Mend the cause"
    ) in failure.step_failure_data.error.message
