import json
from collections import Counter

import polars as pl
import pytest
from upath import UPath

from dagster_project.settings.file import load_settings
from generators.process_labels.dataset import DATASET
from releases.registry.local import LocalRegistry
from tests.dagster_project.conftest import SETTINGS, metadata_of

HELD_OUT = """
[[evaluation_sets]]
kind = "simulated"
name = "held_out"
match = "verbatim"
min_steps = 3
max_steps = 5
size = 2
"""


def tables(settings, asset, round_key="r1"):
    return pl.concat(
        [pl.read_parquet(f"{settings.data_root}/tables/{asset}/{round_key}/{key}.parquet") for key in settings.slices()]
    )


def first_version(settings):
    return LocalRegistry(UPath(settings.data_root) / "releases").open("process_labels", "v0.1.0").path


def released(settings):
    return pl.read_parquet(f"{first_version(settings)}/data/full/*.parquet").sort("problem_id", "attempt_index")


def test_a_round_is_released_once_and_a_major_number_starts_with_the_next_new_rows(settings, make, make_round):
    assert make_round(settings, "r1")["is_new"] is True
    again = make(settings, "release", "r1", only=["process_labels_release"])
    assert metadata_of(again, "process_labels_release")["is_new"] is False
    releases = settings.releases.model_copy(update={"major": {"process_labels": 1}})
    assert make_round(settings.model_copy(update={"releases": releases}), "r2")["version"] == "v1.0.0"


def test_every_problem_is_in_exactly_one_slice(world):
    assert sorted(Counter(tables(world.settings, "problems")["problem_id"]).values()) == [1] * 48


def test_the_launchpads_numbers_win_over_the_file(settings, make):
    config = {"ops": {"attempts": {"config": {"n": 2}}}}
    assert make(settings, "slice", "r1", "sums-0", config, only=["problems", "attempts"]).success
    attempts = pl.read_parquet(f"{settings.data_root}/tables/attempts/r1/sums-0.parquet")
    assert attempts.group_by("problem_id").len()["len"].unique().to_list() == [2]


def test_what_was_dropped_is_on_disk_with_its_reason_and_counted_in_the_metadata(world):
    metadata = metadata_of(world.results["r1", "sums-0"], "process_labels")
    dropped = pl.read_parquet(f"{world.settings.data_root}/tables/process_labels/r1/sums-0.dropped.parquet")
    shown = {record.data["what"]: record.data["rows"] for record in metadata["dropped"].records}
    assert shown == dict(dropped.group_by("reason").len().iter_rows())


PROMPTS = {
    "Ann has 12 apples and gives 5 of them to her brother. How many apples does she have now?": None,
    "Anna hat 12 Äpfel und gibt ihrem Bruder 5 davon. Wie viele Äpfel hat sie noch?": "other_language",
    "Ann has 12 apples and gives 5 away. How many are left? The answer is 7.": "answer_in_prompt",
    "Ann has 12 apples and gives 5 away. " + "Count again, please. " * 20 + "Now.": "too_long",
}


def test_prompts_that_cannot_be_asked_are_on_disk_and_counted_in_the_metadata(tmp_path, make):
    rows = "\n".join(json.dumps({"prompt": prompt, "answer": "7"}) for prompt in PROMPTS)
    (tmp_path / "apples.jsonl").write_text(rows)
    file = tmp_path / "stepmill.toml"
    file.write_text(
        SETTINGS.format(policy="")
        + '[quality]\nlongest_prompt = 200\n[[sources]]\nkind = "file"\nname = "apples"\nlanguage = "en"\n'
        + f'path = "{tmp_path}/apples.jsonl"\n'
    )
    settings = load_settings(file)
    made = metadata_of(make(settings, "slice", "r1", "apples-0", only=["problems"]), "problems")
    dropped = pl.read_parquet(f"{settings.data_root}/tables/problems/r1/apples-0.dropped.parquet")
    assert {**dict.fromkeys(PROMPTS), **dict(dropped.select("prompt", "reason").iter_rows())} == PROMPTS
    assert {record.data["what"]: record.data["rows"] for record in made["dropped"].records} == dict.fromkeys(
        ["other_language", "answer_in_prompt", "too_long"], 1
    )


def test_attempts_that_are_unfit_are_counted_before_they_are_passed_over(settings, make):
    config = {"ops": {"attempts": {"config": {"max_tokens": 30}}}}
    result = make(settings, "slice", "r1", "sums-0", config, only=DATASET.stages)
    unfit = {
        record.data["what"]: record.data["rows"] for record in metadata_of(result, "attempts")["unfit_to_label"].records
    }
    dropped = pl.read_parquet(f"{settings.data_root}/tables/process_labels/r1/sums-0.dropped.parquet")
    counts = dict(dropped.group_by("reason").len().iter_rows())
    assert unfit
    assert unfit == {reason: counts[reason] for reason in unfit}


def test_the_manifest_counts_the_ledgers_tokens(world):
    manifest = json.loads((first_version(world.settings) / "manifest.json").read_text())
    ledger = pl.read_parquet(f"{world.settings.data_root}/ledger/simulated/r1/*/part-*.parquet")
    assert manifest["facts"]["tokens"] == {"rollouts": ledger.height, "generated": ledger["token_ids"].list.len().sum()}


def test_a_release_without_every_slice_fails_and_names_what_is_missing(settings, make):
    assert make(settings, "slice", "r1", "sums-0", only=DATASET.stages).success
    result = make(settings, "release", "r1", only=["process_labels_release"])
    (failure,) = result.get_step_failure_events()
    assert "process_labels of slice sums-1 is not finished" in str(failure.step_failure_data.error)


def test_problems_of_an_evaluation_set_are_dropped_once_and_shown_side_by_side(tmp_path, make):
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="") + HELD_OUT)
    settings = load_settings(file)
    results = [make(settings, "slice", "r1", key, only=["problems"]) for key in settings.slices()]
    made = [metadata_of(result, "problems") for result in results]
    folder = f"{settings.data_root}/tables/problems/r1"
    dropped = pl.concat([pl.read_parquet(f"{folder}/{key}.dropped.parquet") for key in settings.slices()])
    shown = tables(settings, "evaluation_repeats")
    assert dropped["reason"].to_list() == ["in_evaluation_set"] * 2
    assert sorted(shown["problem_id"]) == sorted(dropped["problem_id"])
    assert shown["text"].to_list() == shown["item_text"].to_list()
    assert all(any(text in slice_made["contamination"] for slice_made in made) for text in shown["text"])
    assert sum(record.data["rows"] for slice_made in made for record in slice_made["dropped"].records) == 2


@pytest.mark.parametrize("strategy", ["sequential_test", "exhaustive", "omegaprm"])
def test_every_strategy_makes_rows_that_a_release_accepts(settings, make, strategy):
    config = {"ops": {"process_labels": {"config": {"strategy": strategy}}}}
    for slice_key in settings.slices():
        assert make(settings, "slice", "r1", slice_key, config, only=DATASET.stages).success
    assert make(settings, "release", "r1", only=["process_labels_release"]).success
    assert set(released(settings)["strategy"]) == {strategy}


def test_planted_errors_are_searched_and_counted_in_the_metadata_and_on_the_card(world):
    settings, labelled = world.settings, world.results["r1", "sums-0"]
    planted = tables(settings, "planted_errors")
    assert 0 < planted.height <= 8
    assert f"| all | {planted.height} |" in (first_version(settings) / "README.md").read_text()
    audit = {
        record.data["what"]: record.data["value"] for record in metadata_of(labelled, "process_labels")["audit"].records
    }
    of_slice = pl.read_parquet(f"{settings.data_root}/tables/planted_errors/r1/sums-0.parquet")
    assert int(audit["n"]) == of_slice.height
    checks = {check.check_name for check in labelled.get_asset_check_evaluations()}
    assert {"label_balance", "planted_errors_found"} <= checks
    assert released(settings)["attempt_index"].max() < 4


def test_the_nodes_of_the_released_steps_stand_in_the_search_trees_with_their_counts(world):
    nodes = {row["node_id"]: row for row in tables(world.settings, "search_trees").iter_rows(named=True)}
    for row in released(world.settings).iter_rows(named=True):
        counts = [(nodes[node]["n_correct"], nodes[node]["n_rollouts"]) for node in row["node_ids"]]
        assert counts == list(zip(row["n_correct"], row["n_rollouts"], strict=True))
