"""The simulated policy's server as a process that can be killed, and started again at the same address."""

import json
import signal
from contextlib import ExitStack
from urllib.request import urlopen

from tests.deployment.processes import free_port, python, wait_for


class PolicyServer:
    """Serves while its context is entered; `seconds_per_token` says how slowly."""

    def __init__(self, folder, seconds_per_token=0.0):
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._log = folder / "policy.log"
        self._command = ("--port", port, "--seconds-per-token", seconds_per_token)
        self._stack = ExitStack()
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def start(self):
        self._log.write_text("")
        module = ("-m", "generators.engine.simulated.server")
        self._process = self._stack.enter_context(python(*module, *self._command, log=self._log))
        wait_for("policy's server", self._log.read_text, process=self._process, log=self._log)

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def drawn(self):
        """Every sequence that was answered since the start: its seed and its length in tokens."""
        return [(seed, tokens) for _, seed, tokens in json.load(urlopen(f"{self.url}/simulated/drawn"))]
