import asyncio
import re

import pytest
from upath import UPath

from filters.texts.thoughts import Tags
from generators.engine.protocol import Limits, Sampling
from generators.long_cot_traces.closing import inner_ids, with_closed_thoughts
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import EOS, CharTokenizer, ScriptedEngine

LAW = Sampling(temperature=0.7)
TOKENIZER = CharTokenizer()
PROMPT = TOKENIZER.encode("What is 6 + 8?\n<think>\n")
ENDED = "6 + 8 = 14."
CLOSED = f"{ENDED}\n</think>\n\n"
SOLUTION = "It is 14."


def closed(folder, says, *, index=0, max_tokens=100, head="<think>\n", context=None):
    """What becomes of rollout `index` where the policy first says `says`, and the engine that was asked."""

    def script(text, seed):
        _, tag, begun = text.partition("</think>\n\n")
        return SOLUTION[len(begun) :] if tag else says

    engine = ScriptedEngine(script)

    async def work():
        with Ledger(UPath(folder)) as ledger:
            sampler = Sampler(policy="policy", engine=engine, tokenizer=TOKENIZER, ledger=ledger, context=context)
            (rollout,) = await sampler.draw(
                PROMPT, n=1, start=index, sampling=LAW, limits=Limits(max_tokens=max_tokens)
            )
            return await with_closed_thoughts(
                PROMPT, rollout, head=head, sampler=sampler, sampling=LAW, max_tokens=max_tokens, tags=Tags()
            )

    return asyncio.run(work()), engine


def test_the_tag_takes_the_place_of_the_end_of_text_and_the_policy_goes_on_behind_it(tmp_path):
    answer, engine = closed(tmp_path, ENDED)
    assert TOKENIZER.decode_whole(answer.token_ids) == f"{CLOSED}{SOLUTION}{chr(EOS)}"
    assert TOKENIZER.decode(answer.token_ids[slice(*answer.closing)]) == "\n</think>\n\n"
    assert answer.finish_reason == "eos"
    first, second, third = engine.requests
    assert TOKENIZER.decode(second.prefix) == f"{TOKENIZER.decode(first.prefix)}{CLOSED}"
    assert (second.limits.max_tokens, third.limits.max_tokens) == (1, 99 - len(CLOSED))


def test_the_solution_may_not_end_before_it_began(tmp_path):
    _, engine = closed(tmp_path, ENDED)
    assert [request.sampling.excluded for request in engine.requests] == [(), (EOS,), ()]


def test_a_text_that_ends_in_a_line_break_gets_no_second_one(tmp_path):
    answer, _ = closed(tmp_path, f"{ENDED}\n")
    assert TOKENIZER.decode(answer.token_ids) == CLOSED + SOLUTION


# what the policy says, what the prompt has of the answer, and how many tokens it may have
LEFT_ALONE = [
    (CLOSED + SOLUTION, "<think>\n", 100),
    (CLOSED, "<think>\n", 100),
    (ENDED, "", 100),
    (f"Well. <think>{ENDED}", "", 100),
    (" \n", "<think>\n", 100),
    (ENDED, "<think>\n", len(ENDED)),
    (ENDED, "<think>\n", len(CLOSED)),
]


@pytest.mark.parametrize(("says", "head", "max_tokens"), LEFT_ALONE)
def test_what_is_closed_never_opened_blank_cut_off_or_without_room_stays_as_it_is(tmp_path, says, head, max_tokens):
    answer, engine = closed(tmp_path, says, head=head, max_tokens=max_tokens)
    assert (len(engine.requests), answer.closing) == (1, None)
    assert TOKENIZER.decode(answer.token_ids) == says[:max_tokens]


def test_a_context_without_room_for_a_solution_leaves_the_answer_as_it_is(tmp_path):
    full = len(PROMPT) + len(CLOSED)
    answer, _ = closed(tmp_path / "full", ENDED, context=full)
    assert answer.closing is None
    answer, engine = closed(tmp_path / "one", ENDED, context=full + 1)
    assert (engine.requests[-1].limits.max_tokens, answer.finish_reason) == (1, "length")


def test_a_solution_that_is_cut_off_ends_at_the_bound_of_the_whole(tmp_path):
    answer, _ = closed(tmp_path, ENDED, max_tokens=len(CLOSED) + 4)
    assert (len(answer.token_ids), answer.finish_reason) == (len(CLOSED) + 4, "length")


def test_a_policy_that_opens_its_thoughts_itself_is_closed_as_well(tmp_path):
    answer, _ = closed(tmp_path, f"<think>\n{ENDED}", head="")
    assert TOKENIZER.decode(answer.token_ids) == f"<think>\n{CLOSED}{SOLUTION}"


class Joining(CharTokenizer):
    """Joins two line breaks at the end of a text, as tokenizers of GPT-2's kind do; inside of a text only if told."""

    def __init__(self, joins_inside):
        self.joins = re.compile(r"\n\n" if joins_inside else r"\n\n$")

    def encode(self, text):
        return super().encode(self.joins.sub("\u2029", text))

    def decode(self, token_ids):
        return super().decode(token_ids).replace("\u2029", "\n\n")


@pytest.mark.parametrize(("joins_inside", "put_in"), [(False, "</t>\n\n"), (True, "</t>\u2029")])
def test_the_tag_is_put_in_as_it_is_tokenized_in_front_of_a_word(joins_inside, put_in):
    assert inner_ids("</t>\n\n", Joining(joins_inside)) == CharTokenizer().encode(put_in)


def test_a_second_run_replays_both_parts_and_another_index_draws_its_own(tmp_path):
    first, _ = closed(tmp_path, ENDED)
    again, idle = closed(tmp_path, "other")
    assert (again, idle.requests) == (first, [])
    _, asked = closed(tmp_path, ENDED, index=1)
    assert len({request.seed for request in asked.requests}) == len(asked.requests) == 3
