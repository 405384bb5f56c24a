"""Critical-token pairs of a simulated round: their tokens, weights and exports, and slices without a pair."""

import json
from math import exp

import polars as pl
import pytest
from upath import UPath

from dagster_project.running.events import had_no_rows
from dagster_project.settings.file import SettingsError, load_settings
from generators.critical_token_pairs.contrast import contrast_figures, count_contrast
from generators.critical_token_pairs.dataset import DATASET
from generators.critical_token_pairs.settings import ModelsSettings, Settings
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.vocabulary import EOS, SimulatedTokenizer
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from tests.dagster_project.conftest import SETTINGS, metadata_of
from tests.releases.forgery import alone, with_file

NAME = "critical_token_pairs"
TOKENIZER = SimulatedTokenizer()


def table(settings, asset=NAME, suffix="", slice_key="sums-0"):
    return pl.read_parquet(f"{settings.data_root}/tables/{asset}/r1/{slice_key}{suffix}.parquet")


@pytest.fixture(scope="module")
def folder(world):
    """The folder of the first version."""
    return LocalRegistry(world.store.releases).open(NAME, "v0.1.0").path


@pytest.fixture(scope="module")
def rows(folder):
    return pl.read_parquet(f"{folder}/data/full/*.parquet")


def test_a_round_has_confirmed_tokens_and_the_answers_of_both_sides_are_verified(folder, rows):
    assert rows["critical_confirmed"].list.any().sum() > 0
    assert verify(folder).checks["answers"].n == 2 * rows.height


def test_the_ids_of_both_sides_give_the_texts_back_and_end_with_the_end_of_text_token(rows):
    for row in rows.iter_rows(named=True):
        for side in ("chosen", "rejected"):
            ids, start = row[f"{side}_token_ids"], row["response_start"]
            assert TOKENIZER.decode(ids[start:]) == row[side]
            assert ids[-1] == EOS and EOS not in ids[:-1]


def test_every_weight_stands_on_its_token(world, rows):
    for row in rows.iter_rows(named=True):
        temperature = weights_temperature(world.settings, row["slice"])
        start, ratios, weights = row["response_start"], row["rejected_log_ratios"], row["rejected_weights"]
        assert len(weights) == len(ratios) == len(row["rejected_scores"]) == len(row["rejected_token_ids"])
        assert weights[:start] == row["chosen_weights"][:start] == ratios[:start] == [0.0] * start
        expected = [1 / (1 + exp(ratio / temperature)) for ratio in ratios[start:-1]]
        assert weights[start:] == pytest.approx([*expected, 1.0], abs=1e-6)
        assert set(row["chosen_weights"][start:]) == {1.0}


def weights_temperature(settings, slice_key):
    recipe = UPath(f"{settings.data_root}/tables/{NAME}/r1/{slice_key}.recipe.json")
    return json.loads(recipe.read_text())["config"]["weights_temperature"]


def test_weights_do_not_saturate_where_the_papers_would(world, rows):
    figures = contrast_figures(count_contrast(rows))
    assert figures["below_0.05_as_1_less_the_score"] > 0.4
    assert figures["weights_below_0.05"] == 0
    metadata = metadata_of(world.results["r1", "sums-0"], NAME)
    assert "weights_below_0.05" in str(metadata["contrast_out_of_sample"])
    card = (LocalRegistry(world.store.releases).open(NAME, "v0.1.0").path / "README.md").read_text()
    assert "## The contrast on solutions that the models never saw" in card


def test_the_tested_token_with_the_lowest_score_is_the_lowest_of_its_solution(rows):
    tested = 0
    for row in rows.iter_rows(named=True):
        lowest = min(row["rejected_scores"][row["response_start"] :])
        if lowest < Settings().score_below:
            assert min(row["critical_scores"]) == lowest
            tested += 1
    assert tested


def test_the_order_of_the_attempts_changes_no_row(settings, make):
    assert make(settings, "slice", "r1", "sums-0", only=DATASET.stages).success
    before = {name: table(settings, name) for name in ("contrastive_models", NAME)}
    file = UPath(f"{settings.data_root}/tables/attempts/r1/sums-0.parquet")
    attempts = pl.read_parquet(file)
    turned = pl.concat([of_problem.reverse() for of_problem in attempts.partition_by("problem_id")])
    assert not turned.equals(attempts)
    turned.write_parquet(file)
    assert make(settings, "slice", "r1", "sums-0", only=list(before)).success
    for name, rows in before.items():
        assert table(settings, name).equals(rows), name


def test_a_confirmed_token_is_where_the_law_went_wrong(rows):
    policy = SimulatedPolicy()
    critical = [
        (row["rejected_token_ids"], position)
        for row in rows.iter_rows(named=True)
        for position, confirmed in zip(row["critical_positions"], row["critical_confirmed"], strict=True)
        if confirmed
    ]
    drops = [policy.value(ids[:position]) - policy.value(ids[: position + 1]) for ids, position in critical]
    assert sum(drop > 0.1 for drop in drops) / len(drops) >= 0.8


def test_the_export_is_a_dict_of_lists_whose_scores_align_with_the_tokenised_texts(folder, rows):
    prompts = []
    for split in ("train", "test"):
        path = folder / "exports" / f"{split}.CE_scored.json"
        if not path.exists():
            continue
        columns = json.loads(path.read_text())
        assert list(columns) == ["prompt", "chosen", "rejected", "prob_result"]
        for prompt, chosen, rejected, scored in zip(*columns.values(), strict=True):
            prompts.append(prompt)
            for side, text in (("pos", chosen), ("neg", rejected)):
                ids = TOKENIZER.encode_whole(prompt + text)
                assert len(scored[side]["ce_prob"]) == len(ids) - 1
                assert TOKENIZER.decode(ids[1:][scored[side]["response_start_idx"] :]) == scored[side]["text"] == text
    assert prompts
    assert sorted(prompts) == sorted(rows.filter("is_stable")["templated_prompt"])


def test_an_export_that_does_not_follow_from_the_rows_is_named(folder, tmp_path):
    copy = alone(folder, UPath(tmp_path / "alone"))
    path = "exports/train.CE_scored.json"
    columns = json.loads((copy / path).read_text())
    columns["prob_result"][0]["neg"]["ce_prob"][-1] = 2.0
    with_file(copy, path, json.dumps(columns).encode())
    assert f"{path}: it is not what follows from full" in map(str, verify(copy).findings)
    (copy / path).unlink()
    assert f"{path}: it is missing, and follows from full" in map(str, verify(copy).findings)


def test_every_problem_is_in_a_pair_or_on_disk_with_its_reason(world):
    settings, metadata = world.settings, metadata_of(world.results["r1", "sums-0"], NAME)
    dropped = table(settings, suffix=".dropped")
    problem_ids = [*table(settings)["problem_id"], *dropped["problem_id"]]
    assert sorted(problem_ids) == sorted(table(settings, "problems")["problem_id"])
    assert {record.data["what"]: record.data["rows"] for record in metadata["dropped"].records} == dict(
        dropped.group_by("reason").len().iter_rows()
    )
    assert "⟦" in metadata["sample_rows"]


def test_the_simulated_policy_has_laws_in_place_of_adapters_and_says_so(world):
    settings, metadata = world.settings, metadata_of(world.results["r1", "sums-0"], "contrastive_models")
    assert metadata["models"] == "simulated_laws"
    assert not {"positive_adapter", "losses"} & metadata.keys()
    assert set(table(settings)["positive_model"]) == {"simulated law, error rate / 2"}
    assert set(table(settings, "contrastive_models")["side"]) == {"positive", "negative"}


def test_solutions_that_are_too_long_are_neither_learnt_from_nor_paired_nor_released(settings, make):
    short = settings.model_copy(update={"contrastive_models": ModelsSettings(max_tokens=116)})
    for slice_key in short.slices():
        result = make(short, "slice", "r1", slice_key, only=DATASET.stages)
        assert result.success
    assert table(short).height == 0
    assert set(table(short, "contrastive_models", ".dropped")["reason"]) >= {"too_long"}
    assert set(table(short, suffix=".dropped")["reason"]) >= {"too_long"}
    failed = {(c.asset_key.path[-1], c.check_name) for c in result.get_asset_check_evaluations() if not c.passed}
    assert {("contrastive_models", "both_sides_have_examples"), (NAME, "critical_tokens_confirmed")} <= failed
    assert {("contrastive_models", "yield_in_bounds"), (NAME, "yield_in_bounds")} <= failed  # and stop nothing

    result = make(short, "release", "r1", only=[f"{NAME}_release"])
    (failure,) = result.get_step_failure_events()
    message = failure.step_failure_data.error.message
    assert "critical_token_pairs: round r1 has no row to release; the asset dropped " in message
    assert "too_long" in message
    assert had_no_rows(failure)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[critical_token_pairs]\nnever = 0.2", r"critical_token_pairs: never \(0.2\) must be above 0 and below least"),
        ("[critical_token_pairs]\ncap = 0", "critical_token_pairs.cap: .* equal to 1, got 0"),
        ("[critical_token_pairs]\nbeta = -1", "critical_token_pairs.beta: .* equal to 0, got -1"),
        ("[contrastive_models]\nrank = 0", "contrastive_models.rank: .* equal to 1, got 0"),
        ('[contrastive_models]\ndtype = "int8"', "contrastive_models.dtype: .* got 'int8'"),
    ],
)
def test_settings_out_of_bounds_are_named_with_field_and_value(tmp_path, text, message):
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="").split("[critical_token_pairs]")[0] + text)
    with pytest.raises(SettingsError, match=message):
        load_settings(file)
