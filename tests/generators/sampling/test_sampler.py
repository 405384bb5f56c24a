import asyncio
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from generators.engine.errors import RequestRefused
from generators.engine.protocol import Limits, Sampling
from generators.records import Rollout
from generators.sampling.ledger import Ledger, LedgerKey, Stored
from generators.sampling.sampler import Sampler, cut, rollout_seed
from generators.tokens import TokenIds
from tests.fakes import CharTokenizer, ScriptedEngine

TOKENIZER = CharTokenizer()
PREFIX = TOKENIZER.encode("Q:")
LAW = Sampling(temperature=1.0)
PLENTY = Limits(max_tokens=100)


def story(prefix, seed):
    """Goes on from wherever the prefix ends, as a deterministic policy would."""
    return "one\ntwo\nthree"[len(prefix) - len("Q:") :]


@contextmanager
def sampler(folder, script=story, context=None, spare=0):
    engine = ScriptedEngine(script)
    with Ledger(UPath(folder)) as ledger:
        door = Sampler(
            policy="p", engine=engine, tokenizer=TOKENIZER, ledger=ledger, context=context, spare=lambda: spare
        )
        yield door, engine


def draw(door, n=1, limits=PLENTY, start=0):
    return asyncio.run(door.draw(PREFIX, n=n, sampling=LAW, limits=limits, start=start))


def test_what_is_in_the_ledger_is_not_asked_again(tmp_path):
    with sampler(tmp_path) as (door, engine):
        first = draw(door, n=4)
        assert len(engine.requests) == 4
    with sampler(tmp_path) as (door, engine):
        assert draw(door, n=4) == first
        assert engine.requests == []
        assert door.counts.replayed == 4


def held(door, max_tokens=100):
    return door.held(PREFIX, sampling=LAW, max_tokens=max_tokens)


def test_what_is_held_is_counted_up_to_the_first_gap_and_nothing_is_drawn_for_it(tmp_path):
    with sampler(tmp_path) as (door, engine):
        assert held(door) == 0
        draw(door, n=3)
        draw(door, n=2, start=4)
        assert (held(door), len(engine.requests)) == (3, 5)
    with sampler(tmp_path) as (door, engine):
        assert (held(door), engine.requests) == (3, [])


def test_a_run_with_a_rollout_that_was_cut_off_counts_for_nothing_until_that_is_whole(tmp_path):
    with sampler(tmp_path) as (door, _):
        draw(door, n=2)
        draw(door, start=2, limits=Limits(max_tokens=5))
        assert held(door) == 0
        assert held(door, max_tokens=5) == 3
        draw(door, start=2)
        assert held(door) == 3


def test_rollouts_that_the_context_ended_are_whole(tmp_path):
    with sampler(tmp_path, context=len(PREFIX) + 5) as (door, _):
        draw(door, n=2, limits=Limits(max_tokens=5))
        assert held(door) == 2


def test_asking_for_six_where_four_exist_pays_for_two(tmp_path):
    with sampler(tmp_path) as (door, engine):
        draw(door, n=4)
        draw(door, n=6)
        assert len(engine.requests) == 6
        assert len({request.seed for request in engine.requests}) == 6


def test_a_draw_never_depends_on_who_asked_first(tmp_path):
    with sampler(tmp_path / "a") as (door, whole):
        draw(door, n=6)
    with sampler(tmp_path / "b") as (door, pieces):
        draw(door, n=2, start=4)
        draw(door, n=6)
    assert {r.seed for r in whole.requests} == {r.seed for r in pieces.requests}


def test_a_longer_completion_is_cut_to_what_is_asked(tmp_path):
    with sampler(tmp_path) as (door, engine):
        draw(door)
        step = draw(door, limits=Limits(max_tokens=100, stop=("\n",)))[0]
        short = draw(door, limits=Limits(max_tokens=5))[0]
        assert (step.text, step.finish_reason) == ("one\n", "stop")
        assert (short.text, short.finish_reason) == ("one\nt", "length")
        assert len(engine.requests) == 1


def test_a_completion_cut_short_is_continued_from_its_own_tokens(tmp_path):
    with sampler(tmp_path) as (door, engine):
        draw(door, limits=Limits(max_tokens=5))
        whole = draw(door)[0]
        assert (whole.text, whole.finish_reason) == ("one\ntwo\nthree", "eos")
        first, second = engine.requests
        assert second.prefix == first.prefix + TOKENIZER.encode("one\nt")
        assert second.limits.max_tokens == 95
        assert second.seed != first.seed
        assert door.counts.continued == 1


def test_a_completion_stopped_at_a_string_is_continued_too(tmp_path):
    with sampler(tmp_path) as (door, _):
        assert draw(door, limits=Limits(max_tokens=100, stop=("\n",)))[0].text == "one\n"
        assert draw(door)[0].text == "one\ntwo\nthree"


def test_a_completion_that_fills_the_context_is_final(tmp_path):
    with sampler(tmp_path) as (door, _):
        draw(door, limits=Limits(max_tokens=5))
    with sampler(tmp_path, context=len(PREFIX) + 5) as (door, engine):
        rollout = draw(door)[0]
        assert (rollout.text, rollout.finish_reason) == ("one\nt", "length")
        assert engine.requests == []


def test_two_recipes_that_want_the_same_rollout_pay_once(tmp_path):
    async def both(door):
        return await asyncio.gather(*(door.draw(PREFIX, n=3, sampling=LAW, limits=PLENTY) for _ in range(2)))

    with sampler(tmp_path) as (door, engine):
        one, other = asyncio.run(both(door))
        assert one == other
        assert len(engine.requests) == 3


def test_a_refusal_reaches_the_caller_as_itself(tmp_path):
    def refuse(prefix, seed):
        raise RequestRefused("too long")

    with sampler(tmp_path, refuse) as (door, _), pytest.raises(RequestRefused, match="too long"):
        draw(door, n=3)


@settings(max_examples=40, deadline=None)
@given(asks=st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=6))
def test_any_history_of_limits_gives_what_a_fresh_draw_would(asks, tmp_path_factory):
    with sampler(tmp_path_factory.mktemp("history")) as (door, _):
        for max_tokens, stops in asks:
            limits = Limits(max_tokens=max_tokens, stop=("\n",) if stops else ())
            with sampler(tmp_path_factory.mktemp("fresh")) as (fresh, _):
                assert draw(door, limits=limits) == draw(fresh, limits=limits)


def settled(door, n, ahead, *, start=0, turns=20):
    """A draw, and what was begun ahead of time brought to its end."""

    async def run():
        async with door:
            found = await door.draw(PREFIX, n=n, sampling=LAW, limits=PLENTY, start=start, ahead=ahead)
            for _ in range(turns):
                await asyncio.sleep(0)
            return found

    return asyncio.run(run())


@pytest.mark.parametrize(("spare", "ahead", "requests"), [(0, 4, 1), (3, 4, 1), (8, 4, 3), (64, 4, 5), (64, 0, 1)])
def test_a_quarter_of_the_spare_slots_is_drawn_ahead_on(tmp_path, spare, ahead, requests):
    with sampler(tmp_path, spare=spare) as (door, engine):
        settled(door, 1, ahead)
        assert len(engine.requests) == requests


def test_what_was_drawn_ahead_is_what_would_have_been_drawn(tmp_path):
    with sampler(tmp_path / "a", spare=64) as (door, engine):
        settled(door, 1, 3)
        ahead = draw(door, n=4)
        assert len(engine.requests) == 4
    with sampler(tmp_path / "b") as (door, _):
        assert draw(door, n=4) == ahead


def test_nothing_is_drawn_ahead_of_what_the_ledger_has(tmp_path):
    with sampler(tmp_path, spare=64) as (door, engine):
        draw(door, n=2)
        settled(door, 2, 4)
        assert len(engine.requests) == 2


def test_the_end_of_the_sampler_cancels_what_is_under_way_ahead(tmp_path):
    class Waiting(ScriptedEngine):
        cancelled = 0

        async def generate(self, request):
            if request.seed != first:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.cancelled += 1
                    raise
            return await super().generate(request)

    digest = LedgerKey(policy="p", prefix=tuple(PREFIX), sampling=LAW).digest()
    first, engine = rollout_seed(digest, 0, 0), Waiting(story)
    with Ledger(UPath(tmp_path)) as ledger:
        door = Sampler(policy="p", engine=engine, tokenizer=TOKENIZER, ledger=ledger, spare=lambda: 64)
        settled(door, 1, 4)
        assert (engine.cancelled, len(ledger)) == (4, 1)


def test_a_failure_ahead_of_time_is_told_to_whoever_asks_for_that_rollout(tmp_path):
    digest = LedgerKey(policy="p", prefix=tuple(PREFIX), sampling=LAW).digest()

    def script(prefix, seed):
        if seed == rollout_seed(digest, 2, 0):
            raise RequestRefused("no")
        return story(prefix, seed)

    with sampler(tmp_path, script, spare=64) as (door, _):
        assert len(settled(door, 1, 3)) == 1
        with pytest.raises(RequestRefused):
            settled(door, 1, 0, start=2)


STOPS = ("\n", "\n\n", "b", "ab", "ba\n")


def slow_stop_end(ids, stop):
    """The first end of a prefix of the text that holds a stop string."""
    text = TOKENIZER.decode(ids)
    return next((end for end in range(1, len(ids) + 1) if any(string in text[:end] for string in stop)), None)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text("ab\n", max_size=24),
    reason=st.sampled_from(["eos", "stop", "length"]),
    stop=st.lists(st.sampled_from(STOPS), max_size=3).map(tuple),
    max_tokens=st.integers(1, 30),
)
def test_a_stored_rollout_is_cut_where_a_walk_over_its_tokens_would_stop(text, reason, stop, max_tokens):
    ids = TOKENIZER.encode(text)
    kept = ids[:max_tokens]
    end = slow_stop_end(kept, stop)
    if end is not None:
        expected = (kept[:end], "stop")
    elif len(kept) == len(ids) and reason == "eos":
        expected = (kept, "eos")
    else:
        expected = (kept, "length") if len(kept) == max_tokens else None
    assert cut(Stored(TokenIds(ids), reason), Limits(max_tokens=max_tokens, stop=stop), TOKENIZER) == expected


class Words:
    """Pieces of several letters, or of none."""

    def pieces(self, token_ids):
        return [("", "a", "b\n", "aab", "\n\n", "ba")[token_id] for token_id in token_ids]


@settings(max_examples=200, deadline=None)
@given(
    ids=st.lists(st.integers(0, 5), min_size=1, max_size=12),
    stop=st.lists(st.sampled_from(STOPS), min_size=1).map(tuple),
)
def test_a_rollout_ends_with_the_token_that_completes_a_stop_string(ids, stop):
    ends = (end for end in range(1, len(ids) + 1) if any(s in "".join(Words().pieces(ids[:end])) for s in stop))
    end = next(ends, None)
    found = cut(Stored(TokenIds(ids), "eos"), Limits(max_tokens=99, stop=stop), Words())
    assert found == (tuple(ids[:end]), "eos" if end is None else "stop")


def test_a_text_is_decoded_when_it_is_read_and_once():
    class Counting(CharTokenizer):
        decoded = 0

        def decode(self, token_ids):
            self.decoded += 1
            return super().decode(token_ids)

    tokenizer = Counting()
    rollout = Rollout(key="", index=0, token_ids=(97, 98, 0), text=tokenizer.decode, finish_reason="eos")
    assert tokenizer.decoded == 0
    assert [rollout.text, rollout.text] == ["ab", "ab"]
    assert tokenizer.decoded == 1
