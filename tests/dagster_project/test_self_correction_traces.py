"""The asset over a simulated round: its rows, what it shows, and a round without a row."""

import polars as pl
import pytest

from generators.self_correction_traces.dataset import DATASET
from generators.self_correction_traces.release import TRANSITIONS
from tests.dagster_project.conftest import metadata_of

NAME = "self_correction_traces"


def table(settings, asset=NAME, suffix="", slice_key="sums-0"):
    return pl.read_parquet(f"{settings.data_root}/tables/{asset}/r1/{slice_key}{suffix}.parquet")


def shown(made, name):
    """A table of counts or facts in the metadata, by the name of each row."""
    return {record.data["what"]: record.data.get("rows", record.data.get("value")) for record in made[name].records}


def test_a_release_has_rows_of_both_origins_and_shows_what_triggers_did(world):
    metadata = metadata_of(world.results["r1", "release"], f"{NAME}_release")
    tables = [table(world.settings, slice_key=key) for key in world.settings.slices()]
    assert {origin for rows in tables for origin in rows["origin"]} == {"sampled", "composed"}
    assert f"## {TRANSITIONS}" in metadata["card"]


def test_responses_begin_as_the_attempts_do_and_every_one_is_a_row_or_has_its_reason(world):
    settings = world.settings
    tried = table(settings, "attempts", slice_key="sums-1").select("problem_id", "attempt_index", "token_ids")
    attempts = {(problem, index): ids for problem, index, ids in tried.iter_rows()}
    responses = table(settings, "deepened_responses", slice_key="sums-1")
    for row in responses.iter_rows(named=True):
        attempt = attempts[row["problem_id"], row["sample_index"]]
        assert row["token_ids"][: row["attempt_ends"][0]] == attempt[: row["attempt_ends"][0]]
    rows = pl.concat(
        [
            table(settings, suffix=suffix, slice_key="sums-1").select("problem_id", "attempt_index", "origin")
            for suffix in ("", ".dropped")
        ]
    )
    sampled = rows.filter(pl.col("origin") == "sampled").select("problem_id", "attempt_index").rows()
    composed = rows.filter(pl.col("origin") == "composed").select("problem_id", "attempt_index").rows()
    labelled = table(settings, "process_labels", slice_key="sums-1").select("problem_id", "attempt_index").rows()
    assert sorted(sampled) == sorted(attempts) == sorted(responses.select("problem_id", "sample_index").rows())
    assert sorted(composed) == sorted(labelled)


def test_the_metadata_shows_what_the_tables_hold(world):
    settings, made = world.settings, metadata_of(world.results["r1", "sums-1"], NAME)
    rows, responses = table(settings, slice_key="sums-1"), table(settings, "deepened_responses", slice_key="sums-1")
    dropped = table(settings, suffix=".dropped", slice_key="sums-1")
    assert shown(made, "origins") == dict(rows.group_by("origin").len().iter_rows())
    assert shown(made, "dropped") == dict(dropped.group_by("reason").len().iter_rows())
    assert sum(shown(made, "transitions").values()) == responses["n_triggers"].sum() > 0
    assert shown(made, "yields")["responses"] == str(responses.height)
    generated = (responses["generated"].list.last() - responses["generated"].list.first()).sum()
    assert shown(made, "cost")["tokens generated after the first boundary"] == str(generated)
    assert made["tokens_generated"] >= generated
    assert 0 < float(shown(made, "prefill")["saved"]) < 1
    last = [record.data for record in made["success_by_budget"].records if record.data["budget"] == 400]
    alone = table(settings, "attempts", slice_key="sums-1")["is_right"].mean()
    rates = {record["method"]: float(record["pass_rate"]) for record in last}
    assert rates == pytest.approx({"attempts": alone, "with_triggers": responses["is_right"].mean()}, abs=1e-3)
    assert [record.data["method"] for record in made["one_of_several"].records] == ["attempts", "with_triggers"]
    assert "⟦" in made["sample_rows"] and "→ " in made["sample_rows"]


def test_a_round_without_a_row_fails_its_release_with_a_sentence_that_says_where_to_look(settings, make):
    short = {"ops": {"attempts": {"config": {"max_tokens": 8}}}}
    for slice_key in settings.slices():
        result = make(settings, "slice", "r1", slice_key, short, only=DATASET.stages)
        assert result.success
    assert table(settings).height == 0
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks["both_origins"] is False
    (failure,) = make(settings, "release", "r1", only=[f"{NAME}_release"]).get_step_failure_events()
    message = failure.step_failure_data.error.message
    assert "self_correction_traces: round r1 has no row to release; the asset dropped" in message
