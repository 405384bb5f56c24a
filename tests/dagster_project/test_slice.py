import pytest

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.slice import RunSlice
from dagster_project.slice_log import SliceLog
from generators.sampling.storage import StorageError


def test_adapters_want_a_local_folder(settings):
    remote = RunSlice(
        asset="contrastive_models",
        run_id="",
        log=SliceLog(),
        all_settings=settings,
        store=Store(data_root="memory://root"),
        cell=Cell(round="r1", slice="sums-0"),
        policy_resource=None,
        judge_resource=None,
        reward_resource=None,
    )
    with pytest.raises(StorageError, match=r"data_root is memory://root.*: set contrastive_models\.folder to a local"):
        _ = remote.adapters
