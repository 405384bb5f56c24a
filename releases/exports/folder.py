"""Writes a folder completely or not at all, and in place of another one only if that is an export too."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from upath import UPath

from generators.sampling.storage import write_bytes
from releases.errors import CannotExport
from releases.manifest import FILE_NAME

RECORD = "export.json"


def write_folder(out: Path, files: Iterable[tuple[str, bytes]], *, force: bool) -> None:
    """Write `files` as the folder `out`; raises CannotExport where it may not be written."""
    out = out.absolute()
    _require_free(out, force=force)
    hidden = out.with_name(f".{out.name}.{uuid4().hex[:8]}.tmp")
    try:
        for path, content in files:
            write_bytes(UPath(hidden / path), content)
        if out.exists():
            replaced = out.with_name(f"{hidden.name}.old")
            out.rename(replaced)
            hidden.rename(out)
            shutil.rmtree(replaced)
        else:
            hidden.rename(out)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _require_free(out: Path, *, force: bool) -> None:
    for folder in (out, *out.parents):
        if (folder / FILE_NAME).exists():
            raise CannotExport(f"{out} lies in the released version {folder}: name another folder with --out")
    if out.exists() and not force:
        raise CannotExport(f"{out} exists: name another folder with --out, or replace it with --force")
    if out.exists() and not (out / RECORD).exists():
        raise CannotExport(f"{out} is no export, and --force replaces nothing else: name another folder with --out")
