"""Tokens to read at every boundary, with and without a prefix cache."""

import asyncio

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.engine.protocol import Sampling
from generators.engine.simulated.policy import SimulatedPolicy
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.deepening import deepen
from generators.self_correction_traces.prefill import prefill
from generators.self_correction_traces.records import Boundary, DeepenedResponse, Segment
from generators.self_correction_traces.settings import Settings


def response(problem_id, prompt, *lengths):
    """A response of segments of these lengths after a prompt of `prompt` tokens."""
    kinds = ("written", "trigger") * len(lengths)
    segments = tuple(
        Segment(kind=kind, token_ids=(1,) * length, text="") for kind, length in zip(kinds, lengths, strict=False)
    )
    boundary = Boundary(end=0, generated=0, budget=0, end_of_text=None, verdict=Verdict.NO_ANSWER, extracted=None)
    return DeepenedResponse(
        problem_id=problem_id,
        sample_index=0,
        prompt_token_ids=(0,) * prompt,
        segments=segments,
        boundaries=(boundary,) * ((len(lengths) + 1) // 2),
        finish_reason="eos",
    )


@pytest.mark.parametrize(
    ("responses", "requests", "without", "with_reuse"),
    [
        ([], 0, 0, 0),
        ([response("p", 100, 20)], 1, 100, 100),
        ([response("p", 100, 20), response("p", 100, 30)], 2, 200, 100),
        ([response("p", 100, 20), response("q", 50, 30)], 2, 150, 150),
        ([response("p", 100, 20, 5, 40, 5, 7)], 3, 100 + 125 + 170, 110),
    ],
)
def test_without_reuse_every_boundary_reads_all_and_with_it_only_what_is_new(responses, requests, without, with_reuse):
    found = prefill(responses)
    assert (found.requests, found.without_reuse, found.with_reuse) == (requests, without, with_reuse)
    assert found.saved == pytest.approx(1 - with_reuse / without if without else 0.0)


def test_an_engine_is_sent_what_is_counted_and_computes_no_less_than_what_is_new(tmp_path):
    policy = SimulatedPolicy(cache_block=1)

    async def work():
        settings = Settings(first_budget=32, max_budget=256, at_max="cut", max_triggers=8)
        config = SelfCorrectionConfig(settings=settings, sampling=Sampling(), attempt_tokens=600, seed=0)
        with Ledger(UPath(tmp_path)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule(), "config": config}
            return [one for index in range(3) for one in await deepen(policy.problem(index), **tools)]

    found = prefill(asyncio.run(work()))
    assert policy.counts.prompt_tokens == found.without_reuse
    assert policy.counts.requests == found.requests
    # the simulated cache keeps prompts only, not what was generated
    assert found.with_reuse <= policy.counts.prompt_tokens - policy.counts.cached_tokens < found.without_reuse
