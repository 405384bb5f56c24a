"""The files of a release: pages and row groups, types, shards, row order, and versions that an older stepmill wrote."""

import json
from dataclasses import replace
from functools import partial
from io import BytesIO
from random import Random

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, load_dataset
from datasets import config as of_datasets
from datasets.utils.py_utils import convert_file_size_to_int
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters import widths
from filters.schema import Column, Schema, SchemaError
from filters.widths import short
from generators.datasets import DATASETS
from generators.process_labels.dataset import DATASET as LABELS
from generators.rows import Rows
from releases import parquet
from releases.comparison.versions import diff
from releases.drafting import drafted
from releases.errors import ColumnsChanged
from releases.measuring import ordered
from releases.parquet import CHUNKING, CHUNKING_KEY, Bounds, arrow_schema, shards
from releases.recomputation import close, corrected, differences
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from tests.releases.conftest import TRUE_PARAMETERS, true_draft_of
from tests.releases.forgery import with_value

TEXTS = Schema(
    name="texts",
    columns={"text": Column(pl.String, "A text."), "ids": Column(pl.List(pl.Int64), "Its numbers.")},
)
CONFIGS = [pytest.param(config, id=config.schema.name) for dataset in DATASETS for config in dataset.configs]


def texts(*lengths):
    rows = {"text": ["x" * length for length in lengths], "ids": [[length] for length in lengths]}
    return pl.DataFrame(rows, schema={"text": pl.String, "ids": pl.List(pl.Int64)})


def written(frame, **bounds):
    files = shards(Rows.of(frame), TEXTS, split="train", bounds=Bounds(**bounds))
    return [pq.ParquetFile(BytesIO(content)) for _, content in files]


def leaves(dtype):
    if pa.types.is_list(dtype):
        return leaves(dtype.value_type)
    return [leaf for field in dtype for leaf in leaves(field.type)] if pa.types.is_struct(dtype) else [dtype]


@pytest.fixture
def older(monkeypatch):
    """Publish as an older stepmill did, with 64-bit numbers that nothing rounded."""

    def publish(registry, draft_of, *changes):
        with monkeypatch.context() as before:
            before.setattr(widths, "_NARROW", {pl.UInt32: pl.Int64})
            draft = draft_of()
            for change in changes:
                draft = change(draft)
            return registry.publish(draft).path

    return publish


@pytest.fixture
def true_release(registry, true_draft):
    return registry.publish(true_draft).path


def test_files_are_written_as_datasets_writes_its_own():
    assert of_datasets.DEFAULT_CDC_OPTIONS == CHUNKING
    assert convert_file_size_to_int(of_datasets.MAX_ROW_GROUP_SIZE) == Bounds().group_bytes
    assert convert_file_size_to_int(of_datasets.MAX_SHARD_SIZE) == Bounds().shard_bytes
    own = BytesIO()
    Dataset.from_dict({"text": ["a"]}).to_parquet(own)
    (file,) = written(texts(1, 2))
    theirs = pq.ParquetFile(own).metadata.metadata[CHUNKING_KEY.encode()]
    assert json.loads(file.metadata.metadata[CHUNKING_KEY.encode()]) == json.loads(theirs)


def test_every_column_has_a_page_index_and_no_dictionary(true_release):
    for path in (true_release / "data").rglob("*.parquet"):
        metadata = pq.read_metadata(path.path)
        for group in range(metadata.num_row_groups):
            for number in range(metadata.num_columns):
                column = metadata.row_group(group).column(number)
                assert column.has_offset_index and column.has_column_index and not column.has_dictionary_page


def test_a_new_row_in_front_changes_the_pages_around_it_only():
    random = Random(0)
    lines = [
        " ".join(random.choices(["so", "the", "sum", "is", "12", "7"], k=random.randrange(3, 30)))
        for _ in range(49_000)
    ]
    rows = pl.DataFrame({"text": lines, "ids": [[0]] * len(lines)}, schema=texts().schema)
    both = (rows, pl.concat([texts(900), rows]))
    ours = [content for frame in both for _, content in shards(Rows.of(frame), TEXTS, split="train")]
    assert shared(*ours) > 0.7
    plain = [BytesIO(), BytesIO()]
    for target, frame in zip(plain, both, strict=True):
        pq.write_table(frame.to_arrow(), target, compression="zstd")
    assert shared(*(target.getvalue() for target in plain)) < 0.1


def shared(first, second, size=4096):
    """The share of the first content's blocks that are somewhere in the second."""
    blocks = [first[start : start + size] for start in range(0, len(first) - size, size)]
    return sum(block in second for block in blocks) / len(blocks)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_release_has_no_64_bit_number(config):
    types = {leaf for field in arrow_schema(config.schema) for leaf in leaves(field.type)}
    assert types <= {pa.string(), pa.bool_(), pa.int32(), pa.float32()}
    assert not any("64" in column.words for column in config.schema.columns.values())


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.integers(1, 600), st.integers(1, 9))
def test_shards_and_row_groups_keep_their_bounds_and_the_order_of_the_rows(lengths, most, rows):
    files = written(texts(*lengths), shard_rows=rows, shard_bytes=2 * most, group_bytes=most)
    assert [length for file in files for length in file.read()["text"].to_pylist()] == ["x" * n for n in lengths]
    for file in files:
        assert file.metadata.num_rows <= rows
        assert file.metadata.num_rows == 1 or file.read().combine_chunks().nbytes <= 2 * most
        for group in range(file.metadata.num_row_groups):
            part = file.read_row_group(group).combine_chunks()
            assert part.num_rows == 1 or part.nbytes <= most


def test_an_integer_beyond_32_bits_is_refused_by_name():
    schema = Schema(name="counts", columns={"n": Column(pl.Int64, "A count.")})
    assert schema.rounded(pl.DataFrame({"n": [2**31 - 1]}))["n"].to_list() == [2**31 - 1]
    with pytest.raises(SchemaError, match=r"counts has an integer beyond 32 bits, which a release cannot hold: .* 'n'"):
        schema.rounded(pl.DataFrame({"n": [2**31]}))


def test_a_draft_holds_numbers_as_its_files_do(true_draft, true_release):
    for config, table in true_draft.tables.items():
        for split, frame in table.splits.items():
            (path,) = (true_release / "data" / config).glob(f"{split}-*.parquet")
            assert widths.wide(pl.read_parquet(path.path)).equals(frame)


@pytest.mark.parametrize(
    ("left", "right", "is_close"),
    [
        (0.1, 0.10000000149011612, True),  # rounded to 32 bits
        (12345.678, 12345.677734375, True),
        (0.1, 0.10001, False),
        (12345.678, 12345.7, False),
        (1, 2, False),
        ([0.1, None], [0.10000000149011612, None], True),
        ([0.1], [0.1, 0.1], False),
        ({"margin": 0.1}, {"margin": 0.10000000149011612}, True),
        ({"margin": 0.1}, {"margin": 0.2}, False),
        ({"margin": 0.1}, {"gap": 0.1}, False),
        (None, 0.0, False),
    ],
)
def test_a_value_may_differ_by_its_rounding_and_no_more(left, right, is_close):
    assert close(left, right) is is_close


def test_a_recomputed_value_replaces_one_that_differs_and_no_other():
    rows = pl.DataFrame({"n": [1, 2], "share": [0.10000000149011612, 0.7]})
    right = corrected(rows, list(differences(rows, pl.DataFrame({"share": [0.1, 0.2]}))))
    assert right.to_dict(as_series=False) == {"n": [1, 2], "share": [0.10000000149011612, 0.2]}


def test_floats_are_printed_with_the_digits_that_32_bits_hold():
    value = {"share": [0.10000000149011612, None], "n": 3}
    assert short(value) == {"share": [0.1, None], "n": 3}


@pytest.mark.parametrize("change", [1e-4, -1e-4])
def test_a_forged_float_is_found_and_its_rounding_is_not(registry, true_draft, true_release, change):
    assert verify(true_release).findings == ()
    labels = true_draft.tables["full"].splits["train"]["soft_labels"].to_list()
    row, soft = next((n, soft) for n, soft in enumerate(labels) if 0 < soft[0] < 1)
    forged = with_value(true_draft, "full", "train", row, "soft_labels", [soft[0] + change, *soft[1:]])
    (finding, *_) = verify(registry.publish(forged).path).findings
    assert (finding.row, finding.column) == (row, "soft_labels")
    assert finding.complaint.startswith(f"item 0 is {short(soft[0] + change)!r}, it must be {short(soft[0])!r}")


def test_a_version_with_64_bit_numbers_still_verifies_and_its_forgeries_are_found(older, true_rows, facts, tmp_path):
    def draft_of():
        return true_draft_of(true_rows, facts())

    good = older(LocalRegistry(UPath(tmp_path / "good")), draft_of)
    columns = pq.read_schema((good / "data/full/train-00000-of-00001.parquet").path)
    assert columns.field("n_attempts").type == pa.int64()
    assert verify(good).findings == ()
    forged = older(
        LocalRegistry(UPath(tmp_path / "forged")),
        draft_of,
        lambda draft: with_value(draft, "full", "train", 0, "first_error", 1),
        lambda draft: with_value(draft, "default", "train", 0, "labels", [0, 0]),
    )
    assert {finding.file.split("/")[1] for finding in verify(forged).findings} >= {"full", "default"}


def test_versions_of_both_widths_differ_in_the_types_of_columns_only(older, true_rows, true_draft, facts, tmp_path):
    registry = LocalRegistry(UPath(tmp_path / "releases"))
    old = older(registry, lambda: true_draft_of(true_rows, facts()))
    with pytest.raises(ColumnsChanged, match=r"n_attempts was int64 not null and is int32 not null, .* major number"):
        registry.publish(true_draft)
    new = registry.publish(replace(true_draft, major=1))
    assert new.version == "v1.0.0"
    for config in diff(old, new.path).configs:
        assert (config.added, config.removed, config.changed) == ((), (), ())
    changed = registry.manifest("process_labels", "v1.0.0").changes
    assert all((rows.added, rows.removed, rows.changed) == (0, 0, 0) for rows in changed.rows.values())
    assert "full: column soft_labels was list<element: double> not null and is list<element: float> not null" in (
        changed.columns
    )


def test_a_file_with_other_widths_than_the_rest_is_a_finding(true_release):
    path = (true_release / "data/full/test-00000-of-00001.parquet").path
    table = pq.read_table(path)
    columns = arrow_schema(next(c.schema for c in LABELS.configs if c.name == "full"), is_wide=True)
    pq.write_table(table.cast(columns), path)
    complaints = {finding.column: finding.complaint for finding in verify(true_release).findings}
    assert complaints["n_attempts"] == "it is int64 not null; process_labels/full has it as int32 not null"


def test_a_version_in_many_shards_verifies_and_lacks_nothing(registry, true_draft, monkeypatch):
    monkeypatch.setattr(parquet, "Bounds", partial(Bounds, shard_rows=3))
    folder = registry.publish(true_draft).path
    names = sorted(path.name for path in (folder / "data/full").glob("train-*"))
    assert len(names) > 2 and names[0] == f"train-00000-of-{len(names):05d}.parquet"
    report = verify(folder)
    assert report.findings == ()
    (folder / "data/full" / names[1]).unlink()
    assert f"data/full/{names[1]}: it is missing" in str(verify(folder).findings[0])


def test_every_config_streams_with_the_types_of_its_card(true_draft, true_release, tmp_path, monkeypatch):
    monkeypatch.chdir(true_release.parent.parent.path)
    for config, table in true_draft.tables.items():
        for split, frame in table.splits.items():
            rows = load_dataset(
                "process_labels/v0.1.0", config, split=split, streaming=True, cache_dir=str(tmp_path / "cache")
            )
            assert rows.features.arrow_schema.types == [
                field.type if not pa.types.is_list(field.type) else pa.list_(field.type.value_type)
                for field in arrow_schema(table.schema)
            ]
            assert list(rows) == frame.to_dicts()


@settings(deadline=None)
@given(st.sets(st.integers(0, 15), min_size=1), st.randoms(use_true_random=False))
def test_rows_of_two_versions_stand_in_the_same_order(true_rows, facts, kept, random):
    sliced = true_rows.with_columns(slice=pl.lit("sums-") + (pl.int_range(pl.len()) % 3).cast(pl.String))
    order = random.sample(sorted(kept), len(kept))
    part, whole = ordered(sliced[order], LABELS.main.schema.key), ordered(sliced, LABELS.main.schema.key)
    assert whole.filter(pl.col("problem_id").is_in(part["problem_id"].implode())).equals(part)


def test_a_slice_made_again_changes_rows_in_one_place(true_rows, facts):
    sliced = true_rows.with_columns(slice=pl.lit("sums-") + (pl.int_range(pl.len()) % 3).cast(pl.String))
    parameters = replace(TRUE_PARAMETERS, priors={f"sums-{n}": TRUE_PARAMETERS.priors["sums-0"] for n in range(3)})
    again = sliced.with_columns(
        round=pl.when(pl.col("slice") == "sums-1").then(pl.lit("second")).otherwise(pl.col("round"))
    )
    before, after = (
        drafted(LABELS, {"process_labels": rows}, facts(), parameters).tables["full"].splits["train"]
        for rows in (sliced, again)
    )
    changed = [number for number, (a, b) in enumerate(zip(before.rows(), after.rows(), strict=True)) if a != b]
    assert changed == list(range(changed[0], changed[-1] + 1)) and len(changed) < before.height
