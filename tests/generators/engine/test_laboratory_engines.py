"""The laboratory's policy at vLLM and in this process: equal in distribution."""

import asyncio

import pytest

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.in_process.engine import InProcessEngine, InProcessSettings
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.engine.tokenizer import HFTokenizer
from generators.problems import prompt as solve
from generators.problems.laboratory.law import truth
from generators.problems.laboratory.problems import LaboratoryProblems
from generators.problems.laboratory.tasks import NAMES, TASKS
from generators.training.laboratory import make_laboratory

pytestmark = pytest.mark.engine

PROBLEMS, SAMPLES, CONTEXT = 24, 8, 1024
ASKED = [
    (name, prompt)
    for name in NAMES
    for prompt in LaboratoryProblems(name=name, task=name, part="evaluation", size=PROBLEMS).prompts()
]


@pytest.fixture(scope="module")
def folder():
    return make_laboratory(print)


@pytest.fixture(scope="module")
def tokenizer(folder):
    return HFTokenizer(folder)


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    settings = ServerSettings(
        model=folder, dtype="float32", max_model_len=CONTEXT, max_sequences=64, kv_cache_gib=0.5, start_timeout_s=900
    )
    with LocalServer(settings, log_path=tmp_path_factory.mktemp("server") / "vllm.log") as server:
        yield server


def requests(tokenizer, **sampling):
    limits = Limits(max_tokens=256)
    return [
        Request(
            prefix=tokenizer.chat(solve.messages(prompt)),
            sampling=Sampling(**sampling),
            limits=limits,
            seed=1000 * number,
            n=SAMPLES,
            logprobs=True,
        )
        for number, (_, prompt) in enumerate(ASKED)
    ]


async def at_the_server(server, asked):
    client = VLLMClient(server.url, model=server.model_name, api_key=server.api_key, settings=ClientSettings())
    async with client:
        return await asyncio.gather(*map(client.generate, asked))


async def in_this_process(folder, asked):
    settings = InProcessSettings(model=str(folder), dtype="float32", max_model_len=CONTEXT, max_sequences=256)
    async with InProcessEngine(settings) as engine:
        return await asyncio.gather(*map(engine.generate, asked))


@pytest.fixture(scope="module")
def by_both(server, folder, tokenizer):
    asked = requests(tokenizer)
    return asyncio.run(at_the_server(server, asked)), asyncio.run(in_this_process(folder, asked))


def shares(generations, of):
    counts = {name: [] for name in NAMES}
    for (name, prompt), generation in zip(ASKED, generations, strict=True):
        counts[name] += [of(TASKS[name](), prompt, completion) for completion in generation.completions]
    return {name: sum(values) / len(values) for name, values in counts.items()}


def is_right(task, prompt, completion):
    return truth(task, prompt, completion.text).is_right


def length(task, prompt, completion):
    return len(completion.token_ids)


def test_pass_rates_are_equal_within_their_error(by_both):
    served, in_process = (shares(generations, is_right) for generations in by_both)
    for name in NAMES:
        error = (2 * served[name] * (1 - served[name]) / (PROBLEMS * SAMPLES)) ** 0.5
        assert in_process[name] == pytest.approx(served[name], abs=3.5 * error), name


def test_lengths_are_equal_within_their_error(by_both):
    served, in_process = (shares(generations, length) for generations in by_both)
    for name in NAMES:
        assert in_process[name] == pytest.approx(served[name], rel=0.1), name


def test_the_likeliest_continuations_and_their_log_probabilities_are_equal(server, folder, tokenizer):
    asked = requests(tokenizer, temperature=0.0)
    served, in_process = asyncio.run(at_the_server(server, asked)), asyncio.run(in_this_process(folder, asked))
    same = 0
    for ours, theirs in zip(in_process, served, strict=True):
        mine, other = ours.completions[0], theirs.completions[0]
        if mine.token_ids != other.token_ids:  # two tokens of equal probability
            continue
        same += 1
        assert mine.logprobs == pytest.approx(other.logprobs, abs=1e-3)
        assert (mine.text, mine.finish_reason) == (other.text, other.finish_reason)
    assert same > 0.9 * len(ASKED)
