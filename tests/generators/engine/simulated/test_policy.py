import asyncio
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.answers.extraction import extract_answer
from generators.engine.errors import EngineUnavailable, RequestRefused
from generators.engine.protocol import Limits, Request, Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy, prefix_digest
from generators.engine.simulated.statement import SimulatedProblems

ANY_LENGTH = Limits(max_tokens=2000)


def prompt(policy, index=0):
    return policy.tokenizer.chat([{"role": "user", "content": f"Box it.\n{policy.problem(index).prompt}"}])


def request(prefix, *, seed=0, n=1, limits=ANY_LENGTH, logprobs=False):
    return Request(prefix=tuple(prefix), sampling=Sampling(), limits=limits, seed=seed, n=n, logprobs=logprobs)


def generate(policy, *args, **kwargs):
    return asyncio.run(policy.generate(request(*args, **kwargs)))


def ends_right(policy, index, text):
    return extract_answer(text) == policy.problem(index).answer


def within(count, n, probability):
    """The count lies within 4.5 standard deviations of its mean."""
    return abs(count - n * probability) <= 4.5 * math.sqrt(n * probability * (1 - probability)) + 1e-9


@pytest.mark.parametrize("base_rate", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("recovery_rate", [0.0, 0.1])
@pytest.mark.parametrize("n_steps", [5, 14])
def test_attempts_end_right_as_often_as_the_base_rate_says(base_rate, recovery_rate, n_steps):
    law = SimulatedLaw(base_rates=(base_rate,), recovery_rate=recovery_rate)
    policy = SimulatedPolicy(law=law, problems=SimulatedProblems(min_steps=n_steps, max_steps=n_steps))
    completions = generate(policy, prompt(policy), n=1000).completions
    assert policy.value(prompt(policy)) == pytest.approx(base_rate)
    assert within(sum(ends_right(policy, 0, one.text) for one in completions), 1000, base_rate)


@pytest.mark.parametrize("share", [0.1, 0.35, 0.6, 0.85, 1.0])
def test_continuations_of_any_cut_end_right_as_often_as_its_value_says(share):
    policy = SimulatedPolicy(law=SimulatedLaw(error_rates=(0.15,), recovery_rate=0.1))
    start = prompt(policy)
    for seed in range(4):
        whole = generate(policy, start, seed=seed).completions[0].token_ids[:-1]
        head = whole[: int(share * len(whole))]
        rollouts = generate(policy, start + head, n=500).completions
        text = policy.tokenizer.decode(head)
        right = sum(ends_right(policy, 0, text + one.text) for one in rollouts)
        assert within(right, 500, policy.value(start + head))


def test_value_falls_to_the_recovery_at_the_first_error():
    policy = SimulatedPolicy(law=SimulatedLaw(error_rates=(0.2,), recovery_rate=0.0))
    start = prompt(policy)
    for completion in generate(policy, start, n=50).completions:
        ids = start + completion.token_ids
        error = policy.first_error(ids)
        assert (error is None) == ends_right(policy, 0, completion.text)
        assert policy.value(ids) == float(error is None)


def test_a_solution_is_lines_of_text_that_end_in_a_boxed_answer():
    policy = SimulatedPolicy(law=SimulatedLaw(error_rates=(0.0,)))
    completion = generate(policy, prompt(policy)).completions[0]
    lines = completion.text.split("\n")
    assert lines[-1] == f"\\boxed{{{policy.problem(0).answer}}}"
    assert len(lines) == int(policy.problem(0).level) + 1
    assert completion.finish_reason == "eos"
    assert policy.tokenizer.encode(completion.text) == completion.token_ids[:-1]


def test_problems_are_the_same_everywhere_and_differ_from_each_other():
    ours, theirs = SimulatedPolicy(), SimulatedPolicy()
    problems = [ours.problem(index) for index in range(200)]
    assert problems == [theirs.problem(index) for index in range(200)]
    assert len({problem.problem_id for problem in problems}) == 200
    assert {problem.level for problem in problems} == {str(steps) for steps in range(5, 15)}


def test_child_i_of_n_is_what_seed_plus_i_draws_alone():
    policy = SimulatedPolicy()
    together = generate(policy, prompt(policy), seed=7, n=5).completions
    alone = tuple(generate(SimulatedPolicy(), prompt(policy), seed=7 + i).completions[0] for i in range(5))
    assert together == alone
    assert len({one.text for one in together}) > 1


@given(seed=st.integers(-(2**63), 2**63 - 1), max_tokens=st.integers(1, 120))
def test_a_shorter_limit_cuts_the_same_completion(seed, max_tokens):
    policy = SimulatedPolicy()
    whole = generate(policy, prompt(policy), seed=seed).completions[0]
    short = generate(policy, prompt(policy), seed=seed, limits=Limits(max_tokens=max_tokens)).completions[0]
    assert short.token_ids == whole.token_ids[:max_tokens]
    assert short.text == policy.tokenizer.decode(short.token_ids)
    assert short.finish_reason == ("eos" if len(whole.token_ids) <= max_tokens else "length")


@pytest.mark.parametrize("stop", [("\n",), ("gives",), (" gives 9",), ("}",), ("\n", "so"), ("n g",)])
def test_a_stop_string_ends_the_completion_at_the_token_that_completes_it(stop):
    policy = SimulatedPolicy()
    whole = generate(policy, prompt(policy), n=30).completions
    stopped = generate(policy, prompt(policy), n=30, limits=replace(ANY_LENGTH, stop=stop)).completions
    for full, cut in zip(whole, stopped, strict=True):
        assert cut.token_ids == full.token_ids[: len(cut.token_ids)]
        if cut.finish_reason == "stop":
            assert any(word in cut.text for word in stop)
            assert not any(word in policy.tokenizer.decode(cut.token_ids[:-1]) for word in stop)
        else:
            assert cut == full
            assert not any(word in full.text for word in stop)


def test_logprobs_are_the_law_and_add_up_over_a_cut():
    policy = SimulatedPolicy()
    start = prompt(policy)
    completion = generate(policy, start, logprobs=True).completions[0]
    ids = completion.token_ids
    assert completion.logprobs == policy.score(start, ids)
    for cut in (1, 10, len(ids) - 1):
        both = policy.score(start, ids[:cut]) + policy.score(start + ids[:cut], ids[cut:])
        assert both == completion.logprobs
    assert generate(policy, start).completions[0].logprobs is None


def test_the_context_bounds_prefix_and_continuation_together():
    policy = SimulatedPolicy()
    start = prompt(policy)
    tight = SimulatedPolicy(max_model_len=len(start) + 10)
    completion = generate(tight, start).completions[0]
    assert (len(completion.token_ids), completion.finish_reason) == (10, "length")
    with pytest.raises(RequestRefused, match=f"maximum context length is {len(start) + 10}"):
        generate(tight, start + completion.token_ids)


def test_a_prefix_that_cannot_be_continued_is_refused_with_the_reason():
    policy = SimulatedPolicy()
    ended = prompt(policy) + generate(policy, prompt(policy)).completions[0].token_ids
    foreign = policy.tokenizer.chat([{"role": "user", "content": "What is 2 + 2?"}])
    for prefix, complaint in [
        (ended, "end-of-text"),
        (foreign, "quotes no problem"),
        (policy.tokenizer.encode(policy.problem(0).prompt), "assistant's turn"),
        ((-1,), "token ids from 0"),
        ((), "token ids from 0"),
    ]:
        with pytest.raises(RequestRefused, match=complaint):
            generate(policy, prefix)


def test_usage_and_counts_and_log_agree():
    policy = SimulatedPolicy(cache_block=16)
    start = prompt(policy)
    first, second = generate(policy, start, seed=3, n=2), generate(policy, start, seed=9)
    lengths = [len(one.token_ids) for one in first.completions + second.completions]
    assert (first.usage.prompt, first.usage.cached) == (len(start), 0)
    assert second.usage.cached == (len(start) - 1) // 16 * 16
    assert first.usage.generated + second.usage.generated == policy.counts.generated_tokens == sum(lengths)
    digest = prefix_digest(start).hex()
    assert policy.drawn == [(digest, seed, length) for seed, length in zip((3, 4, 9), lengths, strict=True)]
    assert (policy.counts.requests, policy.counts.sequences, policy.counts.running) == (2, 3, 0)


def test_the_log_can_be_left_out():
    policy = SimulatedPolicy(keeps_log=False)
    generate(policy, prompt(policy))
    assert policy.drawn == []


def test_latency_lasts_as_long_as_the_longest_sibling():
    policy = SimulatedPolicy(seconds_per_token=1e-4)

    async def timed():
        clock = asyncio.get_running_loop().time
        began = clock()
        generation = await policy.generate(request(prompt(policy), n=4))
        return clock() - began, max(len(one.token_ids) for one in generation.completions)

    seconds, tokens = asyncio.run(timed())
    assert seconds >= tokens * 1e-4 * 0.99


def test_a_stalled_policy_answers_only_when_it_resumes():
    async def scenario():
        policy = SimulatedPolicy()
        policy.faults.stall()
        waiting = asyncio.create_task(policy.generate(request(prompt(policy), n=3)))
        await asyncio.wait([waiting], timeout=0.02)
        assert not waiting.done()
        assert policy.counts.running == 3
        assert policy.drawn == []
        policy.faults.resume()
        assert (await waiting).completions == (await policy.generate(request(prompt(policy), n=3))).completions

    asyncio.run(scenario())


@pytest.mark.parametrize("stalled", [True, False])
def test_death_fails_what_is_in_flight_and_what_comes(stalled):
    async def scenario():
        policy = SimulatedPolicy(seconds_per_token=0.0 if stalled else 60.0)
        if stalled:
            policy.faults.stall()
        waiting = asyncio.create_task(policy.generate(request(prompt(policy))))
        await asyncio.sleep(0)
        policy.faults.die()
        with pytest.raises(EngineUnavailable, match="died while it held"):
            await waiting
        with pytest.raises(EngineUnavailable, match="is dead"):
            await policy.generate(request(prompt(policy)))
        assert (policy.counts.aborted, policy.counts.running, policy.drawn) == (1, 0, [])

    asyncio.run(scenario())


def test_a_death_can_be_set_for_later_and_undone():
    policy = SimulatedPolicy()
    policy.faults.die(after_sequences=2)
    generate(policy, prompt(policy), n=2)
    with pytest.raises(EngineUnavailable):
        generate(policy, prompt(policy))
    policy.faults.revive()
    assert generate(policy, prompt(policy)).completions


def test_a_cancelled_request_is_neither_counted_nor_logged():
    async def scenario():
        policy = SimulatedPolicy(seconds_per_token=60.0)
        waiting = asyncio.create_task(policy.generate(request(prompt(policy), n=2)))
        await asyncio.sleep(0)
        assert policy.counts.running == 2
        waiting.cancel()
        await asyncio.wait([waiting])
        assert (policy.counts.aborted, policy.counts.running, policy.counts.sequences) == (2, 0, 0)
        assert policy.drawn == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"seconds_per_token": -1.0}, "seconds_per_token must be at least 0, got -1.0"),
        ({"max_model_len": 0}, "max_model_len must be at least 1, got 0"),
        ({"cache_block": 0}, "block_size must be at least 1, got 0"),
    ],
)
def test_settings_out_of_bounds_are_refused(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        SimulatedPolicy(**settings)
