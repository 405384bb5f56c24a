import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.embedded import embedded_model
from generators.engine.errors import EngineLost, EngineMisconfigured
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings, cpu_dtype, vllm_command
from generators.engine.tokenizer import HFTokenizer

ROOT = Path(__file__).parents[3]

# A server with a grandchild in its group and one in a session of its own; writes all three pids before it answers.
STAND_IN = """
import http.server, json, os, subprocess, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health)
children = [subprocess.Popen(["sleep", "600"], start_new_session=own) for own in (False, True)]
open(sys.argv[2], "w").write(json.dumps([os.getpid(), *(child.pid for child in children)]))
server.serve_forever()
"""

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STAND_IN

OWNER = """
import os, sys, time
from pathlib import Path
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
script, pids, log = sys.argv[1:]
command = lambda settings, port: [sys.executable, "-c", script, str(port), pids]
server = LocalServer(ServerSettings(model="stand-in"), log_path=Path(log), command=command)
server.start()
if os.fork() == 0:
    time.sleep(3)  # a worker that holds a copy of the keeper's pipe for a while
    os._exit(0)
print("ready", flush=True)
time.sleep(600)
"""


def stand_in(tmp_path, script=STAND_IN, **settings):
    return LocalServer(
        ServerSettings(model="stand-in", **settings),
        log_path=tmp_path / "server.log",
        command=lambda _, port: [sys.executable, "-c", script, str(port), str(tmp_path / "pids")],
    )


def pids(tmp_path):
    return json.loads((tmp_path / "pids").read_text())


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def left_after(seconds, processes):
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in processes if is_running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def test_a_started_server_is_healthy_and_a_stopped_one_leaves_nothing_behind(tmp_path):
    said = []
    server = stand_in(tmp_path)
    server.start(said.append)
    assert server.is_alive()
    assert server.url in said[-1] and str(server.log_path) in said[0]
    assert f"pid {pids(tmp_path)[0]}" in server.describe() and str(server.log_path) in server.describe()
    server.stop()
    assert not server.is_alive()
    assert left_after(0, pids(tmp_path)) == []
    server.stop()


def test_a_server_that_ignores_sigterm_is_killed_within_seconds(tmp_path):
    with stand_in(tmp_path, script=STUBBORN):
        began = time.monotonic()
    assert time.monotonic() - began < 8
    assert left_after(0, pids(tmp_path)) == []


def test_a_restart_replaces_every_process_and_keeps_the_address(tmp_path):
    with stand_in(tmp_path) as server:
        url, before = server.url, pids(tmp_path)
        os.kill(before[0], signal.SIGKILL)
        server.restart()
        assert server.url == url
        assert server.is_alive()
        assert left_after(0, before) == []


@pytest.mark.parametrize("whole_group", [False, True])
def test_nothing_outlives_an_owner_that_is_killed(tmp_path, whole_group):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, STAND_IN, str(tmp_path / "pids"), str(tmp_path / "server.log")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with owner:
        assert owner.stdout.readline() == b"ready\n"
        keeper = psutil.Process(pids(tmp_path)[0]).ppid()
        (os.killpg if whole_group else os.kill)(owner.pid, signal.SIGKILL)
    assert left_after(10, [keeper, *pids(tmp_path)]) == []


def test_a_server_whose_keeper_is_killed_ends_too(tmp_path):
    with stand_in(tmp_path) as server:
        keeper = psutil.Process(pids(tmp_path)[0]).ppid()
        os.kill(keeper, signal.SIGKILL)
        assert left_after(10, pids(tmp_path)[:1]) == []
        assert left_after(10, [keeper]) == []
        assert not server.is_alive()
    for stray in pids(tmp_path)[2:]:  # a session of its own is beyond a dead keeper's reach
        os.kill(stray, signal.SIGKILL)


def test_a_server_that_ends_at_once_is_lost_with_its_last_words_and_its_log(tmp_path):
    server = stand_in(tmp_path, script="raise SystemExit('out of luck')")
    with pytest.raises(EngineLost, match=r"ended before it was ready.*out of luck.*server\.log"):
        server.start()
    assert not server.is_alive()


def test_a_command_that_does_not_exist_is_lost_with_the_reason(tmp_path):
    server = LocalServer(
        ServerSettings(model="stand-in"), log_path=tmp_path / "server.log", command=lambda *_: ["/no/such/program"]
    )
    with pytest.raises(EngineLost, match=r"/no/such/program.*server\.log"):
        server.start()


def test_a_server_that_never_gets_healthy_is_lost_when_its_time_is_up(tmp_path):
    server = stand_in(tmp_path, script="import time; time.sleep(600)", start_timeout_s=0.3)
    with pytest.raises(EngineLost, match=r"not ready within start_timeout_s = 0\.3.*server\.log"):
        server.start()
    assert not server.is_alive()


@pytest.mark.parametrize(
    "line",
    [
        "OSError: We couldn't connect to 'https://huggingface.co' and couldn't find them in the cached files.",
        "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. Repository Not Found for url",
        "Value error, User-specified max_model_len (99999) is greater than the derived max_model_len",
        "api_server.py: error: unrecognized arguments: --no-such-flag",
    ],
)
def test_a_log_line_that_only_a_person_can_answer_makes_it_misconfigured(tmp_path, line):
    script = f"import sys; print('INFO loading'); print({line!r}); print('shutting down'); sys.exit(1)"
    with pytest.raises(EngineMisconfigured) as raised:
        stand_in(tmp_path, script=script).start()
    assert line in str(raised.value)
    assert str(tmp_path / "server.log") in str(raised.value)


def test_an_old_failure_in_the_log_is_not_blamed_on_a_new_start(tmp_path):
    (tmp_path / "server.log").write_text("error: unrecognized arguments: --from-yesterday\n")
    with pytest.raises(EngineLost, match="out of luck"):
        stand_in(tmp_path, script="raise SystemExit('out of luck')").start()


@pytest.mark.parametrize(
    ("model", "message"), [("missing", "no model folder"), (".", r"has no config\.json")], ids=["missing", "empty"]
)
def test_a_folder_without_a_model_is_refused_before_anything_starts(tmp_path, model, message):
    settings = ServerSettings(model=tmp_path / model)
    with pytest.raises(EngineMisconfigured, match=message):
        LocalServer(settings, log_path=tmp_path / "server.log").start()
    assert not (tmp_path / "server.log").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dtype": "int3"}, "dtype must be one of auto, bfloat16, float32, got 'int3'"),
        ({"max_model_len": 0}, "max_model_len must be at least 1, got 0"),
        ({"max_sequences": 0}, "max_sequences must be at least 1, got 0"),
        ({"kv_cache_gib": 0}, "kv_cache_gib must be above 0, got 0"),
        ({"start_timeout_s": -1}, "start_timeout_s must be above 0, got -1"),
    ],
)
def test_a_setting_out_of_bounds_is_named(settings, message):
    with pytest.raises(ValueError, match=message):
        ServerSettings(model="some/model", **settings)


@pytest.mark.parametrize(
    ("flags", "dtype", "meant"),
    [
        ("fma avx2", "auto", "float32"),
        ("avx2 avx512f avx512_bf16", "auto", "auto"),
        ("asimd bf16", "auto", "auto"),
        ("fma avx2", "bfloat16", "bfloat16"),
    ],
)
def test_auto_is_float32_on_a_cpu_without_bfloat16(tmp_path, flags, dtype, meant):
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    assert cpu_dtype(dtype, tmp_path / "cpuinfo") == meant


# A server that asks for the key in its environment as vLLM does: below /v1, and not for its health.
KEYED = """
import os, sys
from generators.engine.simulated.server import main
main(["--port", sys.argv[1], "--api-key", os.environ["VLLM_API_KEY"]])
"""


def test_a_server_of_a_run_has_a_key_of_its_own_whatever_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", "the-users-own")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    server = LocalServer(
        ServerSettings(model="simulated"),
        log_path=tmp_path / "server.log",
        command=lambda _, port: [sys.executable, "-c", KEYED, str(port)],
    )

    async def served(client):
        async with client:
            return (await client.model_info()).name

    with server:
        assert asyncio.run(served(server.client())) == "simulated"
        client = server.client()
        server.restart()
        assert asyncio.run(served(client)) == "simulated"
        for key in (None, "the-users-own"):
            stranger = VLLMClient(server.url, model="simulated", api_key=key, settings=ClientSettings())
            with pytest.raises(EngineMisconfigured, match=r"\(401\)"):
                asyncio.run(served(stranger))
        keeper = psutil.Process(server._keeper.pid)
        shown = [" ".join(process.cmdline()) for process in (keeper, *keeper.children(recursive=True))]
    assert len(server.api_key) >= 32
    assert not [line for line in [*shown, server.describe(), server.log_path.read_text()] if server.api_key in line]
    assert stand_in(tmp_path).api_key != server.api_key


@pytest.mark.parametrize("arguments", [("--api-key", "k"), ("--api-key=k",)])
def test_arguments_must_not_replace_the_key(arguments):
    with pytest.raises(ValueError, match=r"server_args must not hold --api-key: .* gets a key of its own"):
        ServerSettings(model="some/model", extra_args=arguments)


def test_extra_arguments_come_last_so_that_they_win():
    command = vllm_command(ServerSettings(model="some/model", revision="abc", extra_args=("--port", "1")), 8000)
    assert command[-2:] == ["--port", "1"]
    assert command[command.index("--revision") + 1] == "abc"


def complete(server, body):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=120)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.api_key}"}
    try:
        connection.request("POST", "/v1/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
    finally:
        connection.close()
    assert answer.status == 200, content
    return content["choices"][0]


@pytest.mark.engine
def test_the_real_server_continues_token_ids_and_a_seed_repeats(policy_server):
    prompt = HFTokenizer(embedded_model()).chat([{"role": "user", "content": "What is 2 + 3?"}])
    body = {"model": policy_server.model_name, "prompt": list(prompt), "max_tokens": 24, "return_token_ids": True}
    first, again, other = (complete(policy_server, body | {"temperature": 1.0, "seed": seed}) for seed in (7, 7, 8))
    assert first["token_ids"] == again["token_ids"]
    assert first["token_ids"] != other["token_ids"]
    assert HFTokenizer(embedded_model()).decode(first["token_ids"]) == first["text"]
