"""A release of a round whose sources share problems."""

import polars as pl
from huggingface_hub import DatasetCard
from upath import UPath

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.scorecard import read_cost
from dagster_project.settings.file import load_settings
from generators.dataset import IN_TWO_SLICES
from releases.manifest import read_manifest
from tests.dagster_project.conftest import SETTINGS

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
