import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections import Counter
from urllib.request import urlopen

import polars as pl
import pytest

from generators.sampling.sampler import rollout_seed
from tests.dagster_project.conftest import LENIENT

SETTINGS = (
    """
data_root = "data"

[policy]
model = "simulated"
urls = ["{url}"]
in_flight = 16

[[sources]]
kind = "simulated"
name = "sums"
size = 16

[attempts]
n = 4
max_tokens = 600

[step_preference_pairs]
pairs_per_error = 1
cap = 8

[long_cot_traces]
n = 1
examples = "short"

[critical_token_pairs]
search_cap = 8
cap = 8
budget = 16
"""
    + LENIENT
)


@pytest.fixture
def server_url():
    command = [sys.executable, "-m", "generators.engine.simulated.server", "--seconds-per-token", "0.0005"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().split()[-1]
        process.terminate()


def demo(folder, url, *, terminal=None):
    """The whole run of one data root, in a process group of its own, that has a terminal if one is given."""
    folder.mkdir(exist_ok=True)
    (folder / "stepmill.toml").write_text(SETTINGS.format(url=url))
    (folder / "home").mkdir(exist_ok=True)
    environment = os.environ | {
        "STEPMILL_SETTINGS": str(folder / "stepmill.toml"),
        "DAGSTER_HOME": str(folder / "home"),
        "PYTHONWARNINGS": "ignore",
    }
    with (folder / "run.log").open("ab") as log:
        command = [sys.executable, "-m", "dagster_project.cli", "run", "--round", "demo"]
        if terminal is None:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        return subprocess.Popen(
            command,
            env=environment,
            stdin=terminal,
            stdout=terminal,
            stderr=log,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )


def ledger(folder):
    parts = sorted(folder.glob("data/ledger/*/demo/*/part-*.parquet"))
    return pl.concat([pl.read_parquet(part) for part in parts]) if parts else pl.DataFrame()


def labels(folder):
    return pl.read_parquet(folder / "data/tables/process_labels/demo/sums-0.parquet")


def drawn_seeds(url):
    return {seed for _, seed, _ in json.load(urlopen(f"{url}/simulated/drawn"))}


def drawn_at_least(n, run, folder, url):
    deadline = time.monotonic() + 120
    while len(drawn := drawn_seeds(url)) < n:
        assert run.poll() is None, (folder / "run.log").read_text()[-3000:]
        assert time.monotonic() < deadline, f"the run never drew {n}"
        time.sleep(0.02)
    return drawn


def test_a_run_whose_terminal_is_closed_loses_nothing_that_was_drawn(tmp_path, server_url):
    folder = tmp_path / "closed"
    ours, theirs = pty.openpty()
    run = demo(folder, server_url, terminal=theirs)
    os.close(theirs)
    answered = drawn_at_least(40, run, folder, server_url)
    # With 16 in flight, these have arrived when 20 more were answered.
    drawn_at_least(len(answered) + 20, run, folder, server_url)
    os.close(ours)
    assert run.wait(60) != 0
    kept = {rollout_seed(key, index, 0) for key, index in ledger(folder).select("key", "index").iter_rows()}
    assert answered - kept == set()


def test_a_killed_run_goes_on_where_it_was_and_draws_nothing_twice(tmp_path, server_url):
    folder = tmp_path / "killed"
    run = demo(folder, server_url)
    attempts = folder / "data/tables/attempts/demo/sums-0.parquet"
    deadline = time.monotonic() + 120
    while not (attempts.exists() and ledger(folder).height >= 160):  # 64 attempts, 16 traces
        assert run.poll() is None, (folder / "run.log").read_text()[-3000:]
        assert time.monotonic() < deadline, "the run never came to its labels"
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert not (folder / "data/tables/process_labels").exists()
    flushed = ledger(folder)
    shutil.copytree(folder / "data/ledger", tmp_path / "whole/data/ledger")

    assert demo(folder, server_url).wait(240) == 0, (folder / "run.log").read_text()[-3000:]
    drawn = Counter(seed for _, seed, _ in json.load(urlopen(f"{server_url}/simulated/drawn")))
    paid = {rollout_seed(key, index, 0) for key, index in flushed.select("key", "index").iter_rows()}
    assert {seed for seed in paid if drawn[seed] > 1} == set()

    assert demo(tmp_path / "whole", server_url).wait(240) == 0
    assert labels(folder).equals(labels(tmp_path / "whole"))
