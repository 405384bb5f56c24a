"""Two Ray workers make the slices of one round behind a router; one worker is lost, and nothing is paid twice."""

import time
from contextlib import ExitStack
from importlib.util import find_spec

import polars as pl
import pytest
import yaml
from upath import UPath

from benchmarks.router_affinity import DEPLOYED
from releases.registry.local import LocalRegistry
from tests.deployment.cost import drawn_twice, ledger_seeds, told
from tests.deployment.dagster_services import ENDED, DagsterServices
from tests.deployment.policy_server import PolicyServer
from tests.deployment.processes import ROOT, wait_for
from tests.deployment.ray_cluster import RayCluster
from tests.deployment.router import IS_INSTALLED, Router
from tests.deployment.settings import write_settings

ASSETS = ("problems", "attempts", "process_labels")
SLICES = ("sums-0", "sums-1")
WINDOW = 2 * 256 + 16  # rollouts of the lot that is being written, of the one that waits, and in flight
HAS_RAY = find_spec("ray") is not None and find_spec("dagster_ray") is not None

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not HAS_RAY, reason="neither ray nor dagster-ray is installed (extra `ray`)"),
    pytest.mark.skipif(not IS_INSTALLED, reason="vllm-router is not installed (extra `router`)"),
]


def instance_here(folder):
    """The instance of a deployment on Ray, with its events in a folder and quick to see that a node is gone."""
    settings = yaml.safe_load((ROOT / "deploy" / "ray" / "dagster.yaml").read_text())
    del settings["storage"]
    settings["run_launcher"]["config"]["ray"] |= {"num_cpus": 1}
    settings["run_launcher"]["config"]["ray"]["env_vars"] += ["PYTHONPATH", "PYTHONWARNINGS"]
    settings["run_monitoring"]["poll_interval_seconds"] = 2
    (folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
    return folder / "dagster.yaml"


def pairs(data_root, round_key):
    """Slice, key and index of every rollout in the parts of a round's ledgers."""
    parts = sorted(data_root.glob(f"ledger/*/{round_key}/*/part-*.parquet"))
    read = [(part.parent.name, pl.read_parquet(part, columns=["key", "index"])) for part in parts]
    return [(slice_key, *row) for slice_key, rows in read for row in rows.iter_rows()]


def retry_of(services, run):
    """The id of the run that Dagster made of a lost one, once there is one."""
    query = "query All { runsOrError { ... on Runs { results { runId parentRunId } } } }"
    results = services.ask(query)["runsOrError"]["results"]
    return next((one["runId"] for one in results if one["parentRunId"] == run), None)


def made_again(services, lost, runs):
    """Whether Dagster made a run of the lost one by itself, and that run's id; it may miss the failure, as a user sees.

    Its daemon passes over a run whose failure it reads before the run's status has changed.
    """
    (slice_key,) = (slice_key for slice_key, run in runs.items() if run == lost)
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if (retry := retry_of(services, lost)) is not None:
            return True, retry
        time.sleep(0.5)
    return False, services.make_slice("r1", slice_key, ASSETS)


def test_two_ray_workers_make_a_round_and_one_that_is_lost_costs_no_written_rollout(tmp_path):
    with ExitStack() as stack:
        enter = stack.enter_context
        replicas = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            replicas.append(enter(PolicyServer(tmp_path / name, seconds_per_token=0.006)))
        router = enter(Router(tmp_path, [replica.url for replica in replicas], *DEPLOYED))
        settings = write_settings(tmp_path, router.url, size=120, shards=2)
        cluster = enter(RayCluster(tmp_path))
        env = {"STEPMILL_SETTINGS": str(settings), "RAY_DASHBOARD_URL": cluster.url}
        services = enter(DagsterServices(tmp_path / "dagster", env, instance=instance_here(tmp_path)))
        data = tmp_path / "data"

        def drawn():
            return [sequence for replica in replicas for sequence in replica.drawn()]

        def written():
            return {slice_key: len(set(found)) for slice_key, found in by_slice().items()}

        def by_slice():
            found = {slice_key: [] for slice_key in SLICES}
            for slice_key, *pair in pairs(data, "r1"):
                found[slice_key].append(tuple(pair))
            return found

        services.add_round("r1")
        runs = {slice_key: services.make_slice("r1", slice_key, ASSETS) for slice_key in SLICES}

        def are_under_way():
            for run in runs.values():
                assert services.status(run) not in ENDED, services.failures(run)
            return min(written().values()) >= 100

        wait_for("rollouts of both slices", are_under_way)
        assert [len(cluster.runs_of(worker)) >= 1 for worker in cluster.workers] == [True, True]

        lost_worker = cluster.workers[0]
        (lost_run,) = {run for run in runs.values() if run in " ".join(cluster.runs_of(lost_worker))}
        cluster.kill(lost_worker)
        began = time.monotonic()
        kept = ledger_seeds(data, "r1")
        assert services.wait(lost_run) == "FAILURE"
        noticed = time.monotonic() - began
        by_daemon, again = made_again(services, lost_run, runs)
        ends = [services.wait(run) for run in (*set(runs.values()) - {lost_run}, again)]
        assert ends == ["SUCCESS", "SUCCESS"], [services.failures(again), services.last_words(again)]
        released = services.launch("release", {"dagster/partition": "r1"}, ["process_labels_release"])
        assert services.wait(released) == "SUCCESS", services.failures(released)

        paid, everything = drawn(), pairs(data, "r1")
        repeated = drawn_twice(paid)
        assert len(everything) == len(set(everything))  # no rollout stands in the ledger twice
        assert ledger_seeds(data, "r1") <= {seed for seed, _ in paid}
        assert kept & repeated.keys() == set()  # what was written is never drawn again
        assert len(paid) - len(everything) <= WINDOW  # answered on the lost node and not written yet; nothing else
        assert all(replica.drawn() for replica in replicas)
        assert LocalRegistry(UPath(data / "releases")).latest("process_labels").version == "v0.1.0"
        told(
            "Ray worker killed",
            noticed_s=round(noticed, 1),
            made_again_by="Dagster" if by_daemon else "hand",
            written=len(kept),
            drawn=len(paid),
            in_ledger=len(everything),
            rollouts_drawn_again=len(repeated),
            tokens_drawn_again=sum(repeated.values()),
            by_replica=[len(replica.drawn()) for replica in replicas],
            said=services.last_words(lost_run)[-1].splitlines()[0],
        )
