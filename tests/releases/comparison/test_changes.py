"""What a version says of the one before it: rows, columns, settings, and that it is the same for the same past."""

from dataclasses import replace

import polars as pl
import pytest

from generators.process_labels.table import PROCESS_LABELS
from releases.comparison.changes import RowChanges, SettingChange, setting_changes
from releases.verification.verify import verify
from tests.releases.conftest import true_draft_of, true_solution
from tests.releases.registry.test_local import contents
from tests.releases.test_guards import weighted

COLUMNS = {name: column.dtype for name, column in PROCESS_LABELS.columns.items()}

SETTINGS = [
    ({"n": 4}, {"n": 4}, ()),
    ({"n": 4}, {"n": 8}, (("n", 4, 8),)),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, (("a.c", 2, None),)),
    ({}, {"a": {"b": [1, 2]}}, (("a.b", None, [1, 2]),)),
    ({"a": list(range(9))}, {"a": list(range(10))}, (("a", "9 items", "10 items"),)),
    ({"x": {"priors": {"rise": 0.1}}}, {"x": {"priors": {"rise": 0.2}}}, ()),
]


@pytest.mark.parametrize(("before", "after", "changes"), SETTINGS)
def test_settings_that_differ_are_told_by_their_dotted_name(before, after, changes):
    told = tuple(SettingChange(name=name, before=old, after=new) for name, old, new in changes)
    assert setting_changes(before, after) == told


@pytest.fixture
def corrected(true_rows, facts):
    """One problem less, one more, one that was right and is wrong now; and attempts that were drawn warmer."""
    wrong, new = (true_solution(number, is_right=False, by_belief=False) for number in (2, 40))
    kept = true_rows.filter(~pl.col("prompt").is_in(["What is 0 + 2?", "What is 2 + 2?"]))
    rows = pl.concat([kept, pl.DataFrame([wrong, new], schema=COLUMNS)])
    return true_draft_of(rows, facts(settings={"attempts": {"temperature": 0.9}}))


def test_the_card_counts_rows_and_names_settings_that_differ_from_the_version_before(
    any_registry, true_draft, corrected
):
    first = any_registry.publish(true_draft)
    assert "What changed" not in (first.path / "README.md").read_text()
    second = any_registry.publish(corrected)
    card = (second.path / "README.md").read_text()
    assert "## What changed since v0.1.0" in card
    assert "| full | 1 | 1 | 1 | 14 |" in card
    assert "| `attempts.temperature` | 0.7 | 0.9 |" in card
    changes = any_registry.manifest("process_labels", "v0.1.1").changes
    assert changes.since == "v0.1.0"
    assert changes.rows["full"] == RowChanges(added=1, removed=1, changed=1, same=14)
    assert changes.settings == (SettingChange(name="attempts.temperature", before=0.7, after=0.9),)
    assert verify(second.path).findings == ()


def test_a_correction_of_an_old_round_is_set_beside_that_rounds_last_version(
    registry, true_draft, true_rows, corrected, facts
):
    registry.publish(true_draft)
    registry.publish(true_draft_of(true_rows, facts("second")))
    registry.publish(corrected)
    assert registry.manifest("process_labels", "v0.2.0").changes.since == "v0.1.0"
    assert registry.manifest("process_labels", "v0.1.1").changes.since == "v0.1.0"


def test_another_round_is_a_setting_that_differs(registry, true_draft, true_rows, facts):
    registry.publish(true_draft)
    registry.publish(true_draft_of(true_rows, facts("second")))
    (change,) = registry.manifest("process_labels", "v0.2.0").changes.settings
    assert change == SettingChange(name="round", before="first", after="second")


def test_columns_of_a_new_major_number_are_named(registry, true_draft):
    registry.publish(true_draft)
    release = registry.publish(replace(weighted(true_draft), major=1))
    assert "- full: column weight (float not null) was added" in (release.path / "README.md").read_text()


def test_the_same_past_gives_the_same_bytes_and_publishing_again_changes_none(registry, store, true_draft, corrected):
    for one in (registry, store):
        for draft in (true_draft, corrected, corrected):
            one.publish(draft)
    here = contents(registry.root)
    assert here == {path: content for path, content in contents(store.root).items() if ".claims" not in path}
    assert not registry.publish(corrected).is_new
    assert contents(registry.root) == here
