"""A PostgreSQL server of its own for a test: a fresh cluster on loopback, gone with the context.

PostgreSQL refuses to run as root, so root starts it as the user that its package made.
"""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.deployment.processes import end, free_port, stops_with_its_owner, wait_for

_FOUND = [shutil.which("initdb"), *sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), reverse=True)]
PROGRAMS = next((Path(found).resolve().parent for found in _FOUND if found), None)


class Postgres:
    """A running server; `url` names its database."""

    def __init__(self):
        self.port = free_port()
        self.url = f"postgresql+psycopg2://stepmill@127.0.0.1:{self.port}/postgres"
        self._as = _account()
        self._stack = ExitStack()

    def __enter__(self):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stepmill-postgres-")))
            if self._as:
                shutil.chown(folder, self._as)
            data = folder / "data"
            self._run("initdb", "-D", data, "-A", "trust", "-U", "stepmill", "--no-sync", cwd=folder).communicate()
            serve = ("-D", data, "-k", folder, "-p", self.port, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
            server = self._run("postgres", *serve, cwd=folder)
            stack.callback(end, server)
            ready = [str(PROGRAMS / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            wait_for("postgres", lambda: subprocess.run(ready).returncode == 0, process=server)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def _run(self, program, *arguments, cwd):
        command = [str(PROGRAMS / program), *map(str, arguments)]
        return subprocess.Popen(
            command,
            cwd=cwd,
            user=self._as,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=stops_with_its_owner,
        )


def _account():
    if os.geteuid() != 0:
        return None
    return next(entry.pw_name for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name)
