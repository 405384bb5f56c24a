"""The entries that stand first on the page of every asset, which the UI shows in the order in which they were made."""

from itertools import islice

import pytest

from generators.datasets import DATASETS, STAGES
from tests.dagster_project.test_report import SHOWN_IN_PLACE


def entries_of(world, asset):
    partition = "release" if asset.endswith("_release") else "sums-0"
    (event,) = world.results["r1", partition].asset_materializations_for_node(asset)
    return event.metadata


@pytest.mark.parametrize(
    "asset", [*(stage.name for stage in STAGES), *(f"{dataset.name}_release" for dataset in DATASETS)]
)
def test_headline_picture_and_three_rows_come_first_and_are_shown_in_place(world, asset):
    first = dict(islice(entries_of(world, asset).items(), 3))
    headline, picture, rows = (entry.value for entry in first.values())
    assert list(first)[::2] == ["headline", "three_rows"]
    assert "rows" in headline
    assert picture.startswith("![") and len(picture) < SHOWN_IN_PLACE
    assert rows.startswith("1. ") and "\n3. " in rows and len(rows) < SHOWN_IN_PLACE


def test_no_entry_has_the_name_that_dagster_shows_above_everything_else(world):
    for result in world.results.values():
        for event in result.get_asset_materialization_events():
            assert "dagster/column_schema" not in event.materialization.metadata
            assert "columns" in event.materialization.metadata
