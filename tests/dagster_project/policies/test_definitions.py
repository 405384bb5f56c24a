import dagster as dg

from dagster_project.definitions import build
from dagster_project.policies.names import GROUP, POLICY_ASSETS, POLICY_JOB
from tests.dagster_project.conftest import metadata_of
from tests.dagster_project.policies.conftest import ONLY_ATTEMPTS
from tests.dagster_project.test_definitions import told


def test_a_loop_adds_two_assets_after_the_releases_that_train(world):
    definitions = build(world().settings)
    dg.Definitions.validate_loadable(definitions)
    shown = {next(iter(asset.specs)).key.to_user_string(): told(asset) for asset in definitions.assets}
    assert shown["next_policy"] == (
        "next_policy\n  deps: attempts_release, step_preference_pairs_release\n  group: policies\n  kinds: pytorch\n"
        "  partitions: rounds\n  pool: gpu\n  blocking checks: -\n  warning checks: -\n  fails when older than: -"
    )
    assert shown["policy_evaluation"] == (
        "policy_evaluation\n  deps: next_policy\n  group: policies\n  kinds: vllm\n  partitions: rounds\n  pool: gpu\n"
        "  blocking checks: -\n  warning checks: no_worse_than_before\n  fails when older than: -"
    )
    slice_job = definitions.resolve_job_def("slice").asset_layer.selected_asset_keys
    assert not {dg.AssetKey(name) for name in POLICY_ASSETS} & slice_job
    keys = definitions.resolve_job_def(POLICY_JOB).asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in keys} == set(POLICY_ASSETS)


def test_settings_without_a_loop_have_neither_assets_nor_job_nor_sensor(settings):
    definitions = build(settings)
    assert GROUP not in {next(iter(asset.specs)).group_name for asset in definitions.assets}
    repository = definitions.get_repository_def()
    assert not repository.has_job(POLICY_JOB) and not repository.has_sensor_def("policy_loop")


def test_the_ui_shows_figures_and_pictures_of_every_policy(world):
    made = world(*ONLY_ATTEMPTS, ("rounds = 2", "rounds = 1"))
    with dg.DagsterInstance.ephemeral() as instance:
        _, where = made.run(instance)
        job = build(made.settings).resolve_job_def(POLICY_JOB)
        again = job.execute_in_process(partition_key="loop-1", instance=instance)
    evaluation = metadata_of(again, "policy_evaluation")
    assert evaluation["headline"].startswith(f"{where.policies[-1]}: pass@1 ")
    assert [record.data["after round"] for record in evaluation["figures"].records] == ["0", "1"]
    assert evaluation["by_round"].startswith("![By round](data:image/svg+xml;base64,")
    assert evaluation["picture"].startswith("![Figures by round, with 95 % intervals](data:image/png;base64,")
    assert (evaluation["rollouts_drawn"], evaluation["dagster/row_count"]) == (0, 12)
    policy = metadata_of(again, "next_policy")
    assert policy["drew_the_rows"] == policy["started_from"] == where.policies[0]
    assert policy["loss"].startswith("![Loss](data:image/svg+xml;base64,")
    (check,) = again.get_asset_check_evaluations()
    assert check.check_name == "no_worse_than_before" and check.passed


def test_a_round_that_is_none_of_the_loops_is_refused(world):
    made = world(*ONLY_ATTEMPTS)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("rounds", ["r1"])
        job = build(made.settings).resolve_job_def(POLICY_JOB)
        result = job.execute_in_process(partition_key="r1", instance=instance, raise_on_error=False)
    (failure,) = [event for event in result.get_step_failure_events() if event.step_key == "next_policy"]
    assert "round r1 is no round of the loop loop, which has none: open one with `stepmill loop`" in (
        failure.step_failure_data.error.to_string()
    )
