"""A program that reads Parquet files of others within bounds of memory and time, and says whether they are sound.

What a file unpacks to is not known before it is unpacked: a page of a few bytes may hold a text of a gigabyte. So the
first reading is done here, in a process that may fail. It runs by itself, over a socket whose number is its argument: a
request is a line of JSON with the open file, the answer a line of JSON. It ends when the other side is gone.
"""

import json
import mmap
import os
import resource
import socket
import sys
from typing import Any

os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # others set memory aside, which would count as used

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

_MARK = b"PAR1"
_BATCH_BYTES = 8_000_000
_BATCH_ROWS = 10_000
_THRIFT_ITEMS = 1_000_000
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
_KINDS = (pa.types.is_struct, pa.types.is_list, pa.types.is_large_list, pa.types.is_null)

Bounds = dict[str, int]


class Refused(Exception):
    """A bound is passed: the field, what it may be, and the value."""


def serve(descriptor: int) -> None:
    """Answer requests until the other side closes, or memory has run out."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=descriptor) as line:
        while True:
            request, files, _, _ = socket.recv_fds(line, 1 << 16, 1)
            if not request:
                return
            answer = _answer(files[0], json.loads(request))
            line.sendall(json.dumps(answer).encode() + b"\n")
            if answer["outcome"] == "refused":
                return


def _answer(file: int, bounds: Bounds) -> dict[str, Any]:
    size = os.fstat(file).st_size
    _limit(bounds["reader_bytes"], bounds["reader_seconds"] + size // bounds["reader_rate"])
    try:
        content = pa.py_buffer(mmap.mmap(file, size, access=mmap.ACCESS_READ) if size else b"")
        _require_sound(content, bounds)
    except Refused as refused:
        return {"outcome": "refused", "why": refused.args}
    except MemoryError:
        most = bounds["reader_bytes"]
        return {
            "outcome": "refused",
            "why": ("its unpacked size in bytes at one time", f"it is at most {most}", "more"),
        }
    except (pa.ArrowException, OSError, ValueError, OverflowError) as bad:
        return {"outcome": "unreadable", "why": str(bad)[:500]}
    finally:
        os.close(file)
    return {"outcome": "sound"}


def _limit(more_bytes: int, more_seconds: int) -> None:
    """Bound this process to so much more memory and time of the processor than it has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + more_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
    if os.path.exists("/proc/self/statm"):
        with open("/proc/self/statm", encoding="ascii") as statm:
            pages = int(statm.read().split()[5])
        resource.setrlimit(resource.RLIMIT_DATA, (pages * resource.getpagesize() + more_bytes, resource.RLIM_INFINITY))


def _require_sound(content: pa.Buffer, bounds: Bounds) -> None:
    if content.size < 12 or content[:4] != _MARK or content[-4:] != _MARK:
        raise ValueError(f"a Parquet file begins and ends with PAR1, and this one of {content.size} bytes does not")
    _require("the size of its footer in bytes", int.from_bytes(content[-8:-4], "little"), bounds["footer_bytes"])
    file = pq.ParquetFile(
        pa.BufferReader(content),
        thrift_string_size_limit=bounds["footer_bytes"],
        thrift_container_size_limit=_THRIFT_ITEMS,
    )
    for column in file.schema_arrow:
        _require_kind(column.type)
    claimed = _require_footer(file, bounds)
    most = max(bounds["unpacked_small"], content.size * bounds["unpacked_ratio"])
    _require("its unpacked size in bytes as it says", claimed, min(most, bounds["unpacked_bytes"]))
    rows = max(1, file.metadata.num_rows)
    batch_rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES * rows // max(1, claimed)))
    unpacked = 0
    for batch in file.iter_batches(batch_rows, use_threads=False):
        unpacked += batch.nbytes
        _require("its unpacked size in bytes", unpacked, min(most, bounds["unpacked_bytes"]))
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            _require(f"the size in bytes of a text in column {name[:60]!a}", _longest(column), bounds["text_bytes"])


def _require_kind(kind: pa.DataType) -> None:
    """Refuse types that say little of how much there is, or name code of others: a release has none of them."""
    is_known = pa.types.is_primitive(kind) or any(is_kind(kind) for is_kind in (*_TEXTS, *_KINDS))
    if not is_known:
        raise Refused("the type of a column", "a release has numbers, texts, lists and structs", str(kind)[:60])
    for number in range(kind.num_fields):
        _require_kind(kind.field(number).type)


def _require_footer(file: Any, bounds: Bounds) -> int:
    """The bytes that a footer says its columns unpack to, after its figures are found within their bounds."""
    footer = file.metadata
    _require("its number of rows", footer.num_rows, bounds["rows"])
    _require("its number of row groups", footer.num_row_groups, bounds["row_groups"])
    _require("its number of columns", footer.num_columns, bounds["columns"])
    for number in range(footer.num_columns):
        column = file.schema.column(number)
        _require("the nesting of a column", column.path.count(".") + 1, bounds["nesting"])
        _require("the nesting of lists in a column", column.max_repetition_level, bounds["nesting"])
    _require("its number of columns in all row groups", footer.num_row_groups * footer.num_columns, bounds["values"])
    rows = values = claimed = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        _require("the rows of a row group", group.num_rows, bounds["rows"])
        rows += group.num_rows
        for place in range(group.num_columns):
            chunk = group.column(place)
            for figure in (chunk.num_values, chunk.total_uncompressed_size, chunk.total_compressed_size):
                _require("a figure of its footer", figure, bounds["count"])
            values += chunk.num_values
            claimed += chunk.total_uncompressed_size
    if rows != footer.num_rows:
        raise Refused("its number of rows", f"its row groups have {rows}", footer.num_rows)
    _require("its number of values", values, bounds["values"])
    return claimed


def _longest(array: pa.Array) -> int:
    """The bytes of the longest text or binary value in an array, at any depth."""
    kind = array.type
    if pa.types.is_struct(kind):
        return max((_longest(array.field(number)) for number in range(kind.num_fields)), default=0)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _longest(array.flatten())
    if any(is_kind(kind) for is_kind in _TEXTS):
        return int(pc.max(pc.binary_length(array)).as_py() or 0)
    return 0


def _require(field: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise Refused(field, f"it is from 0 to {most}", value)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
