from types import SimpleNamespace

import dagster as dg
import pytest

from dagster_project.resources.store import Store
from dagster_project.settings.file import load_settings
from generators.datasets import DATASETS
from tests.dagster_project.conftest import SETTINGS, runner


def pytest_generate_tests(metafunc):
    if "dataset" in metafunc.fixturenames:
        metafunc.parametrize("dataset", DATASETS, ids=[dataset.name for dataset in DATASETS])


def world_in(folder, rounds, **changes):
    """Some rounds of all datasets, made and released: settings, store, and the results by round and by slice or job."""
    text = SETTINGS.format(policy="")
    for old, new in changes.values():
        text = text.replace(old, new)
    (folder / "stepmill.toml").write_text(text)
    settings = load_settings(folder / "stepmill.toml")
    results = {}
    with dg.DagsterInstance.ephemeral() as instance:
        make = runner(instance)
        for key in rounds:
            for slice_key in settings.slices():
                results[key, slice_key] = make(settings, "slice", key, slice_key)
            results[key, "release"] = make(settings, "release", key)
    return SimpleNamespace(settings=settings, store=Store(data_root=settings.data_root), results=results)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Two rounds on two slices with rows of every dataset."""
    return world_in(tmp_path_factory.mktemp("world"), ["r1", "r2"], size=("size = 12", "size = 48"))


@pytest.fixture(scope="session")
def small_world(tmp_path_factory):
    """One problem in two slices, so that one slice is empty."""
    nothing_is_enough = ("[checks.least_yield]", "[checks.least_yield]\nproblems = 0")
    folder = tmp_path_factory.mktemp("small")
    return world_in(folder, ["r1"], size=("size = 12", "size = 1"), least=nothing_is_enough)
