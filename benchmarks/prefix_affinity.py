"""Measures what share of all prefix tokens two replicas find in their caches, with and without prefix affinity.

Two simulated servers, each with a prefix cache of its own, serve one fleet. Rollouts start at every step of
solutions to many problems, in a random order, a fixed number in flight: as labels do. Without affinity each request
goes to the replica with the fewest sequences. The last line is JSON.
"""

import argparse
import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from generators.engine.affinity import chosen
from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.fleet import Choose, Fleet, FleetSettings
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import MODEL, SimulatedServer
from generators.engine.simulated.statement import SimulatedProblems
from generators.engine.slots import Slots
from generators.engine.worker import Worker

SYSTEM = "You add numbers step by step and state each total before you go on to the next one. "
LINES = 10  # of a step: some fifty tokens


def rollouts(problems: int, rollouts_per_step: int) -> list[Request]:
    """Requests from every few lines of one solution of each problem."""
    policy, found = SimulatedPolicy(problems=SimulatedProblems(min_steps=60, max_steps=100)), []
    for number in range(problems):
        statement = policy.problems.statement(number)
        start = policy.tokenizer.chat(
            [{"role": "system", "content": SYSTEM}, {"role": "user", "content": statement.text}]
        )
        lines = zip(statement.addends, statement.totals[1:], strict=True)
        steps = [policy.tokenizer.encode(f"Adding {addend} gives {total}\n") for addend, total in lines]
        for taken in range(0, len(steps), LINES):
            prefix = sum((tuple(step) for step in steps[:taken]), tuple(start))
            found += [
                Request(prefix=prefix, sampling=Sampling(), limits=Limits(max_tokens=32), seed=seed)
                for seed in range(rollouts_per_step)
            ]
    window = max(1, problems // 4) * 8 * rollouts_per_step  # labels work on a quarter of all problems at once
    order = random.Random(0)
    return [found[at] for at in sorted(range(len(found)), key=lambda at: at + order.random() * window)]


async def hit_share(
    requests: Sequence[Request], choose: Choose, *, replicas: int, in_flight: int
) -> tuple[float, float]:
    """The share of prefix tokens found in a cache, and the load of the busiest replica over the mean."""
    async with AsyncExitStack() as stack:
        policies = [SimulatedPolicy(seconds_per_token=0.0002, cache_block=16) for _ in range(replicas)]
        servers = [await stack.enter_async_context(SimulatedServer(policy)) for policy in policies]
        clients = [VLLMClient(server.url, model=MODEL, settings=ClientSettings()) for server in servers]
        workers = [Worker(client=client) for client in clients]
        fleet = await stack.enter_async_context(Fleet(workers, FleetSettings(), choose=choose))
        pool = Pool(fleet, Slots(in_flight), settings=RetrySettings())
        await asyncio.gather(*map(pool.generate, requests))
    counts = [policy.counts for policy in policies]
    share = sum(one.cached_tokens for one in counts) / sum(one.prompt_tokens for one in counts)
    sequences = [one.sequences for one in counts]
    return share, max(sequences) * replicas / sum(sequences)


def least_loaded(order: Sequence[int], loads: Mapping[int, int], n: int) -> int:
    """The choice without affinity."""
    return min(loads, key=loads.__getitem__)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=60)
    parser.add_argument("--rollouts", type=int, default=4, help="from each step")
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--in-flight", type=int, default=32)
    options = parser.parse_args()
    requests = rollouts(options.problems, options.rollouts)
    figures: dict[str, float] = {"requests": len(requests)}
    for name, choose in (("with", chosen), ("without", least_loaded)):
        share, busiest = asyncio.run(
            hit_share(requests, choose, replicas=options.replicas, in_flight=options.in_flight)
        )
        print(
            f"{name} affinity: {share:.1%} of prefix tokens cached, busiest replica {busiest:.2f} of the mean",
            flush=True,
        )
        figures |= {f"hit_share_{name}": round(share, 4), f"busiest_{name}": round(busiest, 3)}
    missed = [1 - figures[f"hit_share_{name}"] for name in ("with", "without")]
    print(json.dumps(figures | {"prefill_left": round(missed[0] / missed[1], 3)}))


if __name__ == "__main__":
    main()
