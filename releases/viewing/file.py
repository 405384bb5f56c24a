"""Writes a page into a file, and over no file that is something else."""

from pathlib import Path

from upath import UPath

from generators.sampling.storage import write_bytes
from releases.errors import FileInTheWay
from releases.viewing.page import GENERATOR

_MARK = f'<meta name="generator" content="{GENERATOR}">'.encode()
_LOOKED_AT = 2000


def check_writable(path: Path, *, force: bool) -> None:
    """Raise FileInTheWay if there is something at `path` that is no page, unless `force` allows a file to go."""
    if path.is_dir():
        raise FileInTheWay(f"{path} is a folder: name a file with --out")
    if path.exists() and not force and not _is_page(path):
        raise FileInTheWay(f"{path} was not written by `stepmill view`: name another file with --out, or add --force")


def write_page(path: Path, content: bytes) -> None:
    """Write a page, complete or not at all; raises StorageError."""
    write_bytes(UPath(path.absolute()), content)


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return _MARK in file.read(_LOOKED_AT)
