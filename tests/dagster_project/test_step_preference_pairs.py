import polars as pl
import pytest
from upath import UPath

from dagster_project.settings.file import SettingsError, load_settings
from generators.engine.simulated.vocabulary import SimulatedTokenizer
from generators.step_preference_pairs.dataset import DATASET
from releases.registry.local import LocalRegistry
from tests.dagster_project.conftest import SETTINGS, metadata_of

NAME = "step_preference_pairs"


def table(settings, asset=NAME, suffix="", slice_key="sums-0"):
    return pl.read_parquet(f"{settings.data_root}/tables/{asset}/r1/{slice_key}{suffix}.parquet")


def released(settings, config="full"):
    folder = LocalRegistry(UPath(settings.data_root) / "releases").open(NAME, "v0.1.0").path
    return pl.read_parquet(f"{folder}/data/{config}/*.parquet")


def test_the_rows_for_training_give_the_stored_token_ids_back(world):
    tokenizer = SimulatedTokenizer()
    stored = {row["templated_prompt"] + row["chosen"]: row for row in released(world.settings).iter_rows(named=True)}
    shown = released(world.settings, "steps")
    assert shown.height == len(stored) > 0
    for row in shown.iter_rows(named=True):
        ids = stored[row["prompt"] + row["chosen"]]
        for side, final in (("chosen", "is_final_step"), ("rejected", "rejected_is_final_step")):
            end = "<eos>" if row[final] else ""
            whole = tokenizer.encode_whole(row["prompt"] + row[side] + end)
            assert list(whole) == ids["prefix_token_ids"] + ids[f"{side}_token_ids"]


def test_every_labelled_solution_is_in_a_pair_or_on_disk_with_its_reason(world):
    settings, metadata = world.settings, metadata_of(world.results["r1", "sums-0"], NAME)
    pairs, dropped, labels = table(settings), table(settings, suffix=".dropped"), table(settings, "process_labels")
    solutions = {key for frame in (pairs, dropped) for key in frame.select("problem_id", "attempt_index").rows()}
    assert solutions == set(labels.select("problem_id", "attempt_index").iter_rows())
    shown = {record.data["what"]: record.data["rows"] for record in metadata["dropped"].records}
    assert shown == dict(dropped.group_by("reason").len().iter_rows())


def test_a_slice_without_an_error_makes_an_empty_table_and_fails_its_check(settings, make):
    short = {"ops": {"attempts": {"config": {"max_tokens": 8}}}}
    result = make(settings, "slice", "r1", "sums-0", short, only=DATASET.stages)
    assert result.success
    assert table(settings).height == 0
    (check,) = [check for check in result.get_asset_check_evaluations() if check.check_name == "sides_verified"]
    assert not check.passed


def test_a_judge_names_the_errors_where_the_process_labels_have_one(copied_world, make):
    path = f"{copied_world.data_root}/tables/process_labels/r1/sums-0.parquet"
    judge = pl.when(pl.col("verdict") == "different").then(pl.lit(0)).otherwise(-1).cast(pl.Int64)
    pl.read_parquet(path).with_columns(judge_first_error=judge).write_parquet(path)
    config = {"ops": {NAME: {"config": {"localiser": "judge"}}}}
    assert make(copied_world, "slice", "r1", "sums-0", config, only=[NAME]).success
    pairs, dropped = table(copied_world), table(copied_world, suffix=".dropped")
    assert set(pl.concat([pairs["step_index"], dropped["step_index"]])) <= {0, -1}
    assert set(pairs["localiser"]) <= {"judge"}


def test_a_judge_that_was_never_asked_is_named_with_the_remedy(copied_world, make):
    path = f"{copied_world.data_root}/tables/process_labels/r1/sums-0.parquet"
    pl.read_parquet(path).with_columns(judge_first_error=pl.lit(None, pl.Int64)).write_parquet(path)
    config = {"ops": {NAME: {"config": {"localiser": "judge"}}}}
    result = make(copied_world, "slice", "r1", "sums-0", config, only=[NAME])
    (failure,) = result.get_step_failure_events()
    assert "localiser to 'labels'" in str(failure.step_failure_data.error)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cap = 2", r"cap must be at least lot \(4\)"),
        ("least_pass_rate = 0.0", "least_pass_rate: Input should be greater than 0, got 0.0"),
        ("least_pass_rate = 0.5\nmost_pass_rate = 0.4", r"most_pass_rate must be at least least_pass_rate \(0.5\)"),
        ('localiser = "dice"', "localiser: Input should be 'labels' or 'judge', got 'dice'"),
    ],
)
def test_settings_out_of_bounds_are_named_with_field_and_value(tmp_path, line, message):
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="") + f"[step_preference_pairs]\n{line}\n")
    with pytest.raises(SettingsError, match=message):
        load_settings(file)
