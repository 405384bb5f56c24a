"""Dagster's instance folder: the one that `make ui` shows, or the one that DAGSTER_HOME names."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

HOME_VARIABLE = "DAGSTER_HOME"
PROJECT = Path(__file__).resolve().parent.parent.parent
INSTANCE_FILE = "dagster.yaml"


class NoHome(Exception):
    """There is no folder for Dagster's instance; the message says how to name one."""


def home() -> Path:
    """The folder that DAGSTER_HOME names, or `.dagster` beside the code, as the Makefile has it."""
    return Path(os.environ.get(HOME_VARIABLE) or PROJECT / ".dagster").resolve()


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Open the instance in `home()`, which is made with the project's dagster.yaml if it lacks one; raises NoHome."""
    folder = home()
    file = folder / INSTANCE_FILE
    if not file.exists():
        template = PROJECT / "deploy" / "local" / INSTANCE_FILE
        if not template.exists():
            raise NoHome(f"{file} does not exist: point {HOME_VARIABLE} at a folder with one")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(template, file)
        except OSError as refused:
            raise NoHome(f"{file} cannot be written ({refused.strerror}): point {HOME_VARIABLE} at a folder") from (
                refused
            )
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance
