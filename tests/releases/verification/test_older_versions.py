"""Versions that an older stepmill wrote without the columns and fields that were added since."""

from dataclasses import replace

import polars as pl
import pytest
from upath import UPath

from filters.answers.verdicts import AnswerRule
from generators.attempts.dataset import DATASET as ATTEMPTS_DATASET
from generators.problems.dataset import DATASET as PROBLEMS_DATASET
from releases.registry.local import LocalRegistry
from releases.verification.opened import open_release
from releases.verification.verify import verify
from tests.releases import test_attempts, test_problems
from tests.releases.conftest import true_draft_of
from tests.releases.forgery import alone, with_manifest

RULE_OF_OLD = ("bare_last_number", "percent", "units", "lists")


def without(dtype, added):
    """The type without the fields that were added."""
    if not isinstance(dtype, pl.Struct):
        return dtype
    return pl.Struct({field.name: without(field.dtype, added) for field in dtype.fields if field.name not in added})


def as_before(draft):
    """The draft as an older stepmill would have written it."""
    return replace(draft, tables={name: _table_as_before(table) for name, table in draft.tables.items()})


def _table_as_before(table):
    columns = table.schema.columns
    types = {
        name: without(column.dtype, dict(column.added_fields)) for name, column in columns.items() if not column.added
    }
    schema = replace(table.schema.as_written(types), rules={})
    splits = {}
    for split, rows in table.splits.items():
        kept = rows.select(list(types)).to_dicts()
        splits[split] = pl.DataFrame(kept, schema=types)
    return replace(table, schema=schema, splits=splits)


def as_manifest_before(data):
    for source in data["facts"]["sources"]:
        source["answer_rule"] = {name: source["answer_rule"][name] for name in RULE_OF_OLD}
    export = data["facts"]["settings"]["export"]
    export.pop("no_answer", None)
    for notes in export.get("sources", {}).values():
        notes["answer_rule"] = {name: notes["answer_rule"][name] for name in RULE_OF_OLD}


@pytest.fixture
def published(registry, tmp_path):
    def publish(draft):
        folder = alone(registry.publish(as_before(draft)).path, UPath(tmp_path / "alone"))
        return with_manifest(folder, as_manifest_before)

    return publish


def test_labels_of_an_older_stepmill_verify_and_read_as_without_what_was_added(published, true_rows, facts):
    folder = published(true_draft_of(true_rows, facts()))
    assert verify(folder).findings == ()
    rows = open_release(folder).rows("full")
    assert rows["found_by"].null_count() == rows["n_no_answer"].null_count() == rows.height
    assert rows["also_accepted"].to_list() == [[]] * rows.height


def test_attempts_of_an_older_stepmill_verify(published, facts):
    attempts = [test_attempts.attempt(1, index, says=says) for index, says in enumerate(["equal", "no_answer"])]
    folder = published(test_attempts.draft_of(facts(), *attempts))
    assert verify(folder).findings == ()
    assert open_release(folder).existing_rows("full").columns == list(ATTEMPTS_DATASET.main.schema.columns)


def test_the_rules_in_problems_of_an_older_stepmill_read_with_their_defaults(published, facts):
    folder = published(test_problems.draft_of(facts()))
    assert verify(folder).findings == ()
    opened = open_release(folder)
    assert opened.rows("full")["answer_rule"].to_list() == [test_problems.RULE] * 4
    assert [info["also_accepted"] for info in opened.rows("default")["extra_info"]] == [[]] * 4
    assert PROBLEMS_DATASET.main.schema.validate(opened.rows("full")).height == 4
    assert test_problems.RULE.keys() - set(RULE_OF_OLD) == {
        name for name in AnswerRule.__slots__ if name not in RULE_OF_OLD
    }


def test_a_changed_value_in_an_older_version_is_found(published, true_rows, facts):
    draft = true_draft_of(true_rows, facts())
    rows = draft.tables["full"].splits["train"]
    wrong = rows.with_columns(extracted=pl.lit("8"))
    changed = replace(draft.tables["full"], splits={**draft.tables["full"].splits, "train": wrong})
    folder = published(replace(draft, tables={**draft.tables, "full": changed}))
    assert {finding.column for finding in verify(folder).findings} >= {"extracted"}


def test_a_version_that_lacks_any_other_column_is_damaged(registry: LocalRegistry, true_rows, facts):
    draft = true_draft_of(true_rows, facts())
    full = draft.tables["full"]
    columns = {name: column for name, column in full.schema.columns.items() if name != "verdict"}
    splits = {split: rows.drop("verdict") for split, rows in full.splits.items()}
    lacking = replace(full, schema=replace(full.schema, columns=columns, rules={}), splits=splits)
    folder = registry.publish(replace(draft, tables={**draft.tables, "full": lacking})).path
    complaints = {finding.column: finding.complaint for finding in verify(folder).findings}
    assert complaints["verdict"].startswith("it is missing; process_labels/full has it as string")
