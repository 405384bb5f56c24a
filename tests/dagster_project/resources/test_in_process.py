import asyncio

import pytest
from pydantic import ValidationError

from dagster_project.resources.policy import PolicyResource, PolicySettings
from generators.engine.protocol import Limits, Request, Sampling
from tests.tiny_policy import tiny_policy


def test_a_policy_in_this_process_is_sampled_without_a_server(tmp_path):
    folder = tiny_policy(tmp_path / "tiny")
    settings = PolicySettings(model=str(folder), engine="in_process", max_model_len=64, in_flight=4)
    request = Request(prefix=(1, 2), sampling=Sampling(excluded=(2,)), limits=Limits(max_tokens=3), seed=0, n=2)

    async def sampled():
        policy = PolicyResource(settings=settings, log_folder=str(tmp_path))
        async with policy.served(print) as served:
            return served.context, await served.pool.generate(request)

    context, generation = asyncio.run(sampled())
    assert context == 64
    assert [len(completion.token_ids) for completion in generation.completions] == [3, 3]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "simulated"}, "engine must be 'vllm' with the model 'simulated', which samples by itself"),
        (
            {"urls": ["http://gpu:8000"]},
            r"engine must be 'vllm' with urls \(http://gpu:8000\), which samples by itself",
        ),
    ],
)
def test_what_samples_by_itself_needs_no_engine_in_this_process(settings, message):
    with pytest.raises(ValidationError, match=message):
        PolicySettings(engine="in_process", **settings)
