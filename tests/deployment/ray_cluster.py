"""A Ray cluster of several nodes on this machine: a head without room for runs, and workers that can be killed."""

import json
import os
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from tests.deployment.processes import children, command_of, free_port, running, wait_for

RAY = Path(sys.executable).with_name("ray")
STORE = 80 * 2**20  # bytes of each node's object store, which runs do not use
# Jobs start the program `dagster` of this environment. Ray reports nothing to its makers, and asks for no token,
# even where one lies in the home folder.
ENV = {"PATH": f"{RAY.parent}:{os.environ['PATH']}", "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}


class RayCluster:
    """Nodes over a temporary folder of their own, since the paths of Ray's sockets must be short."""

    def __init__(self, folder, workers=2):
        self._folder = folder
        self._gcs = f"127.0.0.1:{free_port()}"
        dashboard = free_port()
        self.url = f"http://127.0.0.1:{dashboard}"
        self._head = ("--head", "--port", self._gcs.split(":")[1], "--dashboard-port", dashboard, "--num-cpus", 0)
        self._workers = workers
        self._stack = ExitStack()
        self.workers = []

    def __enter__(self):
        with ExitStack() as stack:
            temporary = tempfile.mkdtemp(prefix="ray")
            stack.callback(shutil.rmtree, temporary, ignore_errors=True)
            head = stack.enter_context(
                self._node("head", *self._head, "--temp-dir", temporary, "--ray-client-server-port", free_port())
            )
            wait_for("Ray's job server", self._answers, process=head, log=self._folder / "ray-head.log")
            for number in range(self._workers):  # one by one: two at once may choose the same socket
                name = f"worker-{number}"
                node = stack.enter_context(self._node(name, "--address", self._gcs, "--num-cpus", 1))
                self.workers.append(node)
                log = self._folder / f"ray-{name}.log"
                wait_for("Ray's worker", self._have_joined, process=node, log=log)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def runs_of(self, worker):
        """The command lines of the Dagster runs on a worker's node."""
        return [command for one in children(worker.pid) if "execute_run" in (command := command_of(one))]

    def kill(self, worker):
        """End a node as a loss of power does: everything on it, at once."""
        family = [psutil.Process(worker.pid), *children(worker.pid)]
        for one in family:
            one.suspend()
        for one in family:
            one.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=30)

    def _node(self, name, *arguments):
        ports = ("dashboard-agent-listen", "dashboard-agent-grpc", "metrics-export", "runtime-env-agent")
        chosen = [word for port in ports for word in (f"--{port}-port", free_port())]
        command = (RAY, "start", "--block", "--node-ip-address", "127.0.0.1", "--object-store-memory", STORE)
        return running(*command, *chosen, *arguments, log=self._folder / f"ray-{name}.log", env=ENV)

    def _answers(self):
        try:
            return urlopen(f"{self.url}/api/version", timeout=5).status == 200
        except (URLError, TimeoutError, ConnectionError):
            return False

    def _have_joined(self):
        nodes = json.load(urlopen(f"{self.url}/nodes?view=summary", timeout=30))["data"]["summary"]
        return sum(node["raylet"].get("state") == "ALIVE" for node in nodes) == len(self.workers) + 1
