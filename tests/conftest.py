import pytest

from generators.engine.embedded import embedded_model
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings


@pytest.fixture(scope="session")
def policy_server(tmp_path_factory):
    """One real server for the whole session, in float32 so that a seed repeats; started by the first test that asks."""
    settings = ServerSettings(
        model=embedded_model(), dtype="float32", max_model_len=2048, max_sequences=32, kv_cache_gib=1.0
    )
    with LocalServer(settings, log_path=tmp_path_factory.mktemp("server") / "vllm.log") as server:
        yield server
