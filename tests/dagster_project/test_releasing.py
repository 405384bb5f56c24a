"""Releases of a round: whose sources share problems, without answers, or with a stage that failed."""

import polars as pl
from huggingface_hub import DatasetCard
from upath import UPath

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.scorecard import read_cost
from dagster_project.settings.file import load_settings
from generators.dataset import IN_TWO_SLICES
from releases.manifest import read_manifest
from tests.dagster_project.conftest import SETTINGS, metadata_of

OUTCOMES = ["problems", "attempts"]
AGAIN = """
[[sources]]
kind = "simulated"
name = "same_sums"
size = 12
min_steps = 3
max_steps = 5
"""


def test_a_problem_of_two_sources_is_released_once_as_its_first_source_has_it(tmp_path, make_round):
    file = tmp_path / "stepmill.toml"
    stated = 'shards = 1\nlicence = "mit"\nlanguage = "en"'
    file.write_text(SETTINGS.format(policy="").replace("shards = 2", stated) + AGAIN)
    twice = load_settings(file)
    released = make_round(twice, "r1")

    store = Store(data_root=twice.data_root)
    made = {key: store.read(store.table("process_labels", Cell(round="r1", slice=key))) for key in twice.slices()}
    ours, again = made.values()
    assert set(ours["problem_id"]) & set(again["problem_id"])

    shards = [pl.read_parquet(path) for path in UPath(released["dagster/uri"]).rglob("*.parquet")]
    assert {source for rows in shards if "source" in rows.columns for source in rows["source"]} == {"sums"}
    with open(f"{released['dagster/uri']}/manifest.json", "rb") as manifest:
        facts = read_manifest(manifest.read(), where="the folder").facts
    (labels,) = [stage for stage in facts.stages if stage.name == "process_labels"]
    assert (labels.kept, labels.dropped[IN_TWO_SLICES]) == (ours.height, again.height)
    assert [source.name for source in facts.sources] == ["sums"]
    card = DatasetCard.load(f"{released['dagster/uri']}/README.md").data
    assert (facts.licence, card.license, card.language) == ("MIT", "mit", ["en"])
    costs = [read_cost(store, "process_labels", Cell(round="r1", slice=key)) for key in twice.slices()]
    assert facts.drawn["generated"] == sum(cost.tokens for cost in costs) > 0


def test_problems_and_attempts_are_released_where_process_labels_were_not_made(copied_world, make):
    store = Store(data_root=copied_world.data_root)
    for slice_key in copied_world.slices():
        store.scorecard("process_labels", Cell(round="r1", slice=slice_key)).unlink()
    assert not make(copied_world, "release", "r1", only=["process_labels_release"]).success
    assert make(copied_world, "release", "r1", only=[f"{name}_release" for name in OUTCOMES]).success


def test_a_problem_that_the_engine_refused_is_released_without_a_pass_rate(copied_world, make):
    store, cell = Store(data_root=copied_world.data_root), Cell(round="r1", slice=next(iter(copied_world.slices())))
    difficulty = store.read(store.table("problem_difficulty", cell))
    refused = difficulty["problem_id"][0]
    store.write(store.table("problem_difficulty", cell), difficulty.filter(pl.col("problem_id") != refused))
    released = metadata_of(make(copied_world, "release", "r1", only=["problems_release"]), "problems_release")
    rows = pl.read_parquet(f"{released['dagster/uri']}/data/full/*.parquet").sort("problem_id")
    assert rows.height == height(store, copied_world, "problems")
    assert rows.filter(pl.col("pass_rate").is_null())["problem_id"].to_list() == [refused]
    assert rows.filter(pl.col("policy").is_null())["n_attempts"].to_list() == [0]


def test_problems_that_nobody_could_attempt_are_released_and_the_card_names_no_policy(copied_world, make):
    store = Store(data_root=copied_world.data_root)
    for slice_key in copied_world.slices():
        path = store.table("problem_difficulty", Cell(round="r1", slice=slice_key))
        store.write(path, store.read(path).clear())
    released = metadata_of(make(copied_world, "release", "r1", only=["problems_release"]), "problems_release")
    card = UPath(released["dagster/uri"]) / "README.md"
    assert "The policy is `none`, the round `r1`." in card.read_text()


def height(store, settings, table):
    """The rows of a table over all slices of the first round."""
    cells = (Cell(round="r1", slice=key) for key in settings.slices())
    return sum(store.read(store.table(table, cell)).height for cell in cells)
