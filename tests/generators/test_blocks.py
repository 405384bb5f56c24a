import polars as pl
import pyarrow.parquet as pq
import pytest
from upath import UPath

from filters.schema import Column, Schema, SchemaError
from generators import blocks
from generators.blocks import BlockWriter, StoredTable, place, remove_leftovers, validate_blocks
from generators.columns import IDS
from generators.sampling.storage import StorageError
from generators.tokens import TokenIds

SOLUTIONS = Schema(
    name="solutions",
    columns={
        "problem_id": Column(pl.String, "The problem."),
        "index": Column(pl.Int64, "The solution."),
        "token_ids": Column(IDS, "Its tokens.", tokenwise=True),
        "note": Column(pl.String, "A remark.", nullable=True, added=True),
    },
    key=("problem_id", "index"),
    rules={"index: not_negative": pl.col("index") >= 0},
)


def rows(problem, n, tokens=5):
    return [
        {"problem_id": problem, "index": index, "token_ids": TokenIds(range(tokens)), "note": None}
        for index in range(n)
    ]


@pytest.fixture
def path(tmp_path):
    return UPath(tmp_path / "solutions.parquet")


def written(path, *problems, block=20, schema=SOLUTIONS):
    writer = BlockWriter(schema, path, block=block)
    for problem in problems:
        writer.add(rows(*problem))
    table = writer.table()
    place(table, path)
    return table


def test_a_table_comes_back_as_it_was_added_and_a_block_holds_whole_problems(path):
    table = written(path, ("a", 3), ("b", 1), ("c", 4), ("d", 0), ("e", 2))
    expected = SOLUTIONS.frame([*rows("a", 3), *rows("b", 1), *rows("c", 4), *rows("e", 2)])
    assert pl.read_parquet(path.path).equals(expected)
    assert [sorted(set(block["problem_id"])) for block in table.blocks()] == [["a"], ["b"], ["c"], ["e"]]
    assert pq.ParquetFile(path.path).metadata.num_row_groups == 3
    assert pl.concat(table.blocks(["problem_id", "index"])).equals(expected.select("problem_id", "index"))
    assert table.rows(2, 6).equals(expected[2:6])
    assert (table.height, table.rows(9, 12).height, table.rows(20, 30).height) == (10, 1, 0)
    assert table.spread(3, ["index"])["index"].to_list() == [0, 0, 2]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_block_that_is_too_large_is_read_in_pieces_and_no_problem_is_torn_apart(path, monkeypatch):
    table = written(path, ("a", 3), ("b", 4), block=1000)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 2)
    assert [piece.height for piece in table.pieces(["index"])] == [2, 2, 2, 1]
    assert [block["problem_id"].to_list() for block in table.blocks(["problem_id"])] == [["a"] * 3, ["b"] * 4]


def test_a_table_without_rows_has_its_columns(path):
    table = written(path)
    assert pl.read_parquet(path.path).equals(SOLUTIONS.empty())
    (block,) = table.blocks()
    assert block.equals(SOLUTIONS.empty())
    assert table.spread(3, ["index"]).is_empty()


def test_a_run_that_was_killed_leaves_nothing_once_the_slice_is_made_again(path):
    killed = BlockWriter(SOLUTIONS, path, block=1)
    killed.add(rows("a", 1))
    other = BlockWriter(SOLUTIONS, path.with_name("other.parquet"), block=1)
    other.add(rows("a", 1))
    remove_leftovers(path)
    assert [file.name for file in path.parent.iterdir()] == [other.file.name]
    other.discard()
    killed.discard()
    assert list(path.parent.iterdir()) == []


def test_every_block_obeys_the_rules_and_a_problem_is_in_one_of_them(path):
    writer = BlockWriter(SOLUTIONS, path, block=1)
    with pytest.raises(SchemaError, match="index: not_negative"):
        writer.add([rows("a", 1)[0] | {"index": -1}])
    writer = BlockWriter(SOLUTIONS, path, block=1)
    writer.add(rows("a", 1))
    with pytest.raises(SchemaError, match="the rows of a problem must be added together"):
        writer.add(rows("a", 1))


@pytest.mark.parametrize("group", [1, 2, 10])
def test_a_key_that_occurs_twice_is_found_however_far_apart(path, group):
    sound = SOLUTIONS.frame([*rows("a", 2), *rows("b", 2)])[[0, 2, 1, 3]]
    sound.write_parquet(path.path, row_group_size=group)
    validate_blocks(StoredTable(path, SOLUTIONS))
    pl.concat([sound, sound.head(1)]).write_parquet(path.path, row_group_size=group)
    with pytest.raises(SchemaError, match=r"problem_id, index: unique_key"):
        validate_blocks(StoredTable(path, SOLUTIONS))


def test_a_table_of_an_older_stepmill_is_read_with_ids_of_32_bits_and_what_it_lacks(path):
    old = SOLUTIONS.frame(rows("a", 2)).drop("note").cast({"token_ids": pl.List(pl.Int64)})
    old.write_parquet(path.path)
    table = StoredTable(path, SOLUTIONS)
    expected = SOLUTIONS.frame(rows("a", 2))
    assert pl.concat(table.blocks()).equals(expected)
    assert table.frame(["note", "token_ids"]).equals(expected.select("note", "token_ids"))
    assert SOLUTIONS.validate(SOLUTIONS.completed(old)).equals(expected)


def test_a_table_is_uploaded_where_the_data_root_is_an_object_store():
    path = UPath("memory://bucket/tables/solutions.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    table = written(path, ("a", 2), ("b", 2))
    assert table.frame().equals(SOLUTIONS.frame([*rows("a", 2), *rows("b", 2)]))
    assert table.rows(1, 3)["problem_id"].to_list() == ["a", "b"]


def test_runs_of_two_rounds_of_an_object_store_do_not_touch_each_others_files():
    one, other = (UPath(f"memory://bucket/{round_key}/solutions.parquet") for round_key in ("r1", "r2"))
    first = BlockWriter(SOLUTIONS, one, block=1)
    first.add(rows("a", 1))
    remove_leftovers(other)
    second = BlockWriter(SOLUTIONS, other, block=1)
    second.add(rows("b", 1))
    second.discard()
    assert first.file.stat().st_mode & 0o077 == 0
    assert first.table().height == 1
    first.discard()


def test_a_missing_or_damaged_table_is_named_with_a_remedy(path):
    with pytest.raises(StorageError, match="does not exist: materialise the asset"):
        StoredTable(path, SOLUTIONS).frame()
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(StorageError, match="cannot be read as Parquet"):
        list(StoredTable(path, SOLUTIONS).blocks())
