"""A real router process in front of policy servers: vllm-router, which keeps what begins alike on one replica."""

from contextlib import ExitStack
from importlib.util import find_spec
from urllib.error import URLError
from urllib.request import urlopen

from tests.deployment.processes import free_port, python, wait_for

IS_INSTALLED = find_spec("vllm_router") is not None


class Router:
    """Serves while its context is entered; `options` are further arguments of the router."""

    def __init__(self, folder, replicas, *options):
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._log = folder / "router.log"
        quick = ("--worker-startup-check-interval", 1, "--prometheus-port", free_port())
        self._command = ("--port", port, "--worker-urls", *replicas, *quick, *options)
        self._stack = ExitStack()

    def __enter__(self):
        module = ("-m", "vllm_router.launch_router")
        process = self._stack.enter_context(python(*module, *self._command, log=self._log))
        wait_for("router", self._answers, process=process, log=self._log)
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def _answers(self):
        try:
            return urlopen(f"{self.url}/health", timeout=5).status == 200
        except (URLError, TimeoutError, ConnectionError):
            return False
