"""The launcher for SLURM makes a round of two slices by two policy servers, on a stand-in for SLURM."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from upath import UPath

from releases.registry.local import LocalRegistry
from tests.deployment.processes import ROOT, children, wait_for
from tests.deployment.settings import write_settings
from tests.deployment.test_ray_round import pairs

STAND_IN = Path(__file__).with_name("slurm_stand_in.py")
SERVER = 'shift\nexec "$STEPMILL_PYTHON" -m tests.deployment.simulated_vllm "$@"\n'

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def cluster(tmp_path):
    """The environment of a user of the cluster; every job ends with the test."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sbatch", "scancel"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} {name} "$@"\n')
    (programs / "vllm").write_text("#!/bin/bash\n" + SERVER)
    for program in programs.iterdir():
        program.chmod(0o755)
    jobs = tmp_path / "jobs"
    yield os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "SLURM": str(jobs),
        "STEPMILL_PYTHON": sys.executable,
        "STEPMILL_RUN": str(tmp_path / "run"),
        "POLICIES": "2",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    for file in jobs.glob("*/pid"):
        pid = int(file.read_text())
        family = [one for one in [*children(pid), *_own(pid)] if one.is_running()]
        for one in family:
            one.kill()


def _own(pid):
    return [psutil.Process(pid)] if psutil.pid_exists(pid) else []


def test_a_round_is_made_by_an_array_of_servers_and_an_array_of_slices(tmp_path, cluster):
    settings = write_settings(tmp_path, "replaced-by-each-job", size=12, shards=2)
    settings.write_text(settings.read_text().replace('urls = ["replaced-by-each-job"]', "urls = []"))
    command = ["bash", ROOT / "deploy" / "slurm" / "round.sh", settings, "r1", "--only", "process_labels"]
    told = subprocess.run(command, env=cluster, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("policy 1, slices 2, release 3; logs in ")
    jobs, logs = Path(cluster["SLURM"]), Path(cluster["STEPMILL_RUN"]) / "logs"

    def said():
        return "\n".join(f"{file.name}\n{file.read_text()[-2000:]}" for file in sorted(logs.iterdir()))

    wait_for("the release's job", (jobs / "3" / "codes").exists)
    assert json.loads((jobs / "2" / "codes").read_text()) == [0, 0], said()
    assert json.loads((jobs / "3" / "codes").read_text()) == [0], said()
    assert LocalRegistry(UPath(tmp_path / "data" / "releases")).latest("process_labels").version == "v0.1.0"
    found = pairs(tmp_path / "data", "r1")
    assert {slice_key for slice_key, *_ in found} == {"sums-0", "sums-1"}
    assert len(found) == len(set(found))
    wait_for("end of the policy's servers", (jobs / "1" / "codes").exists)
    assert list((Path(cluster["STEPMILL_RUN"]) / "urls").iterdir()) == []
