import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.engine.client import ClientSettings, VLLMClient
from generators.engine.errors import EngineBusy, EngineMisconfigured
from generators.engine.fingerprint import MOST_NOISE, distance, fingerprint, probe_of
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import SimulatedServer
from generators.engine.simulated.vocabulary import SimulatedTokenizer
from tests.generators.engine.test_client import client_of

PROBE = probe_of(SimulatedTokenizer())
TOKENS = st.dictionaries(st.sampled_from("abcdefg"), st.floats(-20, 0), min_size=1, max_size=5)


def of_law(**law):
    policy = SimulatedPolicy(law=SimulatedLaw(**law))

    async def asked():
        async with (
            SimulatedServer(policy) as server,
            VLLMClient(server.url, model="simulated", settings=ClientSettings()) as client,
        ):
            return await fingerprint(client, PROBE)

    said = asyncio.run(asked())
    assert policy.drawn == []  # a probe is no rollout
    return said


def test_one_law_is_recognised_and_another_is_not():
    first, again, other = of_law(error_rates=(0.1,)), of_law(error_rates=(0.1,)), of_law(error_rates=(0.5,))
    assert distance(first, again) == 0.0
    assert distance(first, other) > MOST_NOISE


@given(st.lists(TOKENS, min_size=1, max_size=5), st.floats(0, MOST_NOISE * 0.9), st.randoms(use_true_random=False))
def test_noise_moves_a_fingerprint_by_no_more_than_itself(said, noise, random):
    noisy = [{token: value + random.uniform(-noise, noise) for token, value in at.items()} for at in said]
    assert distance(said, noisy) <= noise + 1e-9
    assert distance(said, said) == 0.0
    assert distance(said, noisy) == pytest.approx(distance(noisy, said))


def test_a_token_that_is_listed_once_counts_by_what_it_must_have_lost():
    assert distance([{"a": -0.1, "b": -3.0}], [{"a": -0.1, "c": -2.5}]) == pytest.approx(0.5 / 3)


def test_fingerprints_of_different_probes_are_not_compared():
    with pytest.raises(ValueError, match="must have the same places, got 1 and 2"):
        distance([{"a": -0.1}], [{"a": -0.1}] * 2)


def test_a_probe_is_patient_with_a_busy_server():
    class Busy:
        tries = 0

        async def next_tokens(self, prefix):
            self.tries += 1
            if self.tries % 2:
                raise EngineBusy("later")
            return {"a": -0.5}

    assert asyncio.run(fingerprint(Busy(), PROBE)) == ({"a": -0.5},) * len(PROBE.places)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {"choices": [{"index": 0, "text": "a", "logprobs": None}]}), "gives no log-probabilities, by"),
        (
            (400, {"error": {"message": "logprobs are off"}}),
            r"refuses log-probabilities \(logprobs are off\), by which",
        ),
    ],
)
def test_a_server_without_log_probabilities_cannot_be_recognised_and_needs_a_revision(stub_server, answer, words):
    async def asked():
        async with stub_server(answer) as server, client_of(server) as client:
            await client.next_tokens((5, 6))

    with pytest.raises(EngineMisconfigured, match=f"{words} .* weights would be recognised: set revision to"):
        asyncio.run(asked())
