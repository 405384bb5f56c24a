from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from dagster_project.definitions import build
from dagster_project.rounds import SCHEDULE, new_round
from dagster_project.sensors import NEW_POLICY as SENSOR
from dagster_project.settings.file import SettingsError, load_settings
from tests.dagster_project.conftest import LENIENT, SETTINGS

DAY = date(2026, 11, 29)
DUE = datetime(2026, 11, 29, 3, tzinfo=UTC)


@pytest.fixture
def instance(tmp_path):
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as stored:
        yield stored


def tick(settings, instance, due=DUE):
    """What the schedule asks for at one time, as the daemon resolves it."""
    repository = build(settings).get_repository_def()
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=due, repository_def=repository)
    return repository.get_schedule_def(SCHEDULE).evaluate_tick(context).run_requests


def look(settings, instance, cursor=None):
    repository = build(settings).get_repository_def()
    with dg.build_sensor_context(
        instance=instance, instance_ref=instance.get_ref(), cursor=cursor, repository_def=repository
    ) as context:
        return repository.get_sensor_def(SENSOR).evaluate_tick(context)


def launched(instance, requests):
    for request in requests:
        instance.add_run(
            dg.DagsterRun(job_name="slice", tags={**request.tags, "dagster/run_key": request.run_key}),
        )


@pytest.mark.parametrize(
    ("taken", "policy", "key"),
    [
        ((), None, "2026-11-29"),
        (("2026-11-29",), None, "2026-11-29-2"),
        (("2026-11-29", "2026-11-29-2"), None, "2026-11-29-3"),
        (("2026-11-29",), "SmolLM2@3f2a77", "2026-11-29.policy-3f2a"),
        (("2026-11-29.policy-3f2a",), "SmolLM2@3f2a77", "2026-11-29-2.policy-3f2a"),
    ],
)
def test_a_round_is_named_for_its_day_and_never_as_an_earlier_one(taken, policy, key):
    assert new_round(DAY, taken, policy=policy) == key


def test_a_tick_opens_a_round_and_asks_for_every_slice_of_it(settings, instance):
    requests = tick(settings, instance)
    assert instance.get_dynamic_partitions("rounds") == ["2026-11-29"]
    assert [(one.run_key, one.tags["dagster/partition"]) for one in requests] == [
        ("2026-11-29/sums-0", "2026-11-29|sums-0"),
        ("2026-11-29/sums-1", "2026-11-29|sums-1"),
    ]


def test_a_tick_that_is_evaluated_twice_opens_one_round(settings, instance):
    launched(instance, tick(settings, instance)[:1])
    assert [one.run_key for one in tick(settings, instance)] == ["2026-11-29/sums-0", "2026-11-29/sums-1"]
    assert instance.get_dynamic_partitions("rounds") == ["2026-11-29"]


def test_another_tick_of_the_day_opens_another_round(settings, instance):
    launched(instance, tick(settings, instance))
    assert tick(settings, instance, DUE + timedelta(hours=1))[0].run_key == "2026-11-29-2/sums-0"


def test_a_round_of_which_only_tables_are_left_is_not_opened_again(settings, instance, make):
    make(settings, "slice", "2026-11-29", "sums-0", only=["problems"])
    assert tick(settings, instance)[0].run_key == "2026-11-29-2/sums-0"


def test_schedule_and_sensors_are_off_until_they_are_switched_on(settings):
    repository = build(settings).get_repository_def()
    statuses = [one.default_status.value for one in (*repository.schedule_defs, *repository.sensor_defs)]
    assert set(statuses) == {"STOPPED"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "policy").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "policy" / name).write_text(name)
    return tmp_path / "policy"


@pytest.fixture
def watched(tmp_path, folder):
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.replace('model = "simulated"', f'model = "{folder}"').format(policy=""))
    return load_settings(file)


def change(folder):
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")


def test_a_changed_policy_opens_one_round_at_the_second_look_at_it(watched, folder, instance):
    first = look(watched, instance)
    assert "as before" in first.skip_message
    change(folder)
    second = look(watched, instance, first.cursor)
    assert second.run_requests == [] and "a round opens if the next evaluation agrees" in second.skip_message
    third = look(watched, instance, second.cursor)
    name = watched.policy.name_now()
    (added,) = third.dynamic_partitions_requests
    assert added.partition_keys[0].endswith(f".policy-{name.partition('@')[2][:4]}")
    assert [one.tags["dagster/partition/slice"] for one in third.run_requests] == ["sums-0", "sums-1"]
    assert look(watched, instance, third.cursor).run_requests == []


def test_a_folder_that_is_still_being_written_opens_no_round(watched, folder, instance):
    first = look(watched, instance)
    change(folder)
    second = look(watched, instance, first.cursor)
    change(folder)
    assert look(watched, instance, second.cursor).run_requests == []


def test_a_policy_that_is_gone_is_a_reason_to_skip_and_forgets_nothing(watched, folder, instance):
    first = look(watched, instance)
    (folder / "config.json").unlink()
    gone = look(watched, instance, first.cursor)
    assert gone.skip_message.startswith("the policy's revision is not known: policy.model is ")
    assert gone.cursor == first.cursor


@pytest.fixture
def hub_policy(tmp_path, monkeypatch):
    """A policy on a Hub that nobody serves."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.replace('model = "simulated"', 'model = "some-org/some-model"').format(policy=""))
    return load_settings(file)


def test_a_hub_that_cannot_be_reached_is_a_reason_to_skip(hub_policy, instance):
    seen = look(hub_policy, instance, '{"made": "some-org--some-model@0123456789ab"}')
    assert "the Hub cannot be reached" in seen.skip_message
    assert seen.cursor == '{"made": "some-org--some-model@0123456789ab"}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[rounds]\ncron = 'weekly, please'", "rounds.cron: cron must have five fields"),
        ("[rounds]\ntimezone = 'Berlin'", "rounds.timezone: timezone must be a name such as"),
        ("[checks.least_yield]\nattempt = 0.5", "there is no asset attempt; there are problems, attempts"),
        ("[checks]\nleast_right = 0.6\nmost_right = 0.5", r"most_right must be at least least_right \(0.6\)"),
    ],
)
def test_bad_operations_are_refused_with_their_field(tmp_path, line, message):
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.replace(LENIENT, line).format(policy=""))
    with pytest.raises(SettingsError, match=message):
        load_settings(file)
