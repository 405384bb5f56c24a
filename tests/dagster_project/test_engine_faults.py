import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import dagster as dg
import polars as pl
import pytest

from dagster_project.definitions import build
from dagster_project.settings.file import load_settings
from generators.process_labels.dataset import DATASET
from tests.dagster_project.conftest import LENIENT

SETTINGS = (
    """
data_root = "data"

[policy]
model = "simulated"
urls = [{urls}]
in_flight = 16
stall_s = 2
give_up_s = 4
max_restarts = 1

[[sources]]
kind = "simulated"
name = "sums"
size = 12

[attempts]
n = 4
max_tokens = 600
"""
    + LENIENT
)


@contextmanager
def simulated_server():
    command = [sys.executable, "-m", "generators.engine.simulated.server", "--seconds-per-token", "0.002"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()


def settings(folder, *urls):
    (folder / "stepmill.toml").write_text(SETTINGS.format(urls=", ".join(f'"{url}"' for url in urls)))
    return load_settings(folder / "stepmill.toml")


def strike(folder, process, sent):
    """Send a signal to a server once the first rollouts have been flushed."""

    def wait_and_send():
        deadline = time.monotonic() + 60
        while not list(folder.glob("data/ledger/*/r1/*/part-*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(sent)

    threading.Thread(target=wait_and_send, daemon=True).start()


def run(chosen):
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("rounds", ["r1"])
        key = dg.MultiPartitionKey({"round": "r1", "slice": "sums-0"})
        job = build(chosen).resolve_job_def("slice")
        assets = [dg.AssetKey(name) for name in DATASET.stages]
        return job.execute_in_process(
            partition_key=key, instance=instance, asset_selection=assets, raise_on_error=False
        )


@pytest.mark.parametrize("sent", [signal.SIGSTOP, signal.SIGKILL])
def test_a_run_completes_on_the_other_server_when_one_hangs_or_dies(tmp_path, sent):
    with simulated_server() as (first, one), simulated_server() as (_, other):
        strike(tmp_path, first, sent)
        assert run(settings(tmp_path, one, other)).success
        os.kill(first.pid, signal.SIGCONT)
    labels = pl.read_parquet(tmp_path / "data/tables/process_labels/r1/sums-0.parquet")
    assert labels["problem_id"].n_unique() == 12


def test_a_server_that_accepts_and_never_answers_ends_the_run_within_the_configured_time(tmp_path):
    with simulated_server() as (process, url):
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        result = run(settings(tmp_path, url))
        seconds = time.monotonic() - began
        process.send_signal(signal.SIGCONT)
    (failure,) = result.get_step_failure_events()
    assert url in str(failure.step_failure_data.error.message)
    assert seconds < 30
