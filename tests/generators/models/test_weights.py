import asyncio
import json
from contextlib import suppress

import pytest
from upath import UPath

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.errors import EngineLost, EngineMisconfigured, EngineUnavailable
from generators.engine.fleet import Fleet, FleetSettings
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import SimulatedServer
from generators.engine.simulated.vocabulary import SimulatedTokenizer
from generators.engine.worker import Worker
from generators.models.weights import Weights
from generators.sampling.storage import StorageError

SETTINGS = FleetSettings(stall_s=30, max_restarts=2, give_up_s=30, poll_s=0.01)


def server(error_rate=0.1, port=0):
    return SimulatedServer(SimulatedPolicy(law=SimulatedLaw(error_rates=(error_rate,))), port=port)


def client_of(one):
    return VLLMClient(one.url, model="simulated", settings=ClientSettings())


def weights(tmp_path):
    return Weights("simulated@unversioned", UPath(tmp_path) / "w.json", SimulatedTokenizer(), setting="policy.revision")


async def attached(tmp_path, *servers):
    async with client_of(servers[0]) as client:
        for one in servers:
            client.url = one.url
            await weights(tmp_path).recognise(client)


def test_weights_are_noted_at_first_use_with_what_the_server_says_of_itself(tmp_path):
    async def main():
        async with server() as one:
            await attached(tmp_path, one, one)

    asyncio.run(main())
    note = json.loads((tmp_path / "w.json").read_text())
    assert note["policy"] == "simulated@unversioned" and note["card"]["root"] == "simulated"
    assert len(note["said"]) == len(note["probe"]["places"]) > 10


def test_other_weights_under_the_same_name_are_refused_with_the_difference_and_the_remedy(tmp_path):
    async def main():
        async with server(0.1) as one, server(0.5) as swapped:
            with pytest.raises(EngineMisconfigured) as refused:
                await attached(tmp_path, one, swapped)
            return str(refused.value), swapped.url

    sentence, url = asyncio.run(main())
    assert sentence.startswith(f"{url} serves other weights than those that simulated@unversioned was first drawn from")
    assert (
        "differ by 0." in sentence and "by at most 0.15: set policy.revision to a name of the new weights" in sentence
    )


def test_the_noted_text_is_asked_again_even_if_the_tokenizer_has_changed(tmp_path):
    class Other(SimulatedTokenizer):
        def chat(self, messages):
            raise AssertionError("the probe is in the note")

    async def main():
        async with server() as one, client_of(one) as client:
            await weights(tmp_path).recognise(client)
            changed = Weights("p", UPath(tmp_path) / "w.json", Other(), setting="policy.revision")
            await changed.recognise(client)

    asyncio.run(main())


@pytest.mark.parametrize("content", [b"", b"{torn", b"[]", b'{"probe": {"token_ids": [1], "places": [0]}}'])
def test_a_note_that_cannot_be_read_is_an_error_and_not_written_anew(tmp_path, content):
    async def main():
        async with server() as one:
            await attached(tmp_path, one)

    (tmp_path / "w.json").write_bytes(content)
    with pytest.raises(StorageError, match=r"w\.json, by which the weights .* cannot be read"):
        asyncio.run(main())
    assert (tmp_path / "w.json").read_bytes() == content


def asked(policy):
    prefix = SimulatedTokenizer().chat([{"role": "user", "content": policy.problem(0).prompt}])
    return Request(prefix=prefix, sampling=Sampling(), limits=Limits(max_tokens=4), seed=0)


def test_servers_of_one_fleet_must_agree_with_each_other(tmp_path):
    async def main():
        async with server(0.1) as one, server(0.5) as other:
            recognise = weights(tmp_path).recognise
            workers = [Worker(client=client_of(each), recognise=recognise) for each in (one, other)]
            async with Fleet(workers, SETTINGS) as fleet:
                with pytest.raises(EngineMisconfigured, match=f"{other.url} serves other weights"):
                    await fleet.model_info()

    asyncio.run(main())


def test_a_server_that_comes_back_with_other_weights_is_out_of_the_run(tmp_path):
    async def main():
        first = server(0.1)
        async with first:
            worker = Worker(client=client_of(first), recognise=weights(tmp_path).recognise)
            async with Fleet([worker], SETTINGS) as fleet:
                await fleet.model_info()
                await fleet.generate(asked(first.policy))
                await first.die()
                with pytest.raises(EngineUnavailable):
                    await fleet.generate(asked(first.policy))
                async with server(0.5, port=first.port) as swapped:
                    with pytest.raises(EngineLost, match=r"no engine is left: .* serves other weights"):
                        await asyncio.wait_for(fleet.generate(asked(swapped.policy)), 20)
                    return swapped.policy.drawn

    assert asyncio.run(main()) == []


def test_weights_that_change_behind_a_router_are_seen_while_it_answers(tmp_path):
    async def main():
        settings = FleetSettings(stall_s=30, give_up_s=30, poll_s=0.01, recognise_every_s=0.05)
        async with server(0.1) as one:
            worker = Worker(client=client_of(one), recognise=weights(tmp_path).recognise)
            async with Fleet([worker], settings) as fleet:
                await fleet.model_info()
                one.policy = SimulatedPolicy(law=SimulatedLaw(error_rates=(0.5,)))
                with pytest.raises(EngineLost, match="serves other weights"):
                    async with asyncio.timeout(20):
                        while True:
                            with suppress(EngineUnavailable):  # a call that the fleet drops when it sees the weights
                                await fleet.generate(asked(one.policy))
                            await asyncio.sleep(0.01)

    asyncio.run(main())
