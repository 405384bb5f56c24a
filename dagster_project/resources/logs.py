"""A folder for logs that only this user can read: logs of a server may hold prompts.

It lies among the user's state (`XDG_STATE_HOME`). Where that cannot be made, or belongs to somebody else, a new folder
with a name that nobody can foresee takes its place.
"""

import os
import stat
import tempfile
from functools import cache
from pathlib import Path

from platformdirs import user_state_path


@cache
def private_logs() -> Path:
    """The folder, the same one for the life of this process."""
    ours = own_folder(user_state_path("stepmill"))
    return (ours and own_folder(ours / "logs")) or Path(tempfile.mkdtemp(prefix="stepmill-logs-"))


def own_folder(path: Path) -> Path | None:
    """The folder at `path`, made if need be and closed to others; None if it is not this user's own, or a link."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return None
        path.chmod(0o700)
    except OSError:
        return None  # a home that is read-only or missing, as in a container: the caller has another place
    return path
