"""Two runs of one slice: the second waits for the first, or says who holds the ledger; nothing is paid twice."""

import dagster as dg
import polars as pl

from dagster_project.definitions import build
from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.settings.file import load_settings
from generators.sampling.ledger import Ledger, totals
from tests.dagster_project.conftest import LENIENT

SETTINGS = (
    """
data_root = "data"
ledger_wait_s = {wait_s}

[policy]
model = "simulated"

[[sources]]
kind = "simulated"
name = "sums"
size = 6
"""
    + LENIENT
)
CELL = Cell(round="r1", slice="sums-0")


def make(settings):
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("rounds", [CELL.round])
        return (
            build(settings)
            .resolve_job_def("slice")
            .execute_in_process(
                partition_key=dg.MultiPartitionKey({"round": CELL.round, "slice": CELL.slice}),
                asset_selection=[dg.AssetKey("problems"), dg.AssetKey("attempts")],
                instance=instance,
                raise_on_error=False,
            )
        )


def test_a_second_run_names_the_first_draws_nothing_and_may_be_retried(tmp_path):
    (tmp_path / "stepmill.toml").write_text(SETTINGS.format(wait_s=0))
    settings = load_settings(tmp_path / "stepmill.toml")
    store = Store(data_root=settings.data_root)
    policy = "simulated"
    with Ledger(store.ledger_folder(policy, CELL), run="the first"):
        (failed,) = make(settings).get_step_failure_events()
        said = failed.step_failure_data.error.message
        assert "another run holds the lease of" in said
        assert "run the first, process" in said
        assert totals([store.ledger_folder(policy, CELL)]) == {"rollouts": 0, "generated": 0}
    assert make(settings).success
    table = pl.read_parquet(tmp_path / "data/tables/attempts/r1/sums-0.parquet")
    assert totals([store.ledger_folder(policy, CELL)])["rollouts"] == table.height
    assert table.height > 0
