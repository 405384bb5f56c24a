"""An S3-compatible object store on loopback, in memory; gone with the context."""

from contextlib import ExitStack
from urllib.error import URLError
from urllib.request import urlopen

from tests.deployment.processes import free_port, python, wait_for


class ObjectStore:
    """A running store; `env` is what a client of it needs in its environment."""

    def __init__(self, folder):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "stepmill",
            "AWS_SECRET_ACCESS_KEY": "stepmill",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self._log = folder / "objects.log"
        self._stack = ExitStack()

    def __enter__(self):
        server = self._stack.enter_context(
            python("-m", "moto.server", "-H", "127.0.0.1", "-p", self.port, log=self._log)
        )
        wait_for("object store", self._answers, process=server, log=self._log)
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def _answers(self):
        try:
            return urlopen(self.url, timeout=30).status == 200
        except (URLError, ConnectionError, TimeoutError):
            return False
