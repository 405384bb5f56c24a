"""Runs that are struck while they sample, in Dagster's own processes: made again, each goes on where it was."""

import time

import psutil
import pytest

from tests.deployment.cost import drawn_twice, ledger_seeds, told
from tests.deployment.dagster_services import ENDED, DagsterServices
from tests.deployment.policy_server import PolicyServer
from tests.deployment.processes import ROOT, command_of, wait_for
from tests.deployment.settings import write_settings

ASSETS = ("problems", "attempts", "process_labels")
WINDOW = 2 * 256 + 16  # rollouts of the lot that is being written, of the one that waits, and in flight

pytestmark = pytest.mark.timeout(900)


class Site:
    """A deployment over a slow policy, and what its rounds cost."""

    def __init__(self, folder, policy, services):
        self.data = folder / "data"
        self.policy = policy
        self.services = services
        self._earlier = []
        self._start = 0

    def drawn(self):
        """What the policy answered since the round began."""
        return [*self._earlier, *self.policy.drawn()][self._start :]

    def kill_policy(self):
        self._earlier = self.policy.drawn()  # a new process begins to count anew
        self.policy.kill()

    def begun(self, round_key):
        """A run of a new round, once enough of its rollouts are in the ledger."""
        self._earlier = []
        self._start = len(self.policy.drawn())
        self.services.add_round(round_key)
        run = self.services.make_slice(round_key, "sums-0", ASSETS)
        wait_for("rollouts in the ledger", lambda: self._has_written(run, round_key))
        return run

    def _has_written(self, run, round_key):
        assert self.services.status(run) not in ENDED, self.services.failures(run)
        return len(ledger_seeds(self.data, round_key)) >= 300

    def made_again(self, fault, round_key, **figures):
        """Make the round to its end, and check that nothing which was written is drawn twice; tells the cost."""
        written = ledger_seeds(self.data, round_key)
        drawn = len(self.drawn())
        began = time.monotonic()
        run = self.services.make_slice(round_key, "sums-0", ASSETS)
        wait_for("new rollouts", lambda: len(self.drawn()) > drawn)
        sampling = time.monotonic() - began
        assert self.services.wait(run) == "SUCCESS", self.services.failures(run)
        lost = drawn_twice(self.drawn())
        assert written & lost.keys() == set()
        assert len(lost) <= WINDOW
        cost = {"rollouts_drawn_again": len(lost), "tokens_drawn_again": sum(lost.values())}
        told(fault, **figures, written=len(written), **cost, sampling_again_s=round(sampling, 1))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    with PolicyServer(folder, seconds_per_token=0.002) as policy:
        settings = write_settings(folder, policy.url, size=60)
        with DagsterServices(folder / "dagster", {"STEPMILL_SETTINGS": str(settings)}) as services:
            yield Site(folder, policy, services)


def test_a_run_that_is_cancelled_goes_on_where_it_was(site):
    run = site.begun("cancelled")
    began = time.monotonic()
    site.services.terminate(run)
    assert site.services.wait(run) == "CANCELED"
    ended = time.monotonic() - began
    wait_for("end of its processes", lambda: not site.services.workers(), within_s=60)
    site.made_again("cancelled", "cancelled", ended_s=round(ended, 1), said=site.services.last_words(run)[-1])


def test_a_run_whose_worker_is_killed_is_seen_to_fail_and_goes_on_where_it_was(site):
    run = site.begun("killed")
    family = site.services.workers()
    worker = max(family, key=lambda one: one.cpu_times().user)
    began = time.monotonic()
    worker.kill()
    assert site.services.wait(run) == "FAILURE"
    noticed = time.monotonic() - began
    psutil.wait_procs(family, timeout=60)
    assert [one.pid for one in family if one.is_running()] == []
    said = site.services.last_words(run)[-1]
    site.made_again("worker killed", "killed", noticed_s=round(noticed, 1), said=said)


def test_a_webserver_that_is_restarted_disturbs_no_run(site):
    run = site.begun("restarted")
    began = time.monotonic()
    site.services.restart_webserver()
    away = time.monotonic() - began
    assert site.services.wait(run) == "SUCCESS"
    assert drawn_twice(site.drawn()) == {}
    told("webserver restarted", away_s=round(away, 1), rollouts_drawn_again=0)


def test_a_run_whose_only_policy_server_is_killed_says_so_and_goes_on_where_it_was(site):
    run = site.begun("without_policy")
    began = time.monotonic()
    site.kill_policy()
    assert site.services.wait(run) == "FAILURE"
    noticed = time.monotonic() - began
    (said,) = site.services.failures(run)
    assert site.policy.url in said
    assert "check that it runs and is reachable" in said
    site.policy.start()
    site.made_again("policy's server killed", "without_policy", noticed_s=round(noticed, 1), said=said)


def test_a_run_that_is_cancelled_leaves_no_server_of_its_own(tmp_path):
    (tmp_path / "stepmill.toml").write_text(
        'data_root = "data"\n[policy]\nmodel = "embedded"\n[[sources]]\nname = "sums"\nkind = "procedural"\n'
        'task = "chain_sum"\nsize = 4\nworked_examples = "chain_sum"\n'
    )
    env = {
        "STEPMILL_SETTINGS": str(tmp_path / "stepmill.toml"),
        "PYTHONPATH": f"{ROOT / 'tests' / 'deployment' / 'stand_in'}:{ROOT}",
        "STAND_IN_ANSWER": "never",
    }
    with DagsterServices(tmp_path / "dagster", env) as services:
        services.add_round("r1")
        run = services.make_slice("r1", "sums-0", ASSETS)
        servers = wait_for("server", lambda: [one for one in services.workers() if "api_server" in command_of(one)])
        began = time.monotonic()
        services.terminate(run)
        assert services.wait(run) == "CANCELED"
        psutil.wait_procs(servers, timeout=60)
        assert [one.pid for one in servers if one.is_running()] == []
        told("cancelled with a server of its own", servers=len(servers), gone_s=round(time.monotonic() - began, 1))
