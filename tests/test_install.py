"""Pinned packages come by uv with pip's indexes, and by pip where uv fails; each must have a hash of the lock."""

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
    for name, body in {"pip": pip, "uv": uv, "python": f"cat {tmp_path}/version"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    (tmp_path / "version").write_text("3.11\n")
    return tmp_path


def install(tools, lock="lock.txt"):
    environment = {**os.environ, "PATH": f"{tools / 'bin'}:{os.environ['PATH']}"}
    subprocess.run([SCRIPT, tools, lock], check=True, env=environment)
    return (tools / "log").read_text().splitlines()


def test_uv_installs_from_the_indexes_that_pip_was_given(tools):
    (call,) = install(tools)
    assert call.startswith("uv https://packages.example/simple /wheels,/more pip install")
    assert call.endswith("--require-hashes -r lock.txt")


def test_pip_installs_where_uv_fails(tools):
    (tools / "broken").touch()
    first, second, last = install(tools)
    assert first.startswith("uv ") and second.startswith("uv ")
    assert last == "pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r lock.txt"


LOCK = """one==1.0 \\
    --hash=sha256:aa
torch==2.0+cpu \\
    --hash=sha256:bb
two==2.0 \\
    --hash=sha256:cc \\
    --hash=sha256:dd
"""


def test_only_builds_of_another_python_are_installed_without_their_hash_and_it_says_so(tools, capfd):
    (tools / "version").write_text("3.13\n")
    (tools / "lock.txt").write_text(LOCK)
    (tools / "bin/uv").write_text(f'#!/bin/sh\nfor last; do :; done; echo "$* =" $(cat $last) >> {tools}/log\n')
    unverified, verified = install(tools, tools / "lock.txt")
    assert "--require-hashes" not in unverified and unverified.endswith("= torch==2.0+cpu")
    assert "--require-hashes" in verified
    assert verified.endswith("= one==1.0 \\ --hash=sha256:aa two==2.0 \\ --hash=sha256:cc \\ --hash=sha256:dd")
    assert "this is 3.13; installed unverified: torch==2.0+cpu" in capfd.readouterr().err
