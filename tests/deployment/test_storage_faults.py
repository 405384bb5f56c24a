"""Disks that are full or read-only, damaged ledger parts, a Hub that is away: the message, the cost, and going on."""

import os
import subprocess
import time
from contextlib import contextmanager

import dagster as dg
import polars as pl
import pytest
from upath import UPath

from dagster_project.definitions import build
from dagster_project.settings.file import HubSettings, load_settings
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from tests.deployment.cost import drawn_twice, ledger_seeds, told
from tests.deployment.policy_server import PolicyServer
from tests.deployment.settings import write_settings
from tests.hub.reading import versions

ASSETS = ["problems", "attempts", "process_labels"]
WINDOW = 2 * 256 + 16  # rollouts of the lot that is being written, of the one that waits, and in flight

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def policy(tmp_path):
    with PolicyServer(tmp_path) as server:
        yield server


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions("rounds", ["r1"])
        yield ephemeral


@pytest.fixture
def disk(tmp_path):
    """A file system of its own, of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system of its own")
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted(folder):
        yield folder


@contextmanager
def mounted(folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remounted(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def make(instance, settings, only=ASSETS):
    return (
        build(settings)
        .resolve_job_def("slice")
        .execute_in_process(
            partition_key=dg.MultiPartitionKey({"round": "r1", "slice": "sums-0"}),
            asset_selection=[dg.AssetKey(name) for name in only],
            instance=instance,
            raise_on_error=False,
        )
    )


def release(instance, settings):
    return (
        build(settings)
        .resolve_job_def("release")
        .execute_in_process(
            partition_key="r1",
            asset_selection=[dg.AssetKey("process_labels_release")],
            instance=instance,
            raise_on_error=False,
        )
    )


def failure(result):
    (failed,) = result.get_step_failure_events()
    return str(failed.step_failure_data.error.message).split("Failure: ")[-1].strip()


def made_again(fault, instance, settings, policy, said):
    """Make the slice to its end, with nothing drawn twice that was written; tells the cost."""
    data = settings.data_root
    written = ledger_seeds(UPath(data), "r1")
    began = time.monotonic()
    assert make(instance, settings).success
    lost = drawn_twice(policy.drawn())
    assert written & lost.keys() == set()
    assert len(lost) <= WINDOW
    cost = {"rollouts_drawn_again": len(lost), "tokens_drawn_again": sum(lost.values())}
    told(fault, written=len(written), **cost, made_s=round(time.monotonic() - began, 1), said=said)


def test_a_full_disk_is_named_and_the_slice_goes_on_when_there_is_room(disk, tmp_path, policy, instance):
    settings = load_settings(write_settings(tmp_path, policy.url, size=60, data_root=disk / "data"))
    said = failure(make(instance, settings))
    assert f"cannot write {disk}/data/" in said
    assert "the disk is full; free some room and run the same command again" in said
    assert not list((disk / "data").rglob("*.tmp"))
    remounted(disk, "size=64m")
    made_again("disk full", instance, settings, policy, said)


def test_a_read_only_data_root_is_named_and_the_slice_goes_on_when_it_can_be_written(disk, tmp_path, policy, instance):
    remounted(disk, "size=64m")
    settings = load_settings(write_settings(tmp_path, policy.url, data_root=disk / "data"))
    assert make(instance, settings, ASSETS[:2]).success
    remounted(disk, "ro")
    said = failure(make(instance, settings, ASSETS[2:]))
    assert f"cannot write {disk}/data/" in said
    assert "the file system is read-only; set data_root to another place" in said
    remounted(disk, "rw")
    made_again("data root read-only", instance, settings, policy, said)


def torn(content):
    return content[: len(content) // 2]


def flipped(content):
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [torn, flipped])
def test_a_damaged_ledger_part_is_set_aside_and_only_its_rollouts_are_drawn_again(tmp_path, policy, instance, damage):
    settings = load_settings(write_settings(tmp_path, policy.url, size=40))
    assert make(instance, settings).success
    labels = pl.read_parquet(tmp_path / "data/tables/process_labels/r1/sums-0.parquet")
    whole = ledger_seeds(tmp_path / "data", "r1")
    parts = sorted((tmp_path / "data/ledger").rglob("part-*.parquet"))
    part = parts[len(parts) // 2]
    content = part.read_bytes()
    part.unlink()
    kept = ledger_seeds(tmp_path / "data", "r1")
    part.write_bytes(damage(content))
    assert make(instance, settings).success
    aside = part.with_name(f"{part.name}.unreadable")
    assert aside.exists()
    lost = drawn_twice(policy.drawn())
    assert lost
    assert lost.keys() & kept == set()
    assert pl.read_parquet(tmp_path / "data/tables/process_labels/r1/sums-0.parquet").equals(labels)
    cost = {"rollouts_drawn_again": len(lost), "tokens_drawn_again": sum(lost.values())}
    told(f"ledger part {damage.__name__}", written=len(whole), **cost)


def test_a_hub_that_is_away_fails_the_release_alone_and_gets_the_same_version_later(
    hub, tmp_path, policy, instance, monkeypatch
):
    settings = load_settings(write_settings(tmp_path, policy.url))
    settings = settings.model_copy(update={"hub": HubSettings(namespace="lab")})
    assert make(instance, settings).success
    drawn = len(policy.drawn())
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    began = time.monotonic()
    said = failure(release(instance, settings))
    noticed = time.monotonic() - began
    assert "publish again" in said
    here = LocalRegistry(UPath(settings.data_root) / "releases").latest("process_labels")
    assert (here.version, verify(here.path).findings) == ("v0.1.0", ())
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    began = time.monotonic()
    assert release(instance, settings).success
    assert list(versions(hub.state.repository("lab/process_labels"))) == ["v0.1.0"]
    assert len(policy.drawn()) == drawn
    figures = {"noticed_s": round(noticed, 1), "made_s": round(time.monotonic() - began, 1)}
    told("Hub away", rollouts_drawn_again=0, **figures, said=said)


def test_a_policys_server_without_memory_ends_the_run_with_its_own_words_and_leaves_no_process(
    tmp_path, instance, monkeypatch
):
    stand_in = os.path.join(os.path.dirname(__file__), "stand_in")
    monkeypatch.setenv("PYTHONPATH", f"{stand_in}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("STAND_IN_ANSWER", "out of memory")
    (tmp_path / "stepmill.toml").write_text(
        'data_root = "data"\n[policy]\nmodel = "embedded"\nmax_restarts = 1\n[[sources]]\nname = "sums"\n'
        'kind = "procedural"\ntask = "chain_sum"\nsize = 4\nworked_examples = "chain_sum"\n'
    )
    began = time.monotonic()
    said = failure(make(instance, load_settings(tmp_path / "stepmill.toml"), ASSETS[:2]))
    assert "it was restarted 1 times already (max_restarts): its log has the cause" in said
    (log,) = (tmp_path / "data/logs").glob("vllm-*.log")
    assert str(log) in said
    assert "CUDA out of memory" in log.read_text()
    told("server out of memory", noticed_s=round(time.monotonic() - began, 1), said=said)
