import asyncio

import pytest

from dagster_project.resources.policy import PolicyResource, PolicySettings
from generators.engine.simulated.policy import SimulatedPolicy


@pytest.mark.parametrize(
    ("settings", "capacity"),
    [
        ({"model": "embedded"}, 80),  # sixteen wait in the queue of a server of our own
        ({"model": "simulated"}, 64),
        ({"model": "simulated", "urls": ["http://127.0.0.1:1"]}, 64),
    ],
)
def test_a_quarter_more_sequences_wait_at_a_server_of_our_own_alone(monkeypatch, settings, capacity):
    async def engine(resource, stack, say):
        return SimulatedPolicy(), 2048

    async def opened():
        policy = PolicyResource(settings=PolicySettings(in_flight=64, **settings), log_folder="logs")
        async with policy.served(print) as served:
            return served.pool.capacity

    monkeypatch.setattr(PolicyResource, "_engine", engine)
    assert asyncio.run(opened()) == capacity
