"""A vLLM server as a local process: healthy when `start` returns, and gone when its owner is gone.

Clients talk to `url`. A keeper process makes sure that no part of the server outlives its owner.
"""

import http.client
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Self

from generators.engine import keeper
from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.errors import EngineError, EngineLost, EngineMisconfigured
from generators.engine.server_settings import ServerSettings, vllm_command, vllm_environment

Command = Callable[[ServerSettings, int], Sequence[str]]

GRACE_S = 4.0
PROGRESS_EVERY_S = 10.0

# Log lines of vLLM that mean a person must change something; a restart would only repeat them.
FATAL = re.compile(
    r"is not a (valid|local)|Repo(sitory)? ?(id|Not ?Found)|does not appear to have a file"
    r"|find them in the cached files|Can't load the configuration|gated repo|401 Client Error"
    r"|max_model_len \(|unrecognized arguments|argument --|model type .* not recognize"
    r"|architectures .* (failed|not supported)|No module named vllm|[Nn]ot enough .*memory"
    r"|larger than the available KV cache|less than desired GPU memory"
)
PHASES = (
    ("Starting to load model", "loading the weights"),
    ("KV cache size", "preparing the cache"),
    ("Starting vLLM server", "opening the port"),
)


class LocalServer:
    """One server process with one address and a key of its own; every restart appends to the log at `log_path`.

    Restarts keep the key. `command` builds the command line from the settings and a port; the process must answer
    `GET /health` on that port without a key, and read the key from VLLM_API_KEY. It may be stopped from another thread
    than the one that starts it.
    """

    def __init__(self, settings: ServerSettings, *, log_path: Path, command: Command = vllm_command) -> None:
        self.settings = settings
        self.log_path = log_path
        self._command = command
        self._port = _free_port()
        self.api_key = secrets.token_urlsafe(32)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._log_start = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The server's root on loopback; restarts keep it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def model_name(self) -> str:
        """The name under which the server offers the model."""
        return self.settings.served_name

    def client(self, settings: ClientSettings | None = None) -> VLLMClient:
        """A client that has the server's key."""
        return VLLMClient(self.url, model=self.model_name, api_key=self.api_key, settings=settings or ClientSettings())

    def start(self, on_progress: Callable[[str], None] = lambda _: None) -> None:
        """Start the process and block until it is healthy.

        Raises EngineMisconfigured if the log shows what a person must change, and EngineLost if the process ends for
        another reason or is not healthy within `start_timeout_s`.
        """
        self.settings.check_model()
        if not self.is_alive():
            self.stop()  # closes the pipes of a process that ended by itself
        on_progress(f"starting a server for {self.model_name}, log at {self.log_path}")
        began = time.monotonic()
        with self._lock:
            self._spawn()
        try:
            self._await_health(began, on_progress)
        except BaseException:
            self.stop()
            raise
        on_progress(f"the server answers at {self.url} after {time.monotonic() - began:.0f} s")

    def stop(self) -> None:
        """End the process and everything that it started, within a few seconds; does nothing if nothing runs."""
        with self._lock:
            process, pid, self._keeper, self._pid = self._keeper, self._pid, None, None
            if process is None:
                return
            assert process.stdin is not None and process.stdout is not None
            process.stdin.close()
            process.terminate()  # a fork of ours may hold a copy of the pipe, which would hide that we closed it
            try:
                process.wait(GRACE_S + 5)
            except subprocess.TimeoutExpired:
                process.kill()
            if process.wait() < 0:  # the keeper itself was killed
                _kill_group(pid)
            process.stdout.close()

    def restart(self) -> None:
        """End what is left of the process and block until a new one is healthy; raises what `start` raises."""
        self.stop()
        self.start()

    def is_alive(self) -> bool:
        """Whether the process runs; it may not answer."""
        process = self._keeper
        return process is not None and process.poll() is None

    def describe(self) -> str:
        """What it is and where its log is, for error messages."""
        process = f"pid {self._pid}" if self.is_alive() else "not running"
        return f"local server of {self.model_name} ({process}), log at {self.log_path}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def _spawn(self) -> None:
        if self.is_alive():
            raise EngineError(f"{self.describe()} is already started: stop it first")
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self._keeper = subprocess.Popen(
                _keeper_command(self._command(self.settings, self._port)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=vllm_environment(self.api_key),
                start_new_session=True,
            )
        assert self._keeper.stdout is not None
        self._pid = _read_pid(self._keeper.stdout)

    def _await_health(self, began: float, on_progress: Callable[[str], None]) -> None:
        last_report = began
        while not _is_healthy(self._port):
            now = time.monotonic()
            if not self.is_alive():
                raise self._failure("ended before it was ready")
            if now - began > self.settings.start_timeout_s:
                limit = f"start_timeout_s = {self.settings.start_timeout_s:g}"
                raise self._failure(f"was not ready within {limit}: raise it if the log shows progress")
            if now - last_report >= PROGRESS_EVERY_S:
                last_report = now
                on_progress(f"{_phase(self._log())} ({now - began:.0f} s)")
            time.sleep(0.2)

    def _log(self) -> list[str]:
        """The log lines since the last start."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return [line.rstrip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]

    def _failure(self, failure: str) -> EngineError:
        lines = self._log()
        decisive = [line for line in lines if FATAL.search(line)]
        where = f"log at {self.log_path}"
        if decisive:
            return EngineMisconfigured(
                f"the server of {self.model_name} cannot start: {_shortened(decisive[-1])} "
                f"({where}): change the policy's settings"
            )
        last = " | ".join(_shortened(line) for line in lines[-3:]) or "nothing"
        return EngineLost(f"the server of {self.model_name} {failure}; its last words: {last} ({where})")


def _keeper_command(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-I", str(Path(keeper.__file__)), str(os.getpid()), str(GRACE_S), *command]


def _kill_group(group: int | None) -> None:
    if group is not None:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return  # it has already ended


def _read_pid(pipe: IO[bytes]) -> int | None:
    line = pipe.readline()  # empty when the command could not be started; the log says why
    return int(line) if line else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _phase(log: Sequence[str]) -> str:
    reached = [phase for marker, phase in PHASES if any(marker in line for line in log)]
    return f"the server is {reached[-1] if reached else 'starting'}"


def _shortened(line: str) -> str:
    return line.strip() if len(line.strip()) <= 300 else line.strip()[:297] + "..."
