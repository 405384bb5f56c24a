import gzip
import json
import tracemalloc

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from generators.problems.files import FileProblems
from generators.problems.rows import Unreadable, rows_in
from generators.problems.source import ColumnMapping
from generators.problems.span import Span
from generators.problems.streams import CHUNK, rows_of

ROWS = 10 * CHUNK
PIECES = st.sampled_from(
    [b'{"prompt": "a"}', b'{"p1": {"prompt": "b"}}', b"[1]", b"", b"\r", b"\xff", b"{broken", b"  "]
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("streams")


@settings(max_examples=150, deadline=None)
@given(
    lines=st.lists(PIECES, max_size=6),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf", "utf-16"]),
    suffix=st.sampled_from([".jsonl", ".jsonl.gz"]),
)
def test_a_stream_of_lines_has_the_rows_of_the_whole_file(folder, lines, mark, suffix):
    plain = b"\n".join(lines)
    content = plain.decode("latin-1").encode("utf-16") if mark == "utf-16" else mark + plain
    content = gzip.compress(content) if suffix == ".jsonl.gz" else content
    path = UPath(folder / f"problems{suffix}")
    path.write_bytes(content)
    assert list(rows_of(path, suffix)) == rows_in(content, suffix)


def wide_file(folder, suffix, n):
    rows = [{"prompt": f"{number} + 1?", "answer": str(number + 1), "solution": "so " * 1500} for number in range(n)]
    path = folder / f"{n}{suffix}"
    if suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path, compression="uncompressed", row_group_size=1000)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return FileProblems(name="wide", path=str(path))


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_columns_that_are_not_mapped_are_never_in_memory_all_at_once(tmp_path, suffix):
    source = wide_file(tmp_path, suffix, ROWS)
    tracemalloc.start()
    try:
        kept = source.candidates().kept
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert kept["answer"].to_list() == [str(number + 1) for number in range(ROWS)]
    assert peak < 0.3 * 4500 * ROWS


def test_a_file_is_read_no_further_than_its_span(tmp_path):
    packed = gzip.compress(b'{"prompt": "1+1?", "answer": "2"}\n' * 200_000, mtime=0)
    (tmp_path / "torn.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    torn = FileProblems(name="torn", path=str(tmp_path / "torn.jsonl.gz"), span=Span(offset=3, limit=2))
    assert torn.candidates().kept["origin"].to_list() == ["line 4", "line 5"]


def test_a_column_that_only_a_late_row_has_is_there(tmp_path):
    rows = [{"prompt": f"{number}?", "answer": "1"} for number in range(CHUNK + 1)]
    rows[-1]["level"] = "late"
    (tmp_path / "late.jsonl").write_text("\n".join(map(json.dumps, rows)))
    source = FileProblems(name="late", path=str(tmp_path / "late.jsonl"), columns=ColumnMapping(level="level"))
    assert source.candidates().kept["level"].drop_nulls().to_list() == ["late"]


def test_a_torn_file_is_unreadable_where_it_is_read_to_the_end(tmp_path):
    packed = gzip.compress(b'{"prompt": "1+1?"}\n' * 1000, mtime=0)
    path = UPath(tmp_path / "torn.jsonl.gz")
    path.write_bytes(packed[:-9])
    with pytest.raises(Unreadable):
        list(rows_of(path, ".jsonl.gz"))
