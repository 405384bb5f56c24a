"""One run at a time writes a ledger: whoever comes second waits or says who holds it; a lost lease is noticed."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from generators.engine.protocol import Sampling
from generators.records import Rollout
from generators.sampling.ledger import LeaseLost, Ledger, LedgerHeld, LedgerKey, Terms
from generators.sampling.ledger import lease as leases
from generators.sampling.ledger.lease_file import epochs, lease_file
from tests.deployment.object_store import ObjectStore

KEY = LedgerKey(policy="p", prefix=(1, 2, 3), sampling=Sampling(temperature=0.7))
AT_ONCE = Terms(valid_s=3600, wait_s=0)
SHORT = Terms(valid_s=0.2, wait_s=5)
HOLDER = """
import sys, time
from upath import UPath
from generators.sampling.ledger import Ledger, Terms
ledger = Ledger(UPath(sys.argv[1]), terms=Terms(valid_s=3600, wait_s=0), run="the first run")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with ObjectStore(tmp_path_factory.mktemp("s3")) as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.env.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(params=["folder", "memory", "s3"])
def folder(request, tmp_path):
    if request.param == "folder":
        return UPath(tmp_path / "slice")
    if request.param == "s3":
        request.getfixturevalue("s3")
    return UPath(f"{request.param}://stepmill-lease{tmp_path}/slice")


def rollout(index=0, token_ids=(5, 6), reason="length"):
    return Rollout(key=KEY.digest(), index=index, token_ids=token_ids, text="", finish_reason=reason)


def let_expire(folder):
    """Make the holder's lease one that was renewed long ago."""
    file = lease_file(folder, max(epochs(folder)))
    content = json.loads(file.read_bytes())
    file.write_bytes(json.dumps(content | {"renewed": 0.0}).encode())


def test_a_second_run_says_who_holds_the_ledger_and_since_when(folder):
    with Ledger(folder, terms=AT_ONCE, run="4711"), pytest.raises(LedgerHeld) as held:
        Ledger(folder, terms=Terms(valid_s=3600, wait_s=0))
    assert f"another run holds the lease of {folder} (run 4711, process {os.getpid()} on " in str(held.value)
    assert "renewed 0 s ago" in str(held.value)
    assert "run the same command again" in str(held.value)


def test_a_second_run_says_that_it_waits_and_begins_when_the_first_ends(folder):
    said = []
    with Ledger(folder, terms=AT_ONCE) as first:
        first.add(KEY, rollout())
        threading.Timer(0.3, first.close).start()
        with Ledger(folder, terms=Terms(valid_s=3600, wait_s=30), say=said.append) as second:
            assert second.get(KEY.digest(), 0).token_ids == (5, 6)
    assert [line for line in said if "waiting for up to 30 s" in line]


def test_a_lease_that_is_renewed_stays(folder):
    with Ledger(folder, terms=Terms(valid_s=0.4, wait_s=0)), pytest.raises(LedgerHeld):
        Ledger(folder, terms=Terms(valid_s=1.0, wait_s=1.5))


def test_a_lease_that_is_not_renewed_ends(folder):
    first = Ledger(folder, terms=AT_ONCE)
    first.add(KEY, rollout())
    first.flush()
    with Ledger(folder, terms=SHORT) as second:
        assert len(second) == 1


def test_a_holder_that_lost_its_lease_notices_before_it_writes(folder):
    first = Ledger(folder, terms=AT_ONCE, flush_seconds=3600)
    first.add(KEY, rollout(0))
    first.flush()
    first.add(KEY, rollout(1))
    let_expire(folder)
    with Ledger(folder, terms=AT_ONCE, run="the second run") as second:
        second.add(KEY, rollout(1, token_ids=(9, 9, 9)))
        with pytest.raises(LeaseLost, match=r"run the second run, .* took it: what was not written yet is lost"):
            first.flush()
        with pytest.raises(LeaseLost):
            first.add(KEY, rollout(2))
        with pytest.raises(LeaseLost):
            first.close()
    with Ledger(folder, terms=AT_ONCE) as third:
        assert [third.get(KEY.digest(), index).token_ids for index in (0, 1)] == [(5, 6), (9, 9, 9)]


def test_a_holder_that_only_read_may_end_after_it_lost_its_lease(folder):
    with Ledger(folder, terms=AT_ONCE):
        let_expire(folder)
        Ledger(folder, terms=AT_ONCE).close()


def test_the_heartbeat_notices_too(folder):
    first = Ledger(folder, terms=Terms(valid_s=0.2, wait_s=0))
    taken = leases.Lease(folder, 2, leases._this_process("other"), 3600)
    assert leases._created(taken)
    first._lease._thread.join(10)
    with pytest.raises(LeaseLost):
        first.add(KEY, rollout())
    first.close()


def test_one_of_many_gets_the_lease(folder):
    won, lost = [], []

    def take():
        try:
            won.append(leases.take(folder, AT_ONCE))
        except LedgerHeld as held:
            lost.append(held)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5)


@pytest.mark.parametrize("refusal", [None, NotImplementedError(), OSError("NotImplemented"), ValueError("mode")])
def test_one_of_many_gets_the_lease_where_a_store_has_no_condition(tmp_path, monkeypatch, refusal):
    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        if refusal is not None and mode == "create":
            raise refusal
        self.open(path, mode="wb", data=value)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", pipe_file)
    monkeypatch.setattr(leases, "SETTLE_S", 0.3)
    test_one_of_many_gets_the_lease(UPath(f"memory://stepmill-heedless{tmp_path}/slice"))


@pytest.mark.parametrize("content", [b"", b"{", b'{"holder": 3}', b"[]"])
def test_a_lease_that_cannot_be_read_is_held_until_it_does_not_change(tmp_path, content):
    file = lease_file(UPath(tmp_path), 1)
    leases.create(file, content)
    with pytest.raises(LedgerHeld, match="another run is taking the lease"):
        Ledger(UPath(tmp_path), terms=AT_ONCE)
    Ledger(UPath(tmp_path), terms=SHORT).close()


def held_by_another_process(folder):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_process_of_this_machine_frees_its_lease_at_once(tmp_path, sent):
    with held_by_another_process(tmp_path) as process:
        with pytest.raises(LedgerHeld, match=rf"run the first run, process {process.pid} on"):
            Ledger(UPath(tmp_path), terms=AT_ONCE)
        process.send_signal(sent)  # it stays a zombie until it is waited for
        with Ledger(UPath(tmp_path), terms=Terms(valid_s=3600, wait_s=20)) as ledger:
            assert len(ledger) == 0


@pytest.mark.parametrize(
    ("change", "is_free"),
    [
        ({"started": "1"}, True),  # the id belongs to a later process
        ({"pid": 2**22 + 1}, True),
        ({"machine": "another"}, False),  # where the same id says nothing
        ({"machine": "another", "pid": 2**22 + 1}, False),
    ],
)
def test_the_id_of_a_process_counts_on_its_own_machine_and_with_its_start(tmp_path, change, is_free):
    folder = UPath(tmp_path)
    lease = leases.take(folder, AT_ONCE)
    file = lease_file(folder, lease.epoch)
    content = json.loads(file.read_bytes())
    file.write_bytes(json.dumps(content | {"holder": content["holder"] | change}).encode())
    if is_free:
        Ledger(folder, terms=AT_ONCE).close()
    else:
        with pytest.raises(LedgerHeld):
            Ledger(folder, terms=AT_ONCE)
