"""What a registry refuses: changed columns without a major number, and problems on both sides of two datasets."""

from dataclasses import replace

import polars as pl
import pytest

from filters.schema import Column
from releases.errors import ColumnsChanged, SplitsDisagree
from releases.splits import SplitShares
from tests.releases.conftest import labels_draft
from tests.releases.forgery import with_rows


def with_schema(draft, change, rows=lambda frame: frame):
    """The draft with the columns of `full` changed, and its rows with them."""
    table = draft.tables["full"]
    schema = replace(table.schema, columns=change(table.schema.columns))
    splits = {split: rows(frame).select(list(schema.columns)) for split, frame in table.splits.items()}
    return replace(draft, tables={**draft.tables, "full": replace(table, schema=schema, splits=splits)})


def weighted(draft):
    """The draft with one more column."""
    weight = {"weight": Column(pl.Float64, "What a row weighs.")}
    return with_schema(draft, lambda columns: {**columns, **weight}, lambda rows: rows.with_columns(weight=pl.lit(1.0)))


@pytest.fixture(scope="session")
def widened(draft):
    return weighted(draft)


def without_column(draft):
    return with_schema(draft, lambda columns: {name: columns[name] for name in columns if name != "level"})


def retyped(draft):
    def change(columns):
        return {**columns, "n_attempts": replace(columns["n_attempts"], dtype=pl.Float64)}

    return with_schema(draft, change, lambda frame: frame.with_columns(pl.col("n_attempts").cast(pl.Float64)))


def made_nullable(draft):
    return with_schema(draft, lambda columns: {**columns, "policy": replace(columns["policy"], nullable=True)})


CHANGES = [
    (without_column, r"column level \(string\) was removed"),
    (retyped, r"column n_attempts was int32 not null and is float not null"),
    (made_nullable, r"column policy was string not null and is string"),
]


def test_an_added_column_without_a_major_number_is_refused_and_nothing_is_written(any_registry, draft, widened):
    any_registry.publish(draft)
    with pytest.raises(
        ColumnsChanged,
        match=r"process_labels v0\.1\.1, config full: column weight \(float not null\) was added since v0\.1\.0\. "
        r"Columns change with a major number only: set process_labels = 1 in \[releases\.major\] of the settings",
    ):
        any_registry.publish(widened)
    assert any_registry.versions("process_labels") == ["v0.1.0"]


@pytest.mark.parametrize(("change", "complaint"), CHANGES)
def test_a_column_that_was_removed_or_retyped_is_refused(registry, draft, change, complaint):
    registry.publish(draft)
    with pytest.raises(ColumnsChanged, match=complaint):
        registry.publish(change(draft))


def test_a_named_version_of_the_same_major_number_is_refused_too(registry, draft, widened):
    registry.publish(draft)
    with pytest.raises(ColumnsChanged, match=r"process_labels v0\.9\.0"):
        registry.publish(widened, version="v0.9.0")
    assert registry.publish(widened, version="v1.0.0").version == "v1.0.0"


def test_a_major_number_that_is_asked_for_takes_the_new_columns_and_those_after_it_keep_them(registry, draft, widened):
    registry.publish(draft)
    assert registry.publish(replace(widened, major=1)).version == "v1.0.0"
    assert registry.publish(replace(widened, major=1)).is_new is False
    with pytest.raises(
        ColumnsChanged, match=r"v1\.0\.1, .* column weight \(float not null\) was removed since v1\.0\.0"
    ):
        registry.publish(replace(draft, major=1))


def test_a_correction_of_an_old_round_with_new_columns_is_sent_to_the_newest_major_number(
    registry, draft, widened, rows, facts
):
    registry.publish(draft)
    of_second = replace(widened, facts=labels_draft(rows, facts("second")).facts)
    registry.publish(replace(of_second, major=1))
    with pytest.raises(ColumnsChanged, match=r"v0\.1\.1, .* set process_labels = 1 "):
        registry.publish(widened)
    assert registry.publish(replace(widened, major=1)).version == "v1.1.0"


def test_reworded_meanings_and_a_config_that_comes_or_goes_are_no_change(registry, draft, rows):
    reworded = with_schema(
        draft, lambda columns: {name: replace(column, meaning="Another.") for name, column in columns.items()}
    )
    fewer = replace(draft, tables={"full": draft.tables["full"]})
    registry.publish(fewer)
    assert registry.publish(draft).version == "v0.1.1"
    changed = with_rows(reworded, "full", "train", lambda frame: frame.head(3))
    assert registry.publish(changed).version == "v0.1.2"


@pytest.fixture(scope="session")
def other(rows, facts):
    """The same problems in another dataset, with other shares."""

    def of(shares):
        draft = labels_draft(rows, facts(), shares=shares)
        return replace(draft, dataset="token_pairs")

    return of


def test_a_test_problem_that_another_dataset_trains_on_is_refused(any_registry, draft, other):
    any_registry.publish(other(SplitShares(test=0.0)))
    problems = sorted(set(draft.tables["full"].splits["test"]["problem_id"]))
    with pytest.raises(
        SplitsDisagree,
        match=rf"process_labels: {len(problems)} problems are in test here and in train of token_pairs v0\.1\.0: "
        rf"{', '.join(problems[:3])}.* publish with the split shares of the others",
    ):
        any_registry.publish(draft)
    assert any_registry.versions("process_labels") == []


def test_a_train_problem_that_another_dataset_tests_on_is_refused(registry, draft, other):
    registry.publish(draft)
    with pytest.raises(SplitsDisagree, match=r"in train here and in test of process_labels v0\.1\.0"):
        registry.publish(other(SplitShares(test=0.0)))


def test_datasets_that_are_split_by_one_law_stand_beside_each_other(any_registry, draft, other):
    any_registry.publish(draft)
    assert any_registry.publish(other(SplitShares())).version == "v0.1.0"


def test_only_the_last_version_of_another_dataset_counts(registry, draft, other):
    registry.publish(other(SplitShares(test=0.0)))
    registry.publish(other(SplitShares()))
    assert registry.publish(draft).version == "v0.1.0"
