"""The traces and the pair of a problem do not change when its samples are permuted."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.answers.verdicts import Verdict
from generators.long_cot_traces.pairs import pair
from generators.long_cot_traces.records import LongCotPair, LongCotSample
from generators.long_cot_traces.samples import Choosing
from generators.long_cot_traces.schema import LONG_COT_SAMPLES
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.table import sample_rows
from generators.records import Problem

PROBLEM = Problem(problem_id="p", source="s", prompt="What is 2 + 2?", answer="4")
ORIGIN = {"sampling": "{}", "max_tokens": 400, "policy": "policy", "round": "1", "slice": "s-0"}
CHAT = [{"role": "user", "content": PROBLEM.prompt}]
KINDS = {  # what a sample is like: malformed, score, verdict, who closed the thoughts, what the thoughts say
    "right by policy": (None, 1.0, Verdict.EQUAL, "policy", "I add."),
    "right by recipe": (None, 1.0, Verdict.EQUAL, "recipe", "I add."),
    "right, but false": (None, 1.0, Verdict.EQUAL, "policy", "2 + 2 = 5, and I do not care."),
    "wrong by policy": (None, 0.0, Verdict.DIFFERENT, "policy", "I guess."),
    "wrong by recipe": (None, 0.0, Verdict.DIFFERENT, "recipe", "I guess."),
    "undecided": (None, None, Verdict.TIMEOUT, "policy", "I write riddles."),
    "malformed": ("no_closing_tag", None, None, None, None),
    "truncated": ("truncated", None, None, None, None),
}
kinds = st.lists(st.sampled_from(sorted(KINDS)), max_size=7)


def sample(index, kind):
    malformed, score, verdict, closed_by, thoughts = KINDS[kind]
    return LongCotSample(
        problem_id="p",
        sample_index=index,
        prompt_token_ids=(1,),
        token_ids=(2, index),
        text=f"answer {index}",
        finish_reason="length" if malformed == "truncated" else "eos",
        thoughts_closed_by=closed_by,
        closing_token_start=0 if closed_by == "recipe" else None,
        closing_token_end=1 if closed_by == "recipe" else None,
        malformed=malformed,
        internal_thoughts=thoughts and f"{thoughts} Take {index}.",
        external_solution=None if malformed else "It is so.",
        scored_by="verifier",
        score=score,
        verdict=verdict,
        extracted=None,
    )


def samples_of(kinds):
    return [sample(index, kind) for index, kind in enumerate(kinds)]


def paired(samples, format_reward=1.0):
    return pair(PROBLEM, CHAT, samples, format_reward=format_reward)


@given(kinds, st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.randoms(use_true_random=False))
def test_the_pair_follows_from_the_set_of_samples(kinds, format_reward, chance):
    samples = samples_of(kinds)
    permuted = chance.sample(samples, len(samples))
    assert paired(permuted, format_reward) == paired(samples, format_reward)


@given(kinds, st.randoms(use_true_random=False))
def test_whether_there_is_a_pair_and_what_it_rewards_does_not_depend_on_which_sample_was_drawn_first(kinds, chance):
    first, other = (paired(samples_of(drawn)) for drawn in (kinds, chance.sample(kinds, len(kinds))))
    assert rewards(first) == rewards(other)


def rewards(found):
    """The rewards and scores of both sides, or the reason why there are none."""
    if not isinstance(found, LongCotPair):
        return found
    sides = (found.chosen.score, found.chosen.thoughts_closed_by, found.rejected.score)
    return found.chosen_reward, found.rejected_reward, *sides[:2]


BOLT = ["wrong by policy", "right by recipe", "wrong by recipe"]


@pytest.mark.parametrize("drawn", [BOLT, [BOLT[1], BOLT[0], BOLT[2]], BOLT[::-1]])
def test_bolt_pairs_wrong_by_policy_right_by_recipe_and_wrong_by_recipe_in_any_order(drawn):
    found = paired(samples_of(drawn))
    assert drawn[found.chosen.sample_index] == "right by recipe"
    assert drawn[found.rejected.sample_index] == "wrong by recipe"
    assert (found.chosen_reward, found.rejected_reward) == (1.0, 0.0)


@settings(max_examples=25)
@given(kinds, st.randoms(use_true_random=False))
def test_traces_pairs_and_what_became_of_every_sample_follow_from_the_set_of_samples(kinds, chance):
    samples = samples_of(kinds)
    # Another problem, so that the permuted samples stand among others.
    other = replace(PROBLEM, problem_id="q")
    others = [replace(one, problem_id="q") for one in samples]
    choosing = Choosing(
        problems={"p": PROBLEM, "q": other},
        topics=dict.fromkeys("pq", (None, None)),
        settings=Settings(),
        match="verbatim",
    )
    first, second = (
        choosing.choose(
            LONG_COT_SAMPLES.frame([*sample_rows(PROBLEM, drawn, ORIGIN), *sample_rows(other, others, ORIGIN)])
        )
        for drawn in (samples, chance.sample(samples, len(samples)))
    )
    assert first.traces == second.traces
    assert (first.pairs, first.unpaired) == (second.pairs, second.unpaired)
    in_order = [chosen.samples.sort("problem_id", "sample_index") for chosen in (first, second)]
    assert in_order[0].equals(in_order[1])
