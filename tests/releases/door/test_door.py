"""The parts of the door, where the table of hostile releases does not reach."""

import os
import threading
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from benchmarks import hostile_parquet as hostile
from releases.door.bounds import MB
from releases.door.json_text import read_json
from releases.door.names import is_name, is_path
from releases.door.plain_files import open_plain, read_plain
from releases.door.reader import reader
from releases.door.shards import open_shard, require_sound
from releases.errors import RefusedRelease

SECRET, SHARD = b"a secret", b"what is listed"


@given(st.text(max_size=40))
def test_a_name_stays_in_its_folder(text):
    if is_name(text):
        assert Path("/folder", text).resolve() == Path("/folder") / text
        assert text.isascii() and text.lower().upper().lower() == text.lower()


@given(st.lists(st.sampled_from(["data", "..", ".", "", "a.b", "con", "x."]), max_size=8).map("/".join))
def test_a_path_stays_in_its_folder(text):
    assert not is_path(text) or Path("/folder", text).resolve().is_relative_to("/folder")


def test_a_link_that_is_put_in_the_place_of_an_open_file_is_not_read(tmp_path):
    (tmp_path / "shard").write_bytes(SHARD)
    (tmp_path / "secret").write_bytes(SECRET)
    with open_plain(UPath(tmp_path), "shard") as (file, size):
        (tmp_path / "shard").unlink()
        (tmp_path / "shard").symlink_to(tmp_path / "secret")
        assert (file.read(), size) == (SHARD, len(SHARD))


def test_a_link_that_comes_and_goes_is_never_followed(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "good").write_bytes(SHARD)
    place, stop = tmp_path / "data" / "shard", threading.Event()
    place.write_bytes(SHARD)

    def swap():
        while not stop.is_set():
            os.symlink(tmp_path / "secret", tmp_path / "link")
            os.replace(tmp_path / "link", place)
            os.link(tmp_path / "good", tmp_path / "copy")
            os.replace(tmp_path / "copy", place)

    swapping = threading.Thread(target=swap)
    swapping.start()
    read = set()
    try:
        for _ in range(500):
            try:
                read.add(read_plain(UPath(tmp_path), "data/shard"))
            except RefusedRelease:
                read.add("refused")
    finally:
        stop.set()
        swapping.join()
    assert SECRET not in read and read <= {SHARD, "refused"}


def test_a_file_in_an_object_store_is_held_to_its_size():
    folder = UPath(f"memory://{uuid4().hex}")
    (folder / "a").write_bytes(b"12345")
    assert read_plain(folder, "a") == b"12345"
    assert read_plain(folder, "b") is None
    with pytest.raises(RefusedRelease, match="its size in bytes is 5; it is at most 4"):
        read_plain(folder, "a", most=4)


def sound():
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"n": [1, 2], "texts": [["a"], []]}), sink)
    return sink.getvalue().to_pybytes()


def test_the_reader_goes_on_after_a_file_that_it_did_not_survive(tmp_path):
    (tmp_path / "good").write_bytes(sound())
    (tmp_path / "bad").write_bytes(hostile.dictionary_of_one_text())
    with pytest.raises(RefusedRelease, match="its unpacked size in bytes at one time is more; it is at most 192000000"):
        open_shard(UPath(tmp_path), "bad").__enter__()
    with open_shard(UPath(tmp_path), "good") as file:
        assert pq.read_table(file).num_rows == 2


def test_a_file_that_the_reader_dies_of_is_refused_and_says_so(tmp_path):
    with open_shard_of(tmp_path):
        process = reader()._process
    process.kill()
    process.wait()
    require_sound(sound(), where="x")  # it is started again
    threading.Timer(0.1, lambda: reader()._process.kill()).start()
    stop = reader()._process
    os.kill(stop.pid, 19)  # it stands still, and is killed in the middle of a file
    with pytest.raises(RefusedRelease, match=r"reading it takes|the end of the process that reads it is"):
        require_sound(sound(), where="x")


def open_shard_of(folder):
    (folder / "shard").write_bytes(sound())
    return open_shard(UPath(folder), "shard")


def test_a_file_that_was_changed_is_looked_at_again(tmp_path):
    with open_shard_of(tmp_path):
        pass
    (tmp_path / "shard").write_bytes(hostile.too_many_rows())
    with pytest.raises(RefusedRelease, match="its number of rows is 2000000"):
        open_shard(UPath(tmp_path), "shard").__enter__()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_within_its_bounds_is_read_as_it_is(data):
    import json

    assert read_json(json.dumps(data).encode(), where="x", most=MB) == data


@pytest.mark.parametrize("content", [b"", b"{", b'"', b'"\\', b"\xff", b"nul", b"[1,]"])
def test_what_is_no_json_is_one_sentence(content):
    with pytest.raises(RefusedRelease, match=r"x: its text is .*; it is JSON in UTF-8"):
        read_json(content, where="x", most=MB)
