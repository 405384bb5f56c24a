"""`stepmill run --launch` against a real webserver, daemon and code server."""

import json
import os
import subprocess
import sys

import pytest

from tests.deployment.dagster_services import DagsterServices
from tests.deployment.policy_server import PolicyServer
from tests.deployment.processes import ROOT
from tests.deployment.settings import write_settings

pytestmark = pytest.mark.timeout(1200)


def test_a_running_dagster_makes_a_round_that_the_command_follows_to_its_releases(tmp_path):
    with PolicyServer(tmp_path) as policy:
        settings = write_settings(tmp_path, policy.url)
        with DagsterServices(tmp_path / "dagster", {"STEPMILL_SETTINGS": str(settings)}) as services:
            command = [sys.executable, "-m", "dagster_project.cli", "run", "--settings", settings, "--round", "r1"]
            done = subprocess.run(
                [*command, "--only", "process_labels", "--launch", services.url, "--json"],
                env=os.environ | {"DAGSTER_HOME": str(services.home), "PYTHONWARNINGS": "ignore"},
                cwd=ROOT,
                capture_output=True,
                text=True,
            )
            runs = services.runs()
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert [table["asset"] for table in result["tables"]] == ["problems", "attempts", "process_labels"]
    assert [release["version"] for release in result["released"]] == ["v0.1.0"]
    assert sorted((job, status) for job, status, _ in runs) == [("release", "SUCCESS"), ("slice", "SUCCESS")]
