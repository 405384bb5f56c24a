import json
import re
from dataclasses import replace

import dagster as dg
import pytest

from dagster_project.definitions import build
from dagster_project.partitions import Cell, grid
from dagster_project.planning import plan
from dagster_project.resources.store import Store
from dagster_project.scorecard import read_scorecard
from dagster_project.slice_asset import slice_asset
from generators.attempts.stage import STAGE as ATTEMPTS
from generators.attempts.unanswered import RECOGNISED
from generators.checks import TIMEOUTS, CheckSpec
from generators.datasets import STAGES
from tests.dagster_project.conftest import runner

CELL = Cell(round="r1", slice="sums-0")


def recipe_of(settings, stage):
    return Store(data_root=settings.data_root).root / "tables" / stage / "r1" / "sums-0.recipe.json"


def message_of(result):
    (failure,) = result.get_step_failure_events()
    return str(failure.step_failure_data.error.message)


def change(settings, stage, edit):
    path = recipe_of(settings, stage)
    recipe = json.loads(path.read_text())
    edit(recipe)
    path.write_text(json.dumps(recipe))


def test_a_run_of_two_assets_without_the_one_between_them_is_refused(settings, make):
    result = make(settings, "slice", "r1", "sums-0", only=["problems", "process_labels"])
    assert "but not attempts between them: select these too" in message_of(result)


def test_a_check_keeps_its_status_of_each_slice(settings):
    few = settings.model_copy(update={"checks": settings.checks.model_copy(update={"most_yield": {"problems": 0.5}})})
    with dg.DagsterInstance.ephemeral() as instance:
        make = runner(instance)
        assert not make(few, "slice", "r1", "sums-0", only=["problems"]).success
        assert make(settings, "slice", "r1", "sums-1", only=["problems"]).success
        key = dg.AssetCheckKey(dg.AssetKey("problems"), "yield_in_bounds")
        infos = instance.event_log_storage.get_asset_check_partition_info([key])
    assert {info.partition_key: info.latest_execution_status.value for info in infos} == {
        "r1|sums-0": "FAILED",
        "r1|sums-1": "SUCCEEDED",
    }


@pytest.fixture
def made(settings, make):
    assert make(settings, "slice", "r1", "sums-0").success
    return settings


def test_a_table_that_was_begun_and_not_finished_is_not_built_on(made, make):
    Store(data_root=made.data_root).scorecard("attempts", CELL).unlink()
    result = make(made, "slice", "r1", "sums-0", only=["process_labels"])
    assert "attempts of slice sums-0 in round r1 is not finished: materialise attempts" in message_of(result)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda recipe: recipe.update(set_aside="no_answer_to_verify"), "attempts of slice sums-0 .* was set aside"),
        (lambda recipe: recipe.pop("config"), "attempts of slice sums-0 was made by an earlier stepmill: materialise"),
    ],
)
def test_an_upstream_table_that_says_nothing_of_its_making_is_named_with_the_remedy(made, make, edit, message):
    change(made, "attempts", edit)
    assert re.search(message, message_of(make(made, "slice", "r1", "sums-0", only=["process_labels"])))


def test_settings_of_another_stepmill_in_a_recipe_are_named(made, make):
    change(made, "process_labels", lambda recipe: recipe["settings"].update(old_field=1))
    message = message_of(make(made, "slice", "r1", "sums-0", only=["step_preference_pairs"]))
    assert "the recipe of process_labels holds other settings than this stepmill knows: materialise" in message


def test_a_plan_can_be_based_on_a_round_of_an_earlier_stepmill(made):
    before = plan(made, Store(data_root=made.data_root)).tokens
    path = recipe_of(made, "problems")
    path.write_text(json.dumps(json.loads(path.read_text())["config"]))
    assert plan(made, Store(data_root=made.data_root)).tokens == before > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"checks": (*ATTEMPTS.checks, CheckSpec("forgotten", "It is made."))},
            "attempts declares the checks .*'forgotten'.*, made",
        ),
        (
            {"checks": (RECOGNISED, TIMEOUTS, CheckSpec("label_balance", "It warns.", blocks=False))},
            "attempts declares label_balance as a warning",
        ),
    ],
)
def test_a_stage_whose_checks_are_not_the_declared_ones_gets_no_scorecard(settings, make, changes, message):
    assert make(settings, "slice", "r1", "sums-0", only=["problems"]).success
    asset = slice_asset(replace(ATTEMPTS, **changes), settings, grid(list(settings.slices())), None, stages=STAGES)
    resources = build(settings).resources
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("rounds", ["r1"])
        result = dg.materialize(
            [asset],
            partition_key=dg.MultiPartitionKey({"round": "r1", "slice": "sums-0"}),
            resources=resources,
            instance=instance,
            raise_on_error=False,
            selection=["attempts"],
        )
    assert not result.success
    error = result.get_step_failure_events()[0].step_failure_data.error
    text = f"{error.message} {error.cause.message if error.cause else ''}"
    assert re.search(message, text)
    assert read_scorecard(Store(data_root=settings.data_root), "attempts", CELL) is None
