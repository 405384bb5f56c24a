import asyncio
import threading
from contextlib import contextmanager

import dagster as dg
import pytest

from dagster_project.definitions import build
from dagster_project.settings.file import SettingsError, load_settings
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import SimulatedServer
from tests.dagster_project.conftest import LENIENT

SETTINGS = (
    """
data_root = "data"

[policy]
model = "simulated"
urls = ["{url}"]
give_up_s = 1
{more}

[[sources]]
kind = "simulated"
name = "sums"
size = 4

[attempts]
n = 2
max_tokens = 600
"""
    + LENIENT
)


@contextmanager
def served(error_rate):
    """A simulated server in a thread of its own."""
    loop, started, server = asyncio.new_event_loop(), threading.Event(), None

    async def serve():
        nonlocal server
        async with SimulatedServer(SimulatedPolicy(law=SimulatedLaw(error_rates=(error_rate,)))) as server:
            server.ended = asyncio.Event()
            started.set()
            await server.ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    started.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(server.ended.set)
        thread.join()
        loop.close()


def settings(folder, url, more=""):
    (folder / "stepmill.toml").write_text(SETTINGS.format(url=url, more=more))
    return load_settings(folder / "stepmill.toml")


def attempts(chosen, instance, round_):
    instance.add_dynamic_partitions("rounds", [round_])
    key = dg.MultiPartitionKey({"round": round_, "slice": "sums-0"})
    assets = [dg.AssetKey(name) for name in ("problems", "attempts")]
    job = build(chosen).resolve_job_def("slice")
    return job.execute_in_process(partition_key=key, instance=instance, asset_selection=assets, raise_on_error=False)


def sentence(result):
    (failure,) = result.get_step_failure_events()
    return str(failure.step_failure_data.error.message) + str(failure.step_failure_data.error.cause)


def test_other_weights_under_the_policys_name_are_refused_until_they_have_a_name_of_their_own(tmp_path):
    with served(0.1) as first, served(0.6) as other, dg.DagsterInstance.ephemeral() as instance:
        assert attempts(settings(tmp_path, first.url), instance, "r1").success
        refused = sentence(attempts(settings(tmp_path, other.url), instance, "r2"))
        drawn = list(other.policy.drawn)
        assert attempts(settings(tmp_path, other.url, 'revision = "step-200"'), instance, "r3").success
    assert f"{other.url} serves other weights than those that simulated@unversioned was first drawn from" in refused
    assert "set policy.revision to a name of the new weights" in refused
    assert drawn == []
    assert sorted(folder.name for folder in (tmp_path / "data/ledger").iterdir()) == [
        "simulated@step-200",
        "simulated@unversioned",
    ]


def test_credentials_in_a_url_are_used_and_stand_nowhere(tmp_path, monkeypatch):
    home, url = tmp_path / "home", "http://ann:PASSW0RD@127.0.0.1:9"
    home.mkdir()
    with served(0.1) as server, dg.DagsterInstance.local_temp(str(home)) as instance:
        asked = []
        complete = server._completions
        monkeypatch.setattr(server, "_is_authorised", lambda request: asked.append(request.headers) or True)
        assert complete is not None
        good = server.url.replace("http://", "http://ann:PASSW0RD@")
        assert attempts(settings(tmp_path, good), instance, "r1").success
        refused = sentence(attempts(settings(tmp_path, url), instance, "r2"))
    assert {headers.get("Authorization") for headers in asked} == {"Basic YW5uOlBBU1NXMFJE"}
    assert "http://127.0.0.1:9" in refused
    (tmp_path / "stepmill.toml").unlink()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if b"PASSW0RD" in path.read_bytes()]
    assert "PASSW0RD" not in refused


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("ann:PASSW0RD@gpu:8000", ""),
        ("http://ann:PASSW0RD@gpu:port", ""),
        ("http://ann:PASSW0RD@gpu", 'api_key_env = "KEY"'),
        ("http://ann:PASSW0RD@gpu", 'server_args = ["--api-key", "k"]'),
    ],
)
def test_wrong_settings_are_refused_without_the_credentials_in_them(tmp_path, url, more):
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, url, more)
    assert "PASSW0RD" not in str(refused.value)
    assert "policy." in str(refused.value)
