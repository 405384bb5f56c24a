"""Two versions side by side: rows by key, labels, lengths, columns."""

from dataclasses import replace

import polars as pl
import pytest

from generators.process_labels.table import PROCESS_LABELS
from releases.comparison.versions import diff
from releases.errors import DamagedRelease, UnknownRelease
from tests.releases.conftest import true_draft_of, true_solution
from tests.releases.forgery import with_manifest
from tests.releases.test_guards import weighted

COLUMNS = {name: column.dtype for name, column in PROCESS_LABELS.columns.items()}


@pytest.fixture
def publish(registry, facts):
    def version(rows):
        return registry.publish(true_draft_of(rows, facts())).path

    return version


@pytest.fixture
def first(publish, true_rows):
    return publish(true_rows)


@pytest.fixture
def second(publish, first, true_rows):
    """One problem less, one more, and one that was right and is wrong now."""
    wrong, new = (true_solution(number, is_right=False, by_belief=False) for number in (2, 40))
    changed = pl.DataFrame([wrong, new], schema=COLUMNS)
    kept = true_rows.filter(~pl.col("prompt").is_in(["What is 0 + 2?", "What is 2 + 2?"]))
    return publish(pl.concat([kept, changed]))


def test_rows_are_told_apart_by_their_key(first, second, true_rows):
    default, *_ = diff(first, second).configs
    ids = {n: true_solution(n, is_right=True, by_belief=False)["problem_id"] for n in (0, 2, 40)}
    assert (default.config, default.key) == ("default", ("problem_id", "attempt_index", "strategy"))
    assert default.removed == ((ids[0], 0, "sequential_test"),)
    assert default.added == ((ids[40], 0, "exhaustive"),)
    assert [row.key for row in default.changed] == [(ids[2], 0, "exhaustive")]
    assert {"steps", "extracted", "verdict", "n_correct", "hard_labels"} < set(default.changed[0].columns)
    assert "prompt" not in default.changed[0].columns
    assert default.n_same == 14


def test_rows_without_a_key_are_compared_whole(first, second):
    _, stepwise, _ = diff(first, second).configs
    assert (stepwise.key, len(stepwise.added), len(stepwise.removed), stepwise.changed) == ((), 2, 2, ())
    assert {row[0] for row in stepwise.removed} == {"What is 0 + 2?", "What is 2 + 2?"}


def test_labels_and_lengths_stand_side_by_side(first, second):
    labels, steps, tokens = diff(first, second).distributions
    assert (labels.name, steps.name, tokens.name) == ("labels", "steps per row", "token_ids per row")
    assert sum(labels.first.values()) == sum(labels.second.values()) == 32
    assert labels.second["wrong"] > labels.first["wrong"]
    assert steps.first == steps.second == {
        "mean": 2.0, "shortest": 2, "10 %": 2, "median": 2, "90 %": 2, "longest": 2
    }  # fmt: skip


def test_a_version_is_equal_to_itself(first):
    assert diff(first, first).is_equal


def test_versions_of_two_major_numbers_are_compared_in_the_columns_that_they_share(registry, true_draft, first):
    widened = weighted(true_draft)
    default, *_ = diff(first, registry.publish(replace(widened, major=1)).path).configs
    assert [str(change) for change in default.columns] == ["column weight (float not null) was added"]
    assert (default.is_equal, default.n_same, default.changed) == (False, 16, ())


def test_what_cannot_be_compared_is_refused(first, second, tmp_path):
    (second / "data" / "default" / "train-00000-of-00001.parquet").write_bytes(b"")
    with pytest.raises(DamagedRelease, match="cannot be read, verify the version"):
        diff(first, second)
    with pytest.raises(UnknownRelease, match=r"only versions of one dataset .* got process_labels and poems"):
        diff(first, with_manifest(second, lambda told: told.update(dataset="poems")))
