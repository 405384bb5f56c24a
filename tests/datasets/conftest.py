import pytest

from generators.datasets import DATASETS
from tests.dagster_project.conftest import rounds_in


def pytest_generate_tests(metafunc):
    if "dataset" in metafunc.fixturenames:
        metafunc.parametrize("dataset", DATASETS, ids=[dataset.name for dataset in DATASETS])


@pytest.fixture(scope="session")
def small_world(tmp_path_factory):
    """One problem in two slices, so that one slice is empty."""
    nothing_is_enough = ("[checks.least_yield]", "[checks.least_yield]\nproblems = 0")
    return rounds_in(tmp_path_factory.mktemp("small"), ["r1"], ("size = 12", "size = 1"), nothing_is_enough)
