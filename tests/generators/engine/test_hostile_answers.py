"""What servers and proxies may answer, on a real socket: never followed, never held in memory, never shown raw."""

import asyncio
import gzip
from base64 import b64encode

import pytest
from aiohttp import web

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.errors import EngineBusy, EngineErred, EngineMisconfigured, EngineUnreadable
from tests.generators.engine.test_client import ask, client_of, request

HTML = "<html>\n<title>Sign in</title>\x1b[2J\x1b]52;c;aGk=\x07" + "x" * 500
BOMB = gzip.compress(b" " * 50_000_000)


async def fails(stub_server, answer):
    async with stub_server(answer) as server, client_of(server) as engine:
        try:
            await engine.generate(request())
        except Exception as error:
            return error, server
    raise AssertionError("the answer was taken")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_named_and_no_prompt_follows_it(stub_server, status):
    async def run():
        async with stub_server() as elsewhere:
            there = elsewhere.url.replace("http://", "http://ann:s3cret@") + "/v1/completions?token=s3cret"
            error, _ = await fails(stub_server, (status, "moved", {"Location": there}))
            return error, elsewhere

    error, elsewhere = asyncio.run(run())
    assert type(error) is EngineMisconfigured
    assert f"/v1/completions redirects to http://***@{elsewhere.url[7:]}/v1/completions ({status})" in str(error)
    assert "set url to the address that answers itself" in str(error)
    assert elsewhere.asked == [] and "s3cret" not in str(error)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, HTML), r"it began with '<html>\\n<title>Sign in</title>\\x1b[2J\\x1b]52;c;aGk=\\x07xxx"),
        ((200, "null"), "it began with 'null'"),
        ((200, "[]"), "it began with '[]'"),
        ((200, "   "), "it was empty"),
        ((200, '{"choices": [{"index": 0'), 'it began with \'{"choices": [{"index": 0\''),
        ((200, b"\xff\xfe\x00"), r"it began with '\ufffd\ufffd\x00'"),
        ((200, b"x" * 80_000), "the answer has 80,000 bytes, and at most 73,776 can be true"),
        ((200, BOMB, {"Content-Encoding": "gzip"}), "the answer is compressed ('gzip'), which was not asked for"),
        ((200, b"x", {"Content-Encoding": "br"}), "the answer is compressed ('br'), which was not asked for"),
    ],
)
def test_an_answer_that_cannot_be_read_is_shown_escaped_and_never_held_whole(stub_server, answer, words):
    error, server = asyncio.run(fails(stub_server, answer))
    assert type(error) is EngineUnreadable
    assert words.replace("\\\\", "\\") in str(error) and server.url in str(error)
    assert len(str(error)) < 500 and str(error).isprintable()


def test_an_answer_without_a_length_is_read_no_further_than_it_can_be_true():
    async def endless(asked):
        response = web.StreamResponse()
        await response.prepare(asked)
        while True:
            await response.write(b"x" * 65_536)

    async def run():
        app = web.Application()
        app.router.add_post("/v1/completions", endless)
        runner = web.AppRunner(app, shutdown_timeout=0.05)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with VLLMClient(url, model="policy", settings=ClientSettings()) as engine:
                with pytest.raises(EngineUnreadable, match="the answer has more than 73,776 bytes"):
                    await engine.generate(request())
        finally:
            await runner.cleanup()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "kind", "wait_s"),
    [
        ((429, "slow down", {"Retry-After": "7"}), EngineBusy, 7.0),
        ((429, "slow down", {"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}), EngineBusy, 0.0),
        ((429, "slow down", {"Retry-After": "1000000"}), EngineBusy, 60.0),
        ((429, "slow down"), EngineBusy, None),
        ((503, "scaling up", {"Retry-After": "3"}), EngineBusy, 3.0),
    ],
)
def test_a_server_that_is_busy_says_when_to_come_back(stub_server, answer, kind, wait_s):
    error, _ = asyncio.run(fails(stub_server, answer))
    assert (type(error), error.retry_after_s) == (kind, wait_s)


def test_terminal_escapes_in_an_error_are_written_out(stub_server):
    error, _ = asyncio.run(fails(stub_server, (500, {"error": {"message": "no\x1b[2J\nroom"}})))
    assert type(error) is EngineErred
    assert str(error).endswith(r"answered 500: no\x1b[2J\nroom")


def test_a_router_that_answered_before_and_has_lost_a_backend_is_not_misconfigured(stub_server):
    async def run():
        async with stub_server({}, (404, "no endpoint")) as server, client_of(server) as engine:
            await engine.generate(request())
            await engine.generate(request())

    with pytest.raises(EngineErred, match="answered 404: no endpoint"):
        asyncio.run(run())


def test_credentials_of_a_url_are_sent_and_stand_in_no_error(stub_server):
    async def run():
        async with stub_server({}, (401, "no"), (500, "no"), (200, "no"), "close", (307, "", {})) as server:
            url = server.url.replace("http://", "http://ann:s3cret@")
            errors = []
            async with VLLMClient(url, model="policy", settings=ClientSettings()) as engine:
                await engine.generate(request())
                for _ in range(5):
                    with pytest.raises(Exception, match=server.url) as failed:
                        await engine.generate(request())
                    errors.append(str(failed.value))
            return errors, server.keys

    errors, keys = asyncio.run(run())
    assert keys == [f"Basic {b64encode(b'ann:s3cret').decode()}"] * 6
    assert not [error for error in errors if "s3cret" in error or "ann" in error]


def test_the_cards_of_models_are_read_with_what_they_say_of_their_weights(stub_server):
    assert ask(stub_server)[0].completions

    async def run(cards):
        async with stub_server() as server, client_of(server) as engine:
            server.cards = cards
            return await engine.model_info()

    card = {"id": "policy", "root": "org/policy", "revision": "abc", "created": 17, "max_model_len": 9}
    assert asyncio.run(run([card])).card == (("root", "org/policy"), ("revision", "abc"), ("created", "17"))
    with pytest.raises(EngineUnreadable, match=r"list of models could not be read .*max_model_len is 'long'"):
        asyncio.run(run([card | {"max_model_len": "long"}]))
