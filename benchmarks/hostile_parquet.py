"""Parquet files that cost more than they look, or that lie: each as bytes."""

import random
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_MB = 1_000_000


def one_long_text() -> bytes:
    """A text of 80 MB of one letter, in some 3 kB."""
    return _written(pa.table({"prompt": pa.array(["a" * 80 * _MB], pa.large_string())}), use_dictionary=False)


def many_long_texts() -> bytes:
    """Texts of 5 MB of one letter each, 150 MB together, in row groups of their own."""
    return _written(pa.table({"prompt": ["a" * 5 * _MB] * 30}), use_dictionary=False, row_group_size=1)


def dictionary_of_one_text() -> bytes:
    """A text of 1 MB, and 50,000 rows that name it: 50 GB in about 1 kB, and its footer does not say so."""
    return _written(_named_texts(), store_schema=False)


def dictionary_that_stays() -> bytes:
    """The same, to be read as numbers of a dictionary."""
    return _written(_named_texts())


def _named_texts() -> pa.Table:
    indices = pa.array([0] * 50_000, pa.int32())
    texts = pa.DictionaryArray.from_arrays(indices, pa.array(["a" * _MB]))
    return pa.table({"prompt": texts})


def too_many_rows() -> bytes:
    """Two million rows of one number."""
    return _written(pa.table({"n": pa.array([0] * (2 * _MB), pa.int32())}))


def long_list() -> bytes:
    """One list of 60 million truths, all the same."""
    offsets = pa.array([0, 60 * _MB], pa.int32())
    truths = pa.Array.from_buffers(pa.bool_(), 60 * _MB, [None, pa.py_buffer(bytes(8 * _MB))])
    return _written(pa.table({"labels": pa.ListArray.from_arrays(offsets, truths)}))


def negative_rows() -> bytes:
    """A footer that says so of a negative number of rows."""
    content = _written(pa.table({"n": pa.array(range(8191), pa.int32())}))
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    footer = content[start:-8].replace(b"\xfe\x7f", b"\xfd\x7f")  # 8191 and -8191 as the format writes them
    return content[:start] + footer + content[-8:]


def deep_lists() -> bytes:
    """Lists in lists, forty deep."""
    value: Any = [1]
    for _ in range(39):
        value = [value]
    return _written(pa.table({"prompt": [value]}))


def many_columns() -> bytes:
    """Five thousand columns."""
    return _written(pa.table({f"c{number}": [1] for number in range(5_000)}))


def long_footer() -> bytes:
    """A footer of 8 MB, all of it a note."""
    return _written(pa.table({"n": [1]}).replace_schema_metadata({"note": "a" * 8 * _MB}))


def footer_that_lies() -> bytes:
    """A file that says to have a footer of 4 GB."""
    content = _written(pa.table({"n": [1]}))
    return content[:-8] + b"\xff\xff\xff\xff" + content[-4:]


def huge_text() -> bytes:
    """A text of 20 MB that does not pack well."""
    return _written(pa.table({"prompt": [random.Random(0).randbytes(10 * _MB).hex()]}), use_dictionary=False)


def cut(content: bytes) -> bytes:
    """The first half of a file, with its end."""
    return content[: len(content) // 2] + content[-8:]


def scrambled(content: bytes) -> bytes:
    """A file whose pages hold something else."""
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    return content[:4] + random.Random(0).randbytes(start - 4) + content[start:]


def scrambled_footer(content: bytes) -> bytes:
    """A file whose footer holds something else."""
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    return content[:start] + random.Random(0).randbytes(len(content) - 8 - start) + content[-8:]


def _written(table: pa.Table, **options: Any) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()
