"""Releases in blocks: whatever is in memory at a time, versions, findings and comparisons are the same."""

import gc
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters.answers.checker import AnswerChecker
from filters.widths import narrow
from generators import rows as of_rows
from generators.datasets import dataset_of
from generators.rows import Rows
from releases import problem_ranges, shard_blocks, spool
from releases.comparison.text import comparison
from releases.comparison.versions import diff
from releases.drafting import laid_out
from releases.registry.local import LocalRegistry
from releases.row_hashes import NUMBER, hashed, without
from releases.splits import SplitShares
from releases.spool import Scratch, Spool
from releases.verification import answers
from releases.verification.verify import verify
from releases.workers import workers
from tests.releases.conftest import TRUE_PARAMETERS, labels_draft, true_solution
from tests.releases.forgery import with_rows, with_value

LABELS = dataset_of("process_labels")
SHARES = SplitShares(test=0.3)
SLICES = ("sums-0", "sums-1", "sums-2")
PARAMETERS = replace(TRUE_PARAMETERS, priors=dict.fromkeys(SLICES, TRUE_PARAMETERS.priors["sums-0"]))


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of three rows."""
    for module in (of_rows, spool, shard_blocks):
        monkeypatch.setattr(module, "BLOCK_ROWS", 3)


@pytest.fixture(scope="session")
def sliced(true_rows):
    """The true rows in three slices; a judge agrees with all of one slice."""
    key = pl.lit("sums-") + (pl.int_range(pl.len()) % 3).cast(pl.String)
    rows = true_rows.with_columns(slice=key)
    is_judged = pl.col("slice") == "sums-1"
    return rows.with_columns(
        judge=pl.when(is_judged).then(pl.lit("judge")),
        judge_outcome=pl.when(is_judged).then(pl.lit("judged")).otherwise("judge_outcome"),
        judge_first_error=pl.when(is_judged)
        .then(pl.when(pl.col("verdict") == "equal").then(-1).otherwise(0))
        .cast(pl.Int64),
    )


def parted(rows):
    return [{"process_labels": rows.filter(pl.col("slice") == key)} for key in SLICES]


@pytest.mark.parametrize("ratio", [None, 1.0, 2.0])
def test_a_round_read_slice_by_slice_gives_the_version_that_it_gives_at_once(sliced, facts, small_blocks, ratio):
    parameters = replace(PARAMETERS, label_ratio=ratio)
    whole = labels_draft(sliced.sample(fraction=1.0, shuffle=True, seed=3), facts(), parameters, SHARES)
    by_slice = laid_out(LABELS, parted(sliced), parameters, SHARES).draft(facts())
    assert by_slice.content == whole.content
    assert by_slice.facts == whole.facts
    assert by_slice.label_counts == whole.label_counts
    assert "consensus" in by_slice.tables
    kept = {name: sum(table.rows.values()) for name, table in by_slice.tables.items()}
    reasons = {stage.name: (stage.kept, sum(stage.dropped.values())) for stage in by_slice.facts.stages[-4:]}
    assert all(n == kept.get(name.removeprefix("release: "), 0) for name, (n, _) in reasons.items())
    assert all(n + dropped == sliced.height for n, dropped in reasons.values())


def test_workers_give_the_version_that_one_process_gives(sliced, facts):
    here = laid_out(LABELS, parted(sliced), PARAMETERS, SHARES).draft(facts())
    with workers(2) as two:
        side_by_side = laid_out(LABELS, parted(sliced), PARAMETERS, SHARES, workers=two).draft(facts())
    assert side_by_side.content == here.content
    assert side_by_side.facts == here.facts


def test_the_content_of_a_version_is_the_digest_that_versions_before_it_have(sliced, facts, small_blocks):
    draft = labels_draft(sliced, facts(), PARAMETERS, SHARES)
    digest = sha256()
    for config, table in draft.tables.items():
        for split, rows in table.splits.items():
            columns = ", ".join(f"{name} {column.words}" for name, column in table.schema.columns.items())
            digest.update(f"{config}/{split}: {columns}\n".encode())
            digest.update(narrow(rows).write_ndjson().encode())
    assert draft.content == digest.hexdigest()


def test_a_version_is_the_same_and_verifies_whatever_the_size_of_a_block(sliced, facts, tmp_path, monkeypatch):
    contents = []
    for rows in (1, 3, 1000):
        for module in (of_rows, spool, shard_blocks):
            monkeypatch.setattr(module, "BLOCK_ROWS", rows)
        folder = (
            LocalRegistry(UPath(tmp_path / str(rows))).publish(labels_draft(sliced, facts(), PARAMETERS, SHARES)).path
        )
        assert verify(folder).findings == ()
        contents.append({path.name: path.read_bytes() for path in sorted((folder / "data").rglob("*.parquet"))})
    assert contents[0] == contents[1] == contents[2]


def test_a_fault_in_a_late_block_is_found_at_its_row(sliced, facts, registry, small_blocks):
    draft = labels_draft(sliced, facts(), PARAMETERS, SHARES)
    rows = draft.tables["full"].splits["train"]
    forged = with_value(draft, "full", "train", rows.height - 1, "verdict", "timeout")
    findings = verify(registry.publish(forged).path).findings
    assert {(one.file, one.row) for one in findings} == {("data/full/train-00000-of-00001.parquet", rows.height - 1)}


def test_a_key_that_comes_again_in_another_block_and_split_is_found(sliced, facts, registry, small_blocks):
    draft = labels_draft(sliced, facts(), PARAMETERS, SHARES)
    first = draft.tables["full"].splits["train"].head(1)
    forged = with_rows(draft, "full", "test", lambda rows: pl.concat([rows, first]))
    found = verify(registry.publish(forged).path).checks["rules"].findings
    assert [(one.file, one.row) for one in found] == [
        ("data/full/test-00000-of-00001.parquet", draft.tables["full"].rows["test"])
    ]
    assert "are those of data/full/train-00000-of-00001.parquet, row 0" in found[0].complaint


def test_rows_in_an_order_that_no_release_has_are_compared_all_the_same(sliced, facts, registry, small_blocks):
    draft = labels_draft(sliced, facts(), replace(PARAMETERS, label_ratio=1.0), SHARES)
    shuffled = with_rows(draft, "full", "train", lambda rows: rows.sample(fraction=1.0, shuffle=True, seed=5))
    assert verify(registry.publish(shuffled).path).findings == ()


def test_a_missing_and_an_unexpected_row_are_told_apart(sliced, facts, registry, small_blocks):
    draft = labels_draft(sliced, facts(), PARAMETERS, SHARES)
    fewer = with_rows(draft, "default", "train", lambda rows: rows.slice(1))
    more = with_rows(fewer, "truncated", "train", lambda rows: pl.concat([rows, rows.head(1)]))
    said = [finding.complaint for finding in verify(registry.publish(more).path).checks["labels"].findings]
    assert [complaint.split(" ")[-6:] for complaint in said] == [
        ["it", "follows", "from", "a", "row", "of", "full"][-6:],
        ["row", "follows", "from", "no", "row", "of", "full"][-6:],
    ]


ROW = st.tuples(st.sampled_from("ab"), st.integers(0, 2))


@settings(deadline=None)
@given(st.lists(ROW, max_size=12), st.lists(ROW, max_size=12))
def test_rows_that_are_left_by_their_hashes_are_those_that_are_left_by_counting(first, second):
    schema = {"text": pl.String, "n": pl.Int64}
    tables = [hashed(iter([pl.DataFrame(rows, schema=schema, orient="row")])) for rows in (first, second)]
    left = [first[number] for number in without(*tables)[NUMBER]]
    assert Counter(left) == Counter(first) - Counter(second)


def test_all_differences_are_counted_and_only_as_many_are_read_as_are_shown(sliced, facts, registry, small_blocks):
    draft = labels_draft(sliced, facts(), PARAMETERS, SHARES)
    first = registry.publish(draft).path
    others = pl.DataFrame(
        [true_solution(n, is_right=True, by_belief=False) for n in range(40, 45)], schema=sliced.schema
    )
    second = registry.publish(labels_draft(pl.concat([sliced[3:], others]), facts(), PARAMETERS, SHARES)).path
    found = diff(first, second, shown=2)
    full = found.configs[0]
    assert (full.n_added, full.n_removed, full.n_changed, full.n_same) == (5, 3, 0, sliced.height - 3)
    assert (len(full.added), len(full.removed)) == (2, 2)
    assert "full: added 3 more" in comparison(found, limit=2) and "full: removed 1 more" in comparison(found, limit=2)
    told = registry.manifest("process_labels", "v0.1.1").changes.rows["full"]
    assert (told.added, told.removed, told.changed, told.same) == (5, 3, 0, sliced.height - 3)


def test_a_long_row_group_is_read_in_pieces(tmp_path, monkeypatch):
    pq.write_table(pl.DataFrame({"text": ["x" * 500 + str(n) for n in range(100)]}).to_arrow(), tmp_path / "a.parquet")
    monkeypatch.setattr(shard_blocks, "BLOCK_BYTES", 6_000)
    blocks = list(shard_blocks.blocks_in(UPath(tmp_path), "a.parquet"))
    assert len(blocks) > 8 and sum(block.height for block in blocks) == 100


def test_small_pieces_share_a_file_and_the_folder_goes_with_the_last_reader(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(spool, "BLOCK_ROWS", 10)
    scratch = Scratch()
    spooled = Spool(scratch)
    for n in range(25):
        spooled.add(pl.DataFrame({"problem_id": [str(n)], "n": [n]}))
    rows = spooled.rows()
    assert [block.height for block in rows.blocks()] == [10, 10, 5]
    assert rows.only("n")["n"].to_list() == list(range(25))
    assert len(list(Path(tmp_path).glob("stepmill-rows-*/*"))) == 3
    del scratch, spooled
    gc.collect()
    assert rows.height == len(rows.only("n"))
    del rows
    gc.collect()
    assert list(Path(tmp_path).iterdir()) == []


class CountingChecker(AnswerChecker):
    """The checker, with every text that it is asked about."""

    asked: ClassVar[list[str]] = []

    async def check(self, response, gold, *, rule):
        self.asked.append(response)
        return await super().check(response, gold, rule=rule)


def test_a_text_that_several_rows_state_is_checked_once(true_rows, facts, registry, monkeypatch):
    copies = pl.concat([true_rows.with_columns(attempt_index=pl.lit(n, pl.Int64)) for n in range(3)])
    folder = registry.publish(labels_draft(copies, facts(), TRUE_PARAMETERS, SHARES)).path
    monkeypatch.setattr(answers, "AnswerChecker", CountingChecker)
    monkeypatch.setattr(CountingChecker, "asked", [])
    report = verify(folder)
    assert (report.findings, report.checks["answers"].n) == ((), copies.height)
    assert len(CountingChecker.asked) == true_rows.height


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 99)), min_size=1, max_size=40), st.integers(1, 9))
def test_the_parts_of_a_slice_have_each_problem_whole_and_follow_each_other(drawn, n_parts):
    rows = pl.DataFrame(drawn, schema={"problem_id": pl.String, "n": pl.Int64}, orient="row")
    others = rows.filter(pl.col("n") > 50)
    tables = {"rows": Rows.of(rows), "others": Rows.of(others)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problem_ranges, "PART_BYTES", max(1, int(rows.estimated_size()) // n_parts))
        parts = list(problem_ranges.in_ranges(tables))
    for name, whole in (("rows", rows), ("others", others)):
        order = ["problem_id", "n"]
        assert pl.concat([part[name].sort(order) for part in parts]).equals(whole.sort(order))
    problems = [set(part["rows"]["problem_id"]) | set(part["others"]["problem_id"]) for part in parts]
    assert sum(map(len, problems)) == rows["problem_id"].n_unique()
