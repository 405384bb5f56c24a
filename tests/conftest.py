import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session

from generators.engine.embedded import embedded_model
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from tests.hub.server import WRITER, HubServer


def pytest_addoption(parser):
    parser.addoption("--screenshots", metavar="FOLDER", help="write the pictures of the browser tests there")
    parser.addoption("--renew-frozen", action="store_true", help="store the round of test_frozen_round.py again")


@pytest.fixture(scope="session")
def policy_server(tmp_path_factory):
    """One real server for the whole session, in float32 so that a seed repeats; started by the first test that asks."""
    settings = ServerSettings(
        model=embedded_model(), dtype="float32", max_model_len=2048, max_sequences=32, kv_cache_gib=1.0
    )
    with LocalServer(settings, log_path=tmp_path_factory.mktemp("server") / "vllm.log") as server:
        yield server


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
