"""The main job with Dagster's storage on PostgreSQL and the data root in an S3-compatible object store."""

import subprocess

import polars as pl
import pytest
from upath import UPath

from dagster_project.settings.file import load_settings
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from tests.deployment.dagster_services import DagsterServices
from tests.deployment.object_store import ObjectStore
from tests.deployment.policy_server import PolicyServer
from tests.deployment.postgres import PROGRAMS, Postgres
from tests.deployment.processes import ROOT
from tests.deployment.settings import write_settings

DATA_ROOT = "s3://stepmill/data"  # the bucket is made at the first write

pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.skipif(PROGRAMS is None, reason="no PostgreSQL is installed (Debian: apt-get install postgresql)"),
]


def test_a_round_is_made_and_released_over_postgres_and_an_object_store(tmp_path, monkeypatch):
    with ObjectStore(tmp_path) as objects, Postgres() as postgres, PolicyServer(tmp_path) as policy:
        settings = write_settings(tmp_path, policy.url, data_root=DATA_ROOT)
        env = objects.env | {"STEPMILL_SETTINGS": str(settings), "DAGSTER_POSTGRES_URL": postgres.url}
        instance = ROOT / "deploy" / "dagster.yaml"
        with DagsterServices(tmp_path / "dagster", env, instance=instance) as services:
            services.add_round("r1")
            made = services.make_slice("r1", "sums-0")
            assert services.wait(made, within_s=900) == "SUCCESS", services.failures(made)
            drawn = len(policy.drawn())
            again = services.make_slice("r1", "sums-0")
            assert services.wait(again, within_s=900) == "SUCCESS", services.failures(again)
            assert len(policy.drawn()) == drawn
            services.wait(services.make_release("r1"), within_s=900)
        assert list(services.home.rglob("*.db")) == []  # nothing of Dagster's storage is beside PostgreSQL
        for key, value in objects.env.items():
            monkeypatch.setenv(key, value)
        root = UPath(load_settings(settings).data_root)
        release = LocalRegistry(root / "releases").latest("process_labels")
        assert release.version == "v0.1.0"
        assert verify(release.path).findings == ()
        labels = pl.read_parquet((root / "tables/process_labels/r1/sums-0.parquet").read_bytes())
        assert sum(release.rows["full"].values()) == labels.height > 0
        count = [
            PROGRAMS / "psql",
            postgres.url.replace("+psycopg2", ""),
            "-Atc",
            "select count(*) from runs where status = 'SUCCESS'",
        ]
        assert int(subprocess.check_output(count)) >= 2
