"""Pinned packages come by uv with pip's indexes, and by pip where uv fails."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "locks" / "install.sh"
PIP_SETTINGS = "global.index-url='https://packages.example/simple'\n:env:.find-links='/wheels /more'\n"


@pytest.fixture
def tools(tmp_path):
    """A folder of a pip and a uv that write down how they are called; uv fails while there is a file `broken`."""
    log = tmp_path / "log"
    (tmp_path / "pip.conf").write_text(PIP_SETTINGS)
    pip = f'case "$*" in *"config list"*) cat {tmp_path}/pip.conf ;; *) echo "pip $*" >> {log} ;; esac'
    uv = f'echo "uv $UV_DEFAULT_INDEX $UV_FIND_LINKS $*" >> {log}; test ! -e {tmp_path}/broken'
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in {"pip": pip, "uv": uv}.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return tmp_path


def install(tools):
    environment = {**os.environ, "PATH": f"{tools / 'bin'}:{os.environ['PATH']}"}
    subprocess.run([SCRIPT, tools, "lock.txt"], check=True, env=environment)
    return (tools / "log").read_text().splitlines()


def test_uv_installs_from_the_indexes_that_pip_was_given(tools):
    (call,) = install(tools)
    assert call.startswith("uv https://packages.example/simple /wheels,/more pip install")
    assert call.endswith("-r lock.txt")


def test_pip_installs_where_uv_fails(tools):
    (tools / "broken").touch()
    first, second, last = install(tools)
    assert first.startswith("uv ") and second.startswith("uv ")
    assert last == "pip --disable-pip-version-check install --quiet --no-deps -r lock.txt"
