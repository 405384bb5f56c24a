import asyncio

import pytest
import torch
from transformers import LlamaForSequenceClassification, PreTrainedTokenizerFast

from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.models.reward_server import RewardServer, RewardServerSettings
from tests.tiny_reward import made

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

PROMPT = "What is 2 + 2 ?"
SOLUTIONS = ("It is 4", "4", "It is 2 + 2 = 4", "5", "It is 4")


@pytest.fixture(scope="module")
def reward_folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("reward"), head=32)


@pytest.fixture(scope="module")
def reward_server(reward_folder, tmp_path_factory):
    """vLLM's own server of the classifier."""
    settings = ServerSettings(
        model=reward_folder, dtype="float32", max_model_len=32, kv_cache_gib=0.05, extra_args=("--runner", "pooling")
    )
    with LocalServer(settings, log_path=tmp_path_factory.mktemp("log") / "reward.log") as server:
        yield server


def asked(server, folder, endpoint):
    async def score():
        settings = RewardServerSettings(url=server.url, model=folder.name, endpoint=endpoint)
        async with RewardServer(settings, api_key=server.api_key) as model:
            return await model.score(PROMPT, SOLUTIONS)

    return asyncio.run(score())


def by_hand(folder, texts):
    model = LlamaForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    with torch.inference_mode():
        return [float(model(torch.tensor([tokenizer.encode(text)])).logits[0, 0]) for text in texts]


def test_scores_of_a_served_reward_model_are_those_of_the_model_itself(reward_server, reward_folder):
    chats = [f"user {PROMPT} <end> assistant {solution} <end>" for solution in SOLUTIONS]
    assert asked(reward_server, reward_folder, "pooling") == pytest.approx(by_hand(reward_folder, chats), abs=1e-3)
