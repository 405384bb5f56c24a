"""Answers that cannot be true, as a real client meets them on a loopback server: none may reach the ledger."""

import asyncio
import json

import pytest
from upath import UPath

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.errors import EngineLost, EngineMisconfigured, EngineUnreadable
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.slots import Slots
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import CharTokenizer

SETTINGS = ClientSettings(connect_timeout_s=2, read_timeout_s=2, probe_timeout_s=2)
TOKENIZER = CharTokenizer()
PREFIX = TOKENIZER.encode("Q:")
NO_WAIT = RetrySettings(max_tries=2, first_wait_s=0, max_wait_s=0)


def choice(**changes):
    return {"index": 0, "text": "ab", "finish_reason": "stop", "stop_reason": None, "token_ids": [97, 98, 0]} | changes


def answer(*choices, prompt=2, generated=None, **more):
    ids = [one["token_ids"] for one in choices if isinstance(one["token_ids"], list)]
    usage = {"prompt_tokens": prompt, "completion_tokens": sum(map(len, ids)) if generated is None else generated}
    return {"model": "policy", "choices": list(choices), "usage": usage} | more


def request(n=1, **changes):
    limits = Limits(max_tokens=8, stop=("\n",))
    return Request(
        **{"prefix": PREFIX, "sampling": Sampling(), "limits": limits, "seed": 1, "n": n, "vocabulary": 0x110000}
        | changes
    )


def ids(*token_ids, **changes):
    return answer(choice(token_ids=list(token_ids), **changes))


def logprobs(*values):
    return answer(choice(logprobs={"token_logprobs": list(values)}))


LIES = {
    "a fraction": (ids(97, 17.9), "int"),
    "a whole fraction": (ids(97, 98.0), "int"),
    "a power of ten": ('{"choices": [{"index": 0, "text": "", "finish_reason": "length", "token_ids": [1e2]}]}', "int"),
    "a string": (ids(97, "98"), "int"),
    "a truth value": (ids(97, True), "int"),
    "a null": (ids(97, None), "int"),
    "ids as one string": (answer(choice(token_ids="97, 98"), generated=2), "array"),
    "ids as a mapping": (answer(choice(token_ids={"0": 97}), generated=1), "array"),
    "negative": (ids(97, -1), "token id -1, and from 0 to"),
    "out of the vocabulary": (ids(97, 0x110000), "token id 1114112, and from 0 to 1114111"),
    "beyond 32 bits": (ids(97, 2**33), "token id 8589934592"),
    "beyond 64 bits": (ids(97, 2**70), "token id 1180591620717411303424"),
    "none with stop": (ids(), "0 token ids"),
    "none with a stop string": (ids(stop_reason="\n"), "0 token ids"),
    "none with length": (ids(finish_reason="length"), "0 token ids"),
    "too many": (ids(*[97] * 400), "400 token ids, and from 1 to 8"),
    "one too many": (ids(*[97] * 9), "9 token ids"),
    "more generated than sent": (answer(choice(), generated=4), "counts 4 generated tokens, and sends 3"),
    "fewer generated than sent": (answer(choice(), generated=0), "counts 0 generated tokens, and sends 3"),
    "a longer prefix": (answer(choice(), prompt=3), "a prefix of 3 tokens, and was sent 2"),
    "a cut prefix": (answer(choice(), prompt=1), "a prefix of 1 tokens, and was sent 2"),
    "more cached than read": (
        answer(choice())
        | {"usage": {"prompt_tokens": 2, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 9}}},
        "counts 9 of 2",
    ),
    "a foreign stop string": (ids(97, 98, stop_reason="END"), "stopped at 'END', which was not asked for"),
    "a stop token that is not the last": (ids(97, 98, stop_reason=99), "stopped at token 99, and its last is 98"),
    "an index twice": (answer(choice(), choice()), "expected 1 completions, numbered from 0, got 2: 0, 0"),
    "another index": (answer(choice(index=1)), "got 1: 1"),
    "no completion": (answer(), "got 0: none"),
    "no reason": ('{"choices": [{"index": 0, "text": "", "token_ids": [97]}]}', "finish_reason"),
    "no usage": ({"choices": [choice()]}, "usage"),
    "no text": ('{"choices": [{"index": 0, "finish_reason": "length", "token_ids": [97]}]}', "text"),
    "not UTF-8": (b'{"choices": [{"index": 0, "text": "\xff"}]}', "could not be read"),
    "a list": ("[]", "could not be read"),
    "nested for ever": ('{"x": ' + "[" * 50_000, "could not be read"),
    "a figure for a name": (answer(choice(), model=7), "could not be read"),
}
LYING_LOGPROBS = {
    "NaN": (json.dumps(logprobs(-1.0, float("nan"), -1.0)), "could not be read"),
    "infinite": (json.dumps(logprobs(-1.0, -1.0, -7.0)).replace("-7.0", "-1e999"), "could not be read"),
    "null": (logprobs(-1.0, None, -1.0), "could not be read"),
    "above 0": (logprobs(-1.0, 0.5, -1.0), "a log-probability of 0.5"),
    "too few": (logprobs(-1.0, -1.0), "2 log-probabilities for 3 tokens"),
    "none": (answer(choice(logprobs=None)), "0 log-probabilities for 3 tokens"),
}


def body(said):
    return said if isinstance(said, bytes) else said.encode() if isinstance(said, str) else json.dumps(said).encode()


def ask(stub_server, said, asked=None, **server):
    async def one():
        async with (
            stub_server((200, body(said)), **server) as stub,
            VLLMClient(stub.url, model="policy", settings=SETTINGS) as client,
        ):
            return await client.generate(asked or request())

    return asyncio.run(one())


@pytest.mark.parametrize(("said", "words"), LIES.values(), ids=LIES)
def test_an_answer_that_cannot_be_true_is_unreadable(stub_server, said, words):
    with pytest.raises(EngineUnreadable, match=words):
        ask(stub_server, said)


@pytest.mark.parametrize(("said", "words"), LYING_LOGPROBS.values(), ids=LYING_LOGPROBS)
def test_log_probabilities_that_cannot_be_true_are_unreadable(stub_server, said, words):
    with pytest.raises(EngineUnreadable, match=words):
        ask(stub_server, said, request(logprobs=True))


def test_an_id_that_was_excluded_is_unreadable(stub_server):
    with pytest.raises(EngineUnreadable, match="does not heed logit_bias"):
        ask(stub_server, ids(97, 98), request(sampling=Sampling(excluded=(98,))))


def test_children_must_be_numbered_each_once(stub_server):
    with pytest.raises(EngineUnreadable, match="got 2: 0, 0"):
        ask(stub_server, answer(choice(), choice()), request(n=2))


def test_children_come_in_the_order_of_their_numbers(stub_server):
    generation = ask(stub_server, answer(choice(index=1), choice(token_ids=[99])), request(n=2))
    assert [completion.token_ids for completion in generation.completions] == [(99,), (97, 98, 0)]


@pytest.mark.parametrize("said", ["other", "policy-v2", ""])
def test_another_models_name_is_a_wrong_setting(stub_server, said):
    with pytest.raises(EngineMisconfigured, match=f"asked for the model 'policy' and answered as '{said}'"):
        ask(stub_server, answer(choice(), model=said), models=("policy", "other"))


@pytest.mark.parametrize("changes", [{"model": "policy"}, {"model": None}, {"model": "first name"}])
def test_the_weights_may_answer_under_each_of_their_names(stub_server, changes):
    cards = [{"id": name, "root": "/weights"} for name in ("first name", "policy")]
    generation = ask(stub_server, answer(choice(), **changes), cards=[*cards, {"id": "adapter", "root": "/adapter"}])
    assert generation.completions[0].token_ids == (97, 98, 0)


def test_an_adapter_does_not_answer_for_its_base_model(stub_server):
    cards = [{"id": "policy", "root": "/weights"}, {"id": "adapter", "root": "/weights", "parent": "policy"}]
    with pytest.raises(EngineMisconfigured, match="answered as 'adapter'"):
        ask(stub_server, answer(choice(), model="adapter"), cards=cards)


def draw_all(stub_server, folder, *script):
    """Two rollouts through everything that a run has, and what the ledger holds afterwards."""

    async def run():
        async with stub_server(*script) as stub, VLLMClient(stub.url, model="policy", settings=SETTINGS) as client:
            pool = Pool(client, Slots(1), settings=NO_WAIT)
            with Ledger(UPath(folder)) as ledger:
                sampler = Sampler(policy="p", engine=pool, tokenizer=TOKENIZER, ledger=ledger)
                return await sampler.draw(PREFIX, n=2, sampling=Sampling(), limits=Limits(max_tokens=8, stop=("\n",)))

    try:
        drawn = asyncio.run(run())
    except EngineLost as error:
        drawn = error
    with Ledger(UPath(folder)) as ledger:
        return drawn, len(ledger)


@pytest.mark.parametrize(("said", "words"), LIES.values(), ids=LIES)
def test_no_lie_reaches_the_ledger_and_a_run_that_hears_nothing_else_ends_in_a_sentence(
    stub_server, tmp_path, said, words
):
    truth, lie = (200, body(answer(choice()))), (200, body(said))
    drawn, kept = draw_all(stub_server, tmp_path / "once", truth, lie, truth)
    assert [rollout.text for rollout in drawn] == ["ab", "ab"]
    assert kept == 2
    lost, kept = draw_all(stub_server, tmp_path / "always", truth, lie, lie)
    assert words in str(lost)
    assert "it began with '" in str(lost)
    assert kept == 1
