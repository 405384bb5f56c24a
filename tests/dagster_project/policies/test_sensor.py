import dagster as dg
import pytest

from dagster_project.definitions import build
from dagster_project.policies.sensor import POLICY_LOOP
from tests.dagster_project.policies.conftest import ONLY_ATTEMPTS


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as stored:
        yield stored


def look(settings, instance):
    repository = build(settings).get_repository_def()
    with dg.build_sensor_context(
        instance=instance, instance_ref=instance.get_ref(), repository_def=repository
    ) as context:
        return repository.get_sensor_def(POLICY_LOOP).evaluate_tick(context)


def carried_out(settings, instance, tick):
    """Runs what a tick asks for as the daemon would; gives the jobs, partitions and assets."""
    for request in tick.dynamic_partitions_requests or ():
        instance.add_dynamic_partitions("rounds", request.partition_keys)
    done = []
    for request in tick.run_requests:
        assets = [key.to_user_string() for key in request.asset_selection or ()]
        job = build(settings).resolve_job_def(request.job_name)
        result = job.execute_in_process(
            partition_key=request.partition_key,
            asset_selection=request.asset_selection,
            instance=instance,
            raise_on_error=False,
        )
        assert result.success
        done.append((request.job_name, request.tags["dagster/partition"], assets))
    return done


def test_the_sensor_opens_rounds_and_asks_for_what_is_due_until_the_loop_has_ended(world, instance):
    made = world(*ONLY_ATTEMPTS)
    asked = []
    for _ in range(6):
        tick = look(made.settings, instance)
        asked += carried_out(made.settings, instance, tick)
    assert asked == [
        ("slice", "loop-1|sums-0", ["problems", "attempts"]),
        ("release", "loop-1", ["attempts_release"]),
        ("policy", "loop-1", []),
        ("slice", "loop-2|sums-0", ["problems", "attempts"]),
        ("release", "loop-2", ["attempts_release"]),
        ("policy", "loop-2", []),
    ]
    assert look(made.settings, instance).skip_message == "the loop has ended: 2 of 2 rounds are made"
    assert made.run()[0] == []  # the command finds nothing left to do


def test_while_a_run_of_the_round_is_under_way_nothing_is_asked_for(world, instance):
    made = world(*ONLY_ATTEMPTS)
    tick = look(made.settings, instance)
    assert [request.run_key for request in tick.run_requests] == ["loop-1/sums-0"]
    tags = {"dagster/partition/round": "loop-1"}
    instance.add_run(dg.DagsterRun(job_name="slice", tags=tags, status=dg.DagsterRunStatus.STARTED))
    waits = look(made.settings, instance)
    assert waits.run_requests == [] and waits.skip_message == "round loop-1: runs of it are under way"


def test_a_policy_that_is_not_known_is_a_reason_to_skip(world, instance):
    made = world(*ONLY_ATTEMPTS)
    (made.folder / "base" / "config.json").unlink()
    assert "holds no config.json" in look(made.settings, instance).skip_message
