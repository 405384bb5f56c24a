import asyncio
from collections import Counter

import pytest
import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from generators.engine.errors import EngineLost, EngineMisconfigured, RequestRefused
from generators.engine.in_process.engine import InProcessEngine, InProcessSettings
from generators.engine.protocol import Limits, Request, Sampling
from tests.tiny_policy import tiny_policy

PREFIX = (1, 2, 3)
END = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tiny_policy(tmp_path_factory.mktemp("model") / "tiny", layers=2)
    GenerationConfig(eos_token_id=[END], pad_token_id=0).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return AutoModelForCausalLM.from_pretrained(folder).eval()


def request(prefix=PREFIX, *, max_tokens=12, seed=5, stop=(), n=1, logprobs=False, **sampling):
    limits = Limits(max_tokens=max_tokens, stop=stop)
    return Request(prefix=prefix, sampling=Sampling(**sampling), limits=limits, seed=seed, n=n, logprobs=logprobs)


def ask(folder, *requests, **settings):
    async def run():
        async with InProcessEngine(InProcessSettings(model=str(folder), **settings)) as engine:
            return await asyncio.gather(*map(engine.generate, requests))

    return asyncio.run(run())


def ids_of(generation):
    return [completion.token_ids for completion in generation.completions]


def next_probabilities(model, prefix, temperature=1.0):
    with torch.no_grad():
        return torch.softmax(model(torch.tensor([prefix])).logits[0, -1] / temperature, dim=-1)


def test_temperature_0_takes_the_likeliest_token_each_time(folder, model):
    (generation,) = ask(folder, request(temperature=0.0, n=2))
    expected = list(PREFIX)
    while len(expected) < 15 and expected[-1] != END:
        expected.append(int(next_probabilities(model, expected).argmax()))
    assert ids_of(generation) == [tuple(expected[3:])] * 2


def test_child_i_of_n_is_what_its_own_seed_gives_alone(folder):
    together, *alone = ask(folder, request(n=3), *(request(seed=5 + child) for child in range(3)))
    assert ids_of(together) == [ids_of(one)[0] for one in alone]


def test_what_a_request_gets_does_not_depend_on_the_others(folder):
    requests = [
        request(tuple(range(1, 2 + n % 9)), seed=n * 100, max_tokens=3 + n % 20, n=1 + n % 3) for n in range(40)
    ]
    assert ask(folder, *requests, max_sequences=7) == [ask(folder, one)[0] for one in requests]


def test_first_tokens_are_drawn_at_the_models_own_probabilities(folder, model):
    n = 4000
    (generation,) = ask(folder, request(max_tokens=1, n=n, temperature=0.7), max_sequences=n)
    shares = Counter(ids[0] for ids in ids_of(generation))
    for token_id, probability in enumerate(next_probabilities(model, PREFIX, 0.7).tolist()):
        error = (probability * (1 - probability) / n) ** 0.5
        assert shares[token_id] / n == pytest.approx(probability, abs=4 * error + 1e-9)


def test_log_probabilities_are_those_of_the_model_before_temperature(folder, model):
    (generation,) = ask(folder, request(n=4, logprobs=True, temperature=2.0))
    for completion in generation.completions:
        before = list(PREFIX)
        for token_id, logprob in zip(completion.token_ids, completion.logprobs, strict=True):
            assert logprob == pytest.approx(float(next_probabilities(model, before)[token_id].log()), abs=1e-4)
            before.append(token_id)


def test_excluded_ids_are_never_drawn_and_the_others_share_their_probability(folder, model):
    (generation,) = ask(folder, request(max_tokens=1, n=500, excluded=(1, 2, 3, 4)), max_sequences=500)
    assert {ids[0] for ids in ids_of(generation)} == set(range(16)) - {1, 2, 3, 4}


def test_top_k_and_top_p_leave_the_likeliest(folder, model):
    ordered = next_probabilities(model, PREFIX).sort(descending=True)
    three, two = set(ordered.indices[:3].tolist()), float(ordered.values[:2].sum())
    by_k, by_p = ask(
        folder,
        request(max_tokens=1, n=200, top_k=3),
        request(max_tokens=1, n=200, top_p=two - 1e-4),
        max_sequences=400,
    )
    assert {ids[0] for ids in ids_of(by_k)} == three
    assert {ids[0] for ids in ids_of(by_p)} == set(ordered.indices[:2].tolist())


def test_an_end_of_text_token_ends_a_completion_and_is_part_of_it(folder):
    (generation,) = ask(folder, request(n=50, max_tokens=40))
    ended = [one for one in generation.completions if one.finish_reason == "eos"]
    assert ended
    for completion in generation.completions:
        assert completion.token_ids.index(END) == len(completion.token_ids) - 1 if completion in ended else True
        assert completion.finish_reason in ("eos", "length")


def test_a_stop_string_ends_a_completion_with_the_token_that_completes_it(folder):
    (free,) = ask(folder, request(n=30, max_tokens=12, excluded=(END,)))
    (stopped,) = ask(folder, request(n=30, max_tokens=12, excluded=(END,), stop=("7",)))
    for whole, cut in zip(free.completions, stopped.completions, strict=True):
        end = next((place + 1 for place, token_id in enumerate(whole.token_ids) if token_id == 7), 12)
        assert cut.token_ids == whole.token_ids[:end]
        assert cut.finish_reason == ("stop" if 7 in whole.token_ids else "length")
        assert cut.text == whole.text[: len(cut.text)]


def test_a_completion_ends_where_the_context_does_and_a_prefix_without_room_is_refused(folder):
    (generation,) = ask(folder, request(n=3, max_tokens=50, excluded=(END,)), max_model_len=8)
    assert [(len(one.token_ids), one.finish_reason) for one in generation.completions] == [(5, "length")] * 3
    with pytest.raises(RequestRefused, match="a prefix of 3 tokens leaves no room in the model's context of 3 tokens"):
        ask(folder, request(), max_model_len=3)


def test_usage_counts_a_prefix_once_and_every_drawn_token(folder):
    (generation,) = ask(folder, request(n=4))
    assert generation.usage.prompt == 3
    assert generation.usage.generated == sum(map(len, ids_of(generation)))


def test_a_cancelled_request_leaves_the_batch_and_the_others_go_on(folder):
    async def run():
        async with InProcessEngine(InProcessSettings(model=str(folder), max_sequences=1)) as engine:
            endless = asyncio.create_task(engine.generate(request(max_tokens=2000, excluded=(END,))))
            await asyncio.sleep(0.05)
            endless.cancel()
            return await asyncio.wait_for(engine.generate(request()), 10)

    assert ids_of(asyncio.run(run())) == ids_of(ask(folder, request())[0])


def test_a_model_that_fails_ends_what_waits_and_what_is_asked_later(folder):
    async def run():
        async with InProcessEngine(InProcessSettings(model=str(folder))) as engine:
            for _ in range(2):
                with pytest.raises(EngineLost, match="failed"):
                    await engine.generate(request(prefix=(99,)))

    asyncio.run(run())


def test_a_folder_that_cannot_be_loaded_names_the_remedy(tmp_path):
    with pytest.raises(EngineMisconfigured, match=r"set policy\.engine to 'vllm'"):
        ask(tmp_path, request())
