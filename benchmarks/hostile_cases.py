"""Hostile releases: one small change of a sound release each, and the commands that must refuse it in one sentence.

`says` is in the sentence. A command that is not named may end well, since it does not read what was changed.
"""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import hostile_parquet as parquet
from benchmarks.hostile_builder import DATASET, SHARD, VERSION, Release

ALL = ("verify", "pull", "show", "diff")
CARD = "README.md"
_OF_CARD = ("verify", "pull")
_BY_NAME = ("pull",)

Change = Callable[[Release], object]


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile release by its name."""

    name: str
    change: Change
    says: str
    commands: tuple[str, ...] = field(default=ALL)


def _edit(*path: str | int, value: Any) -> Change:
    """Set a field of the manifest."""

    def change(data: dict[str, Any]) -> None:
        inner: Any = data
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value

    return lambda release: release.edit(change)


def _path(path: str) -> Change:
    """List the card under another path, and put it there if that is a place."""

    def change(release: Release) -> None:
        content = (release.folder / CARD).read_bytes()
        place = release.folder / path
        if "\\" not in path and path.isascii() and not place.exists() and place.parent.is_dir():
            place.write_bytes(content)
        release.list(path, content)

    return change


def _setting(text: str) -> Change:
    """A value in the manifest's settings, written as it stands."""
    return lambda release: release.replace('"settings": {', f'"settings": {{"x": {text}, ')


def _shard(content: Callable[[], bytes]) -> Change:
    return lambda release: release.put(SHARD, content())


def _changed_shard(change: Callable[[bytes], bytes]) -> Change:
    return lambda release: release.put(SHARD, change((release.folder / SHARD).read_bytes()))


def _card(yaml: str) -> Change:
    return lambda release: release.put(CARD, f"---\n{yaml}\n---\n".encode())


def _linked(path: str) -> Change:
    """Put what stands at a path outside of the release, and a link in its place."""

    def change(release: Release) -> None:
        place, outside = release.root / path, release.root.parent / f"{release.root.name}.outside"
        place.rename(outside)
        place.symlink_to(outside)

    return change


def _fifo(path: str) -> Change:
    return lambda release: os.mkfifo(_away(release, path))


def _socket(path: str) -> Change:
    def change(release: Release) -> None:
        _away(release, path)
        with socket.socket(socket.AF_UNIX) as one:
            folder = os.getcwd()
            os.chdir((release.root / path).parent)  # a socket's path is short
            try:
                one.bind(Path(path).name)
            finally:
                os.chdir(folder)

    return change


def _folder(path: str) -> Change:
    return lambda release: _away(release, path).mkdir()


def _away(release: Release, path: str) -> Path:
    place = release.root / path
    place.unlink()
    return place


def _sparse(path: str, size: int) -> Change:
    """A file of zeros that takes no room on a disk, listed with a size that may be."""

    def change(release: Release) -> None:
        with (release.folder / path).open("r+b") as file:
            file.truncate(size)

    return change


def _many_files(n: int) -> Change:
    def change(data: dict[str, Any]) -> None:
        data["files"] += [{"path": f"pictures/{number}.png", "size": 1, "sha256": "0" * 64} for number in range(n)]

    return lambda release: release.edit(change)


def _index(text: str) -> Change:
    return lambda release: (release.dataset / "versions.json").write_text(text)


_FOLDER = f"{DATASET}/{VERSION}"
_DIGEST = "0" * 64
_ROUND = f'"round": "r", "manifest": "{_DIGEST}"'

CASES: tuple[Case, ...] = (
    Case("a path that climbs", _path("../../../outside.txt"), "no '..'"),
    Case("an absolute path", _path("/etc/hostname"), "a path has"),
    Case("a path of another system", _path("..\\..\\outside.txt"), "a path has"),
    Case("a device of another system", _path("data/con.parquet"), "no device's"),
    Case("a stream of another system", _path("README.md:hidden"), "a path has"),
    Case("a path with an escape", _path("pictures/\x1b[2J.png"), "a path has"),
    Case("a path with a line break", _path("pictures/a\nstepmill: all is well.png"), "a path has"),
    Case("a look-alike letter", _path("pictures/\N{CYRILLIC SMALL LETTER A}.png"), "a path has"),
    Case("a letter in two pieces", _path("pictures/e\N{COMBINING ACUTE ACCENT}.png"), "a path has"),
    Case("a file twice", lambda r: r.edit(lambda data: data["files"].append(data["files"][0])), "listed once"),
    Case("a file in two cases", _path("readme.md"), "listed once"),
    Case("the manifest in itself", _path("Manifest.json"), "listed once"),
    Case("a file below a file", _path("README.md/more.md"), "files have none below"),
    Case("a dataset that climbs", _edit("dataset", value="../process_labels"), "a name has"),
    Case("a version that climbs", _edit("version", value="../../x"), "a name has"),
    Case("a config with an escape", _edit("rows", "\x1b]52;c;QQ==\x07", value={"train": 1}), "a name has"),
    Case("a split that climbs", _edit("rows", "full", "..", value=1), "a name has"),
    Case("a policy with an escape", _edit("facts", "policy", value="p\x1b[2J"), "all of which print"),
    Case("a round that turns its line", _edit("facts", "round", value="r\N{RIGHT-TO-LEFT OVERRIDE}"), "which print"),
    Case("a language that is a path", _edit("facts", "sources", 0, "language", value="../en"), "a language is"),
    Case("negative rows", _edit("rows", "full", "train", value=-1), "from 0 to"),
    Case("a negative size", _edit("files", 0, "size", value=-1), "from 0 to"),
    Case("a digest that is none", _edit("files", 0, "sha256", value="../x"), "64 digits"),
    Case("a million files", _many_files(1_000_000), "it is at most 16000000"),
    Case("twenty thousand files", _many_files(20_000), "at most 10000"),
    Case("a manifest that is not listed", _index(f'[{{"version": "{VERSION}", {_ROUND}}}]'), "SHA-256", _BY_NAME),
    Case("a list of versions that climb", _index(f'[{{"version": "../../x", {_ROUND}}}]'), "v0.1.0", _BY_NAME),
    Case("a list of versions that is deep", _index("[" * 100_000), "24 deep", _BY_NAME),
    Case("a number of 5,000 digits", _setting("9" * 5_000), "at most 19 digits"),
    Case("a number beyond all", _setting("1e999"), "finite"),
    Case("a number that is none", _setting("NaN"), "finite"),
    Case("a key twice", _setting('{"a": 1, "a": 2}'), "once in its object"),
    Case("lists 100,000 deep", _setting("[" * 100_000 + "]" * 100_000), "24 deep"),
    Case("two million lists", _setting("[" + "[]," * 2_000_000 + "[]]"), "at most 500000"),
    Case("a text that does not end", lambda r: r.write(b'{"a": "' + b'\\"' * 5_000_000), "the length of a text in it"),
    Case("a manifest in UTF-16", lambda r: r.write(r.manifest.read_text().encode("utf-16")), "it is JSON in UTF-8"),
    Case("a shard that is a link", _linked(f"{_FOLDER}/{SHARD}"), "it is a link"),
    Case("a folder that is a link", _linked(f"{_FOLDER}/data"), "it is a link"),
    Case("a manifest that is a link", _linked(f"{_FOLDER}/manifest.json"), "it is a link"),
    Case("a version that is a link", _linked(_FOLDER), "it is a link", _BY_NAME),
    Case("a dataset that is a link", _linked(DATASET), "it is a link", _BY_NAME),
    Case("a shard that is a FIFO", _fifo(f"{_FOLDER}/{SHARD}"), "it is a FIFO"),
    Case("a manifest that is a FIFO", _fifo(f"{_FOLDER}/manifest.json"), "it is a FIFO"),
    Case("a list of versions that is a FIFO", _fifo(f"{DATASET}/versions.json"), "it is a FIFO", _BY_NAME),
    Case("a card that is a socket", _socket(f"{_FOLDER}/{CARD}"), "it is a socket", _OF_CARD),
    Case("a shard that is a folder", _folder(f"{_FOLDER}/{SHARD}"), "it is a folder"),
    Case("a shard of five terabytes", _sparse(SHARD, 5 * 10**12), "its size in bytes"),
    Case("a card of fifty gigabytes", _sparse(CARD, 50 * 10**9), "its size in bytes", _OF_CARD),
    Case("a text of 80 MB", _shard(parquet.one_long_text), "unpack"),
    Case("texts of 150 MB", _shard(parquet.many_long_texts), "unpack"),
    Case("50 GB of one word", _shard(parquet.dictionary_of_one_text), "unpack"),
    Case("50 GB of one word by number", _shard(parquet.dictionary_that_stays), "the type of a column"),
    Case("a text of 20 MB", _shard(parquet.huge_text), "of a text in column"),
    Case("a list of 60 million", _shard(parquet.long_list), "unpack"),
    Case("two million rows", _shard(parquet.too_many_rows), "its number of rows"),
    Case("rows below none", _shard(parquet.negative_rows), "number of rows"),
    Case("lists forty deep", _shard(parquet.deep_lists), "nesting"),
    Case("five thousand columns", _shard(parquet.many_columns), "its number of columns"),
    Case("a footer of 8 MB", _shard(parquet.long_footer), "the size of its footer"),
    Case("a footer that lies", _shard(parquet.footer_that_lies), "the size of its footer"),
    Case("half a shard", _changed_shard(parquet.cut), "cannot be read"),
    Case("a shard whose pages are noise", _changed_shard(parquet.scrambled), "cannot be read"),
    Case("a shard whose footer is noise", _changed_shard(parquet.scrambled_footer), "cannot be read"),
    Case("YAML that names itself", _card("a: &a [x]\n" + "b: [*a]"), "an anchor in its YAML", _OF_CARD),
    Case("YAML that runs a program", _card("a: !!python/object/apply:os.system [id]"), "a tag in its YAML", _OF_CARD),
    Case("YAML 100,000 deep", _card("a: " + "[" * 50_000), "the depth of its YAML", _OF_CARD),
    Case("YAML of many lines", _card("\n" * 1_000_000), "the length of its YAML", _OF_CARD),
)


def device_case() -> Case | None:
    """A shard that is a device, where this user may make one."""
    probe = Path(f"/tmp/stepmill-device-{os.getpid()}")
    try:
        os.mknod(probe, 0o20600, os.makedev(1, 5))
    except OSError:
        return None
    finally:
        probe.unlink(missing_ok=True)
    return Case(
        "a shard that is a device",
        lambda release: os.mknod(_away(release, f"{_FOLDER}/{SHARD}"), 0o20600, os.makedev(1, 5)),
        "it is a device",
    )
