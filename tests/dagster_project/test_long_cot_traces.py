import json

import polars as pl
import pytest

from dagster_project.settings.file import SettingsError, load_settings
from dagster_project.settings.operations import CheckSettings
from generators.long_cot_traces.schema import LONG_COT_SAMPLES, LONG_COT_TRACES
from releases.registry.local import LocalRegistry
from tests.dagster_project.conftest import SETTINGS, metadata_of

NAME = "long_cot_traces"


def settings_with(folder, lines, examples="short"):
    """The settings with more lines in the traces' section, and sections after it."""
    file = folder / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="").replace('"short"', f'"{examples}"') + lines)
    return load_settings(file)


def table(settings, asset=NAME, suffix="", slice_key="sums-0"):
    return pl.read_parquet(f"{settings.data_root}/tables/{asset}/r1/{slice_key}{suffix}.parquet")


def make_traces(settings, make, config=None, slice_key="sums-0"):
    """Makes one slice's problems, attempts and traces; gives the traces' result."""
    ops = {"ops": {NAME: {"config": config or {}}}}
    result = make(settings, "slice", "r1", slice_key, ops, only=["problems", "attempts", NAME])
    assert result.success
    return result


def test_every_trace_is_right_and_one_of_its_problem(world):
    rows = table(world.settings)
    assert LONG_COT_TRACES.validate(rows).height == rows["problem_id"].n_unique() > 0
    assert set(rows["verdict"]) == {"equal"}
    for row in rows.iter_rows(named=True):
        user, assistant = row["messages"]
        assert user["content"] == row["prompt"]
        assert assistant["content"] == f"<think>\n{row['internal_thoughts']}\n</think>\n\n{row['external_solution']}"


def test_every_sample_stands_on_disk_with_what_became_of_it(world):
    settings, result = world.settings, world.results["r1", "sums-0"]
    samples, dropped, made = (
        table(settings, "long_cot_samples"),
        table(settings, suffix=".dropped"),
        metadata_of(result, NAME),
    )
    assert LONG_COT_SAMPLES.validate(samples).height == 4 * table(settings, "query_mix")["is_kept"].sum()
    chosen = samples.filter(pl.col("reason").is_null()).select("problem_id", "sample_index")
    assert sorted(chosen.rows()) == sorted(table(settings).select("problem_id", "sample_index").rows())
    fates = samples.filter(pl.col("reason").is_not_null())["reason"].value_counts().rows()
    assert sorted(fates) == sorted(dropped.filter(pl.col("sample_index").is_not_null())["reason"].value_counts().rows())
    yields = [record.data for record in made["yields"].records]
    assert [one["stage"] for one in yields] == ["format", "examples", "score", "equations", "best"]
    assert (yields[0]["came"], yields[-1]["stayed"]) == (samples.height, table(settings).height)
    assert made["tokens_per_trace"] == samples["token_ids"].list.len().sum() / table(settings).height


def test_asked_as_the_attempts_were_the_samples_are_the_attempts(tmp_path, make):
    settings = settings_with(tmp_path, "", examples="attempts")
    made = metadata_of(make_traces(settings, make), NAME)
    assert (made["rollouts_drawn"], made["rollouts_from_ledger"]) == (0, 4 * table(settings, "problems").height)
    key = ("problem_id", "token_ids")
    samples = table(settings, "long_cot_samples").select(key).sort(key)
    assert samples.equals(table(settings, "attempts").select(key).sort(key))


def test_the_mix_keeps_to_pass_rates_and_shares_and_says_why(tmp_path, make):
    shares = "most_pass_rate = 0.9\ndifficulty_shares = { easy = 0.5, medium = 0.5 }\n"
    settings = settings_with(tmp_path, shares)
    make_traces(settings, make)
    mixed, rates = table(settings, "query_mix"), table(settings, "problem_difficulty")
    kept = mixed.filter("is_kept")
    assert mixed.height == rates.height
    assert kept["pass_rate"].max() <= 0.9
    assert set(kept["difficulty"]) <= {"easy", "medium"}
    asked = set(table(settings, "long_cot_samples")["problem_id"])
    assert asked == set(kept["problem_id"])
    told = table(settings, suffix=".dropped").filter(pl.col("stage") == "mix").select("problem_id", "reason").rows()
    assert sorted(told) == sorted(mixed.filter(~pl.col("is_kept")).select("problem_id", "why").rows())


def test_a_problem_that_is_a_worked_example_is_never_asked(copied_world, make):
    path = f"{copied_world.data_root}/tables/problems/r1/sums-0.parquet"
    example = "State the final answer to the following arithmetic problem: 6 + 8 - 5 ="
    rows = pl.read_parquet(path).with_row_index("at")
    shown = pl.when(pl.col("at") == 0).then(pl.lit(example)).otherwise(pl.col("prompt")).alias("prompt")
    rows.with_columns(shown).drop("at").write_parquet(path)
    assert make(copied_world, "slice", "r1", "sums-0", only=[NAME]).success
    first, mix = rows["problem_id"][0], table(copied_world, "query_mix")
    assert mix.filter(pl.col("problem_id") == first)["why"].to_list() == ["repeats_example"]
    assert first not in set(table(copied_world, "long_cot_samples")["problem_id"])


def test_a_slice_without_a_trace_fails_its_bound_and_its_release_says_why(settings, make):
    bound = settings.model_copy(update={"checks": CheckSettings(least_yield={NAME: 0.1})})
    for slice_key in settings.slices():
        short = {"ops": {NAME: {"config": {"max_tokens": 8}}}}
        result = make(bound, "slice", "r1", slice_key, short, only=["problems", "attempts", NAME])
        checks = {(one.asset_key.to_user_string(), one.check_name): one for one in result.get_asset_check_evaluations()}
        assert not checks[NAME, "yield_in_bounds"].passed
        make_traces(settings, make, {"max_tokens": 8}, slice_key)
    released = make(settings, "release", "r1", only=[f"{NAME}_release"])
    (failure,) = released.get_step_failure_events()
    message = failure.step_failure_data.error.message
    assert f"{NAME}: round r1 has no row to release; the asset dropped 48 truncated" in message


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("per_prompt = 7", r"per_prompt must be from 1 to the number of examples \(6\), got 7"),
        ('closing = " </t>"', "closing must be a tag without white space"),
        ("difficulty_shares = { easy = 0.5 }", "of must be shares of at least 0 that add up to 1"),
        ("difficulty_shares = { simple = 1.0 }", "Input should be 'easy', 'medium' or 'hard'"),
        ("least_pass_rate = 0.6\nmost_pass_rate = 0.5", r"most_pass_rate must be at least least_pass_rate \(0.6\)"),
        ('layout = "rows"', "Input should be 'turns' or 'one_message', got 'rows'"),
        ("percentile = 100", "percentile: Input should be less than 100, got 100"),
        ('[reward]\nurl = "gpu:8000"\nmodel = "m"', "reward.url: url must be an http:// or https:// address"),
        ('[reward]\nmodel = "m"\napi_key_env = "KEY"', "api_key_env may be set only with url"),
        ('[reward]\nurl = "http://g"\nmodel = "m"\nrevision = "r"', "revision may be set only without url"),
    ],
)
def test_settings_out_of_bounds_are_named_with_field_and_value(tmp_path, section, message):
    with pytest.raises(SettingsError, match=message):
        settings_with(tmp_path, f"{section}\n")


def test_a_source_that_wants_criteria_without_a_judge_is_refused(tmp_path):
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="").replace("shards = 2", 'query_mix = "criteria"'))
    with pytest.raises(SettingsError, match=r"query_mix = 'criteria' needs a section \[judge\], got none for sums"):
        load_settings(file)


def test_the_manifest_tells_what_the_samples_cost_and_what_slices_were_made_with(world):
    settings = world.settings
    folder = LocalRegistry(world.store.releases).open(NAME, "v0.1.0").path
    assert "| samples: format | " in (folder / "README.md").read_text()
    facts = json.loads((folder / "manifest.json").read_text())["facts"]
    samples = pl.concat([table(settings, "long_cot_samples", slice_key=key) for key in settings.slices()])
    assert facts["tokens"]["generated_in_samples"] == samples["token_ids"].list.len().sum()
    assert facts["settings"]["export"]["makings"]["sums-1"] == {
        "tags": {"opening": "<think>", "closing": "</think>"},
        "format_reward": 1.0,
        "near_examples": "verbatim",
    }
