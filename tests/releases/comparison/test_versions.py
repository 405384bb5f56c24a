"""Two versions side by side: rows by key, labels, lengths, columns."""

from dataclasses import replace

import polars as pl
import pytest

from generators.process_labels.table import PROCESS_LABELS
from releases.comparison.text import comparison
from releases.comparison.versions import diff
from releases.errors import ColumnsChanged, DamagedRelease, UnknownRelease
from releases.verification.opened import open_release
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
    full, *_ = diff(first, second).configs
    ids = {n: true_solution(n, is_right=True, by_belief=False)["problem_id"] for n in (0, 2, 40)}
    assert (full.config, full.key) == ("full", ("problem_id", "attempt_index", "strategy"))
    assert full.removed == ((ids[0], 0, "sequential_test"),)
    assert full.added == ((ids[40], 0, "exhaustive"),)
    assert [row.key for row in full.changed] == [(ids[2], 0, "exhaustive")]
    assert {"steps", "extracted", "verdict", "n_correct", "hard_labels"} < set(full.changed[0].columns)
    assert "prompt" not in full.changed[0].columns
    assert full.n_same == 14


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
    full, *_ = diff(first, registry.publish(replace(widened, major=1)).path).configs
    assert [str(change) for change in full.columns] == ["column weight (float not null) was added"]
    assert (full.is_equal, full.n_same, full.changed) == (False, 16, ())


@pytest.fixture
def named_as_before(registry, true_draft):
    """A version of the time when `full` was called `default`, and `default` was called `stepwise`."""
    tables = {"default": true_draft.tables["full"], "stepwise": true_draft.tables["default"]}
    return registry.publish(replace(true_draft, tables=tables)).path


def test_configs_of_other_names_are_compared_and_said_to_be_missing(registry, true_draft, named_as_before):
    with pytest.raises(ColumnsChanged, match=r"config default: column problem_id .* set process_labels = 1 in"):
        registry.publish(true_draft)
    later = registry.publish(replace(true_draft, major=1)).path
    found = diff(named_as_before, later)
    counted = {one.config: (len(one.added), len(one.removed)) for one in found.configs}
    assert counted == {"full": (16, 0), "default": (0, 0), "truncated": (16, 0), "stepwise": (0, 16)}
    told = comparison(found, limit=0)
    assert "full: v0.1.0 has no such config\n" in told and "stepwise: v1.0.0 has no such config\n" in told
    assert "default: column problem_id (string not null) was removed\n" in told
    assert (
        "- config full was added\n- config truncated was added\n- config stepwise was removed\n"
        in (later / "README.md").read_text()
    )


def test_rows_of_a_version_with_other_columns_are_refused_with_the_column(named_as_before):
    with pytest.raises(DamagedRelease, match=r"\(data/default/.*column .*: it is missing.* load it with `datasets` if"):
        open_release(named_as_before).existing_rows("default")


def test_what_cannot_be_compared_is_refused(first, second, tmp_path):
    (second / "data" / "full" / "train-00000-of-00001.parquet").write_bytes(b"")
    with pytest.raises(DamagedRelease, match="cannot be read, verify the version"):
        diff(first, second)
    with pytest.raises(UnknownRelease, match=r"only versions of one dataset .* got process_labels and poems"):
        diff(first, with_manifest(second, lambda told: told.update(dataset="poems")))
