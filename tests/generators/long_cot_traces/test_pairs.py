from dataclasses import replace

import pytest

from filters.answers.verdicts import Verdict
from generators.long_cot_traces.pairs import pair
from generators.long_cot_traces.records import LongCotPair, LongCotSample
from generators.records import Problem

PROBLEM = Problem(problem_id="p", source="s", prompt="What is 2 + 2?", answer="4")
CHAT = [{"role": "user", "content": "What is 2 + 2?"}]


def sample(index, score, malformed=None, scored_by="verifier", closed_by="policy"):
    verdict = {None: None, 1.0: Verdict.EQUAL, 0.0: Verdict.DIFFERENT}.get(score)
    return LongCotSample(
        problem_id="p",
        sample_index=index,
        prompt_token_ids=(1,),
        token_ids=(2, index),
        text=f"answer {index}",
        finish_reason="length" if malformed == "truncated" else "eos",
        thoughts_closed_by=None if malformed in ("truncated", "no_closing_tag") else closed_by,
        closing_token_start=None,
        closing_token_end=None,
        malformed=malformed,
        internal_thoughts=None if malformed else "I add.",
        external_solution=None if malformed else "It is so.",
        scored_by=scored_by,
        score=score,
        verdict=verdict if scored_by == "verifier" else None,
        extracted=None,
    )


def paired(*samples, format_reward=1.0):
    """Indexes and rewards of the pair, or the reason why there is none."""
    made = pair(PROBLEM, CHAT, samples, format_reward=format_reward)
    if not isinstance(made, LongCotPair):
        return made
    assert made.messages == tuple(CHAT)
    return made.chosen.sample_index, made.rejected.sample_index, made.chosen_reward, made.rejected_reward


def test_the_chosen_side_states_no_false_equation():
    best = replace(sample(0, 1.0), internal_thoughts="2 + 2 = 5, but I know better.")
    other, wrong = sample(1, 1.0, closed_by="recipe"), sample(2, 0.0)
    low = replace(wrong, malformed="no_closing_tag", score=None)
    assert paired(best, other, low) == (1, 2, 1.0, 0.0)
    assert paired(best, wrong) == "false_equation"


VERIFIED = [
    ([(0, 0.0), (1, 1.0)], (1, 0, 2.0, 1.0)),
    ([(0, 1.0), (1, 0.0), (2, 1.0), (3, 0.0)], (0, 1, 2.0, 1.0)),
    ([(0, 1.0), (1, 0.0), (2, None, "no_closing_tag")], (0, 2, 2.0, 0.0)),
    ([(0, None, "no_closing_tag"), (1, 1.0)], (1, 0, 2.0, 0.0)),
    ([(0, 1.0), (1, 1.0)], "equal_rewards"),
    ([(0, 0.0), (1, 0.0)], "equal_rewards"),
    ([(0, 0.0), (1, None, "no_closing_tag")], "none_right"),
    ([(0, None, "no_closing_tag"), (1, None, "empty_solution")], "none_well_formed"),
    ([(0, 1.0), (1, None, "truncated")], "too_few_samples"),
    ([(0, 1.0), (1, None)], "too_few_samples"),
    ([], "too_few_samples"),
]


@pytest.mark.parametrize(("samples", "expected"), VERIFIED)
def test_highest_stands_against_lowest_reward_and_ties_are_dropped(samples, expected):
    assert paired(*(sample(*one) for one in samples)) == expected


CLOSED = [
    ([(0, 1.0, "recipe"), (1, 0.0, "recipe")], (0, 1, 1.0, 0.0)),
    ([(0, 1.0, "recipe"), (1, 1.0, "policy")], (1, 0, 2.0, 1.0)),
    ([(0, 1.0, "recipe"), (1, 0.0, "policy")], "equal_rewards"),
]


@pytest.mark.parametrize(("samples", "expected"), CLOSED)
def test_only_a_policy_that_closed_its_thoughts_is_rewarded_for_the_format(samples, expected):
    assert paired(*(sample(index, score, closed_by=by) for index, score, by in samples)) == expected


REWARDED = [
    ([(0, 0.25), (1, -3.0), (2, 7.0)], (2, 1, 8.0, -2.0)),
    ([(0, 0.25), (1, -3.0), (2, 7.0), (3, None, "repeated_tags")], (2, 3, 8.0, -3.0)),
    ([(0, 0.25), (1, None, "repeated_tags")], (0, 1, 1.25, 0.25)),
    ([(0, 0.0), (1, -1.0)], (0, 1, 1.0, 0.0)),
    ([(0, 0.25), (1, 0.25)], "equal_rewards"),
]


@pytest.mark.parametrize(("samples", "expected"), REWARDED)
def test_rewards_of_a_model_are_paired_the_same_way(samples, expected):
    assert (
        paired(
            *(
                sample(*one, scored_by="armorm") if len(one) == 3 else sample(one[0], one[1], None, "armorm")
                for one in samples
            )
        )
        == expected
    )


def test_without_a_worth_of_its_own_the_format_makes_no_pair():
    malformed = sample(1, None, "repeated_tags", "armorm")
    assert paired(sample(0, 0.25, None, "armorm"), malformed, format_reward=0) == "equal_rewards"
