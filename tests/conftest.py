import shutil
import signal

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session
from hypothesis import settings as property_tests

from generators.engine.embedded import embedded_model
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from tests.hub.server import WRITER, HubServer

property_tests.register_profile("stepmill", deadline=None)  # no test depends on how busy the machine is
property_tests.load_profile("stepmill")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a terminal, where a script started the tests in the background: Dagster gives SIGTERM what SIGINT has.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    parser.addoption("--screenshots", metavar="FOLDER", help="write the pictures of the browser tests there")
    parser.addoption("--releases", metavar="FOLDER", help="draw these releases, not those of the simulated rounds")
    parser.addoption("--renew-frozen", action="store_true", help="store the round of test_frozen_round.py again")


def pytest_collection_modifyitems(items):
    """Of two processes, one runs all tests on the real engine; other tests stay together by file."""
    for item in items:
        group = "engine" if item.get_closest_marker("engine") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def policy_server(tmp_path_factory):
    """One real server for all tests of a process, in float32 so that a seed repeats; started by the first test that asks."""
    settings = ServerSettings(
        model=embedded_model(), dtype="float32", max_model_len=2048, max_sequences=32, kv_cache_gib=1.0
    )
    with LocalServer(settings, log_path=tmp_path_factory.mktemp("server") / "vllm.log") as server:
        yield server


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Two rounds on two slices with rows of every dataset, made and released once for all tests that read them."""
    from tests.dagster_project.conftest import rounds_in  # importing Dagster takes seconds, and most tests need none

    return rounds_in(tmp_path_factory.mktemp("world"), ["r1", "r2"], ("size = 12", "size = 48"))


@pytest.fixture
def copied_world(world, tmp_path):
    """The settings of `world` over a copy of its data root, for a test that changes something there."""
    root = shutil.copytree(world.settings.data_root, tmp_path / "data")
    return world.settings.model_copy(update={"data_root": str(root)})


@pytest.fixture
def hub(monkeypatch):
    """A Hub on the loopback, with a token that may write in the environment."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", WRITER)
        yield server
    close_session()
