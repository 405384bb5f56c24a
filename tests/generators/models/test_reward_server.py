import asyncio
import json
from collections import deque

import pytest
from aiohttp import web

from generators.engine.errors import EngineLost, EngineMisconfigured, RequestRefused
from generators.models.reward_server import RewardServer, RewardServerSettings

SOLUTIONS = ("It is 4.", "It is five.", "4")


def pooled(asked, number):
    usage = {"prompt_tokens": 9, "total_tokens": 9, "completion_tokens": 0, "prompt_tokens_details": None}
    data = [{"index": 0, "object": "pooling", "data": number}]
    return {"id": "pool-1", "object": "list", "created": 1, "model": asked["model"], "data": data, "usage": usage}


class Server:
    """Speaks vLLM's /pooling and /score: a text is worth its length. Answers in `script` come first."""

    def __init__(self, *script):
        self.script, self.asked, self.keys = deque(script), [], []
        self.at_once = self.most_at_once = 0

    async def __aenter__(self):
        app = web.Application()
        app.router.add_post("/pooling", self._answer)
        app.router.add_post("/score", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc_info):
        await self._runner.cleanup()

    async def _answer(self, request):
        asked = await request.json()
        self.asked.append(asked)
        self.keys.append(request.headers.get("Authorization"))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if self.script and (answer := self.script.popleft()):
            status, body, *headers = answer
            text = body if isinstance(body, str) else json.dumps(body)
            return web.Response(status=status, text=text, headers=dict(*headers))
        if request.path == "/pooling":
            return web.json_response(pooled(asked, [float(len(asked["messages"][1]["content"]))]))
        data = [
            {"index": index, "object": "score", "score": float(len(text))} for index, text in enumerate(asked["text_2"])
        ]
        return web.json_response({"object": "list", "model": asked["model"], "data": data[::-1], "usage": {}})


def scored(*script, solutions=SOLUTIONS, api_key=None, **settings):
    async def work():
        async with Server(*script) as server:
            chosen = RewardServerSettings(**{"url": server.url, "model": "rm", "pause_s": 0.001, **settings})
            async with RewardServer(chosen, api_key=api_key) as reward:
                return await reward.score("What is 2 + 2?", solutions), server

    return asyncio.run(work())


@pytest.mark.parametrize("endpoint", ["pooling", "score"])
def test_every_solution_has_its_number_in_the_order_of_the_solutions(endpoint):
    scores, server = scored(endpoint=endpoint)
    assert scores == (8.0, 11.0, 1.0)
    assert len(server.asked) == (3 if endpoint == "pooling" else 1)


def test_pooling_is_asked_for_the_conversation_without_activation():
    _, server = scored(solutions=("It is 4.",))
    chat = [{"role": "user", "content": "What is 2 + 2?"}, {"role": "assistant", "content": "It is 4."}]
    assert server.asked == [{"model": "rm", "use_activation": False, "messages": chat}]


def test_score_is_asked_for_the_pairs_of_problem_and_solution():
    _, server = scored(endpoint="score")
    assert server.asked == [
        {"model": "rm", "use_activation": False, "text_1": "What is 2 + 2?", "text_2": list(SOLUTIONS)}
    ]


def test_of_numbers_for_every_token_the_last_one_counts():
    scores, _ = scored((200, pooled({"model": "rm"}, [[0.5], [0.25], [-3.5]])), solutions=("4",))
    assert scores == (-3.5,)


def test_no_solution_asks_nothing():
    scores, server = scored(solutions=())
    assert (scores, server.asked) == ((), [])


def test_the_key_travels_and_no_more_requests_than_allowed_are_in_flight():
    _, server = scored(solutions=SOLUTIONS * 5, in_flight=2, api_key="secret")
    assert server.most_at_once <= 2
    assert set(server.keys) == {"Bearer secret"}


def test_what_did_not_work_is_asked_again():
    scores, server = scored((503, "busy"), (200, "{torn"), solutions=("4",))
    assert (scores, len(server.asked)) == ((1.0,), 3)


ERROR = {"error": {"message": "maximum context length", "type": "BadRequestError", "code": 400}}
FAILURES = [
    ((400, ERROR), RequestRefused, "/pooling answered 400: maximum context length"),
    ((401, {"error": "Unauthorized"}), EngineMisconfigured, "401: Unauthorized: set api_key"),
    ((404, ERROR), EngineMisconfigured, r"model must be a served name \('rm' was asked for\)"),
    ((501, "no pooling"), EngineMisconfigured, "sequence-classification model with /pooling"),
    ((200, pooled({"model": "rm"}, [0.5, 0.5])), EngineMisconfigured, "gives 2 numbers per text"),
]


@pytest.mark.parametrize(("answer", "error", "message"), FAILURES)
def test_what_a_person_must_mend_is_asked_once_and_said(answer, error, message):
    with pytest.raises(error, match=message):
        scored(answer, solutions=("4",))


def test_a_redirect_is_named_and_no_problem_follows_it():
    moved = (307, "moved", {"Location": "http://ann:s3cret@elsewhere/pooling?token=s3cret"})
    with pytest.raises(EngineMisconfigured, match=r"redirects to http://\*\*\*@elsewhere/pooling \(307\)") as refused:
        scored(moved, solutions=("4",))
    assert "s3cret" not in str(refused.value)


def test_credentials_of_the_url_are_sent_and_stand_in_no_error():
    async def work():
        async with Server(None, (500, "no")) as server:
            url = server.url.replace("http://", "http://ann:s3cret@")
            settings = RewardServerSettings(url=url, model="rm", tries=1)
            async with RewardServer(settings) as reward:
                await reward.score("What is 2 + 2?", ("4",))
                with pytest.raises(EngineLost, match=server.url) as lost:
                    await reward.score("What is 2 + 2?", ("4",))
            return server.keys, f"{lost.value}{settings!r}"

    keys, shown = asyncio.run(work())
    assert keys == ["Basic YW5uOnMzY3JldA=="] * 2
    assert "s3cret" not in shown


LOST = [
    ((500, ERROR), "500: maximum context length"),
    ((429, "slow down"), "429: slow down"),
    ((200, "{torn"), "could not be read"),
    ((200, {"data": []}), "expected 1 finite numbers, got"),
    ((200, pooled({"model": "rm"}, [None])), "expected 1 finite numbers, got"),
    ((200, '{"data": [{"index": 0, "data": [NaN]}]}'), "expected 1 finite numbers, got"),
    ((200, pooled({"model": "rm"}, [])), "could not be read"),
]


@pytest.mark.parametrize(("answer", "message"), LOST)
def test_a_server_that_never_answers_well_is_lost_after_the_tries(answer, message):
    with pytest.raises(EngineLost, match=rf"{message}.*\(asked 2 times: see tries\)"):
        scored(answer, answer, solutions=("4",), tries=2)


def test_a_server_that_is_not_there_is_lost_with_its_address():
    with pytest.raises(EngineLost, match=r"http://127\.0\.0\.1:9/pooling: the connection failed"):
        scored(url="http://127.0.0.1:9/v1", tries=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "localhost:8000"}, "url must be an http:// or https:// address, got 'localhost:8000'"),
        ({"endpoint": "rank"}, "endpoint must be one of pooling, score, got 'rank'"),
        ({"tries": 0}, "tries must be at least 1, got 0"),
        ({"pause_s": 0}, "pause_s must be above 0, got 0"),
    ],
)
def test_settings_out_of_bounds_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        RewardServerSettings(**{"url": "http://here", "model": "rm", **changes})
