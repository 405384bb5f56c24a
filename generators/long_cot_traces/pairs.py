"""Pairs for BOLT's online DPO: of a problem's samples, the one of the highest reward against the one of the lowest.

Where a verifier scores, the highest is sought among the right ones.

A reward is the score of the solution, plus the format reward where the policy closed the thoughts itself.
"""

from collections.abc import Sequence

from filters.answers.verdicts import VERIFIER
from filters.equations.rules import FALSE_EQUATION
from filters.equations.stated import refuted
from filters.texts.thoughts import TRUNCATED
from generators.engine.tokenizer import Message
from generators.long_cot_traces.records import LongCotPair, LongCotSample
from generators.records import Problem

VERSION = "5"  # bump when a change here would change the rows


def pair(
    problem: Problem, messages: Sequence[Message], samples: Sequence[LongCotSample], *, format_reward: float
) -> LongCotPair | str:
    """The pair of a problem, or the reason why there is none; it follows from the set of samples, not from their order.

    `messages` is the chat of the pair, and `format_reward` has the units of the score. Samples that were cut off, or
    whose answer could not be decided, take no part. A malformed sample has no solution to score: a verifier calls it
    not right, and beside the scores of a reward model it gets the lowest score of its problem. Where a verifier scored,
    only a right sample is chosen, since no policy should be drawn towards a wrong answer; and no chosen side states a
    false equation. Among equal rewards the lowest index counts.
    """
    rated = sorted(filter(_takes_part, samples), key=lambda sample: sample.sample_index)
    scores = [sample.score for sample in rated if sample.score is not None]
    if len(rated) < 2:
        return "too_few_samples"
    if not scores:
        return "none_well_formed"
    least = 0.0 if rated[0].scored_by == VERIFIER else min(scores)
    rewards = [
        least if sample.score is None else sample.score + (format_reward if _closed_itself(sample) else 0.0)
        for sample in rated
    ]
    lowest = rewards.index(min(rewards))
    better = [index for index, reward in enumerate(rewards) if reward > rewards[lowest]]
    if not better:
        return "equal_rewards"
    right = [index for index in better if _may_be_right(rated[index])]
    if not right:
        return "none_right"
    true = [index for index in right if not _states_false(rated[index], problem)]
    if not true:
        return FALSE_EQUATION
    highest = max(true, key=lambda index: (rewards[index], -index))
    return LongCotPair(
        problem=problem,
        messages=tuple(messages),
        chosen=rated[highest],
        rejected=rated[lowest],
        chosen_reward=rewards[highest],
        rejected_reward=rewards[lowest],
    )


def _may_be_right(sample: LongCotSample) -> bool:
    """Whether nothing calls the sample wrong: a reward model only ranks."""
    return sample.scored_by != VERIFIER or bool(sample.score)


def _takes_part(sample: LongCotSample) -> bool:
    return sample.malformed != TRUNCATED and (sample.malformed is not None or sample.score is not None)


def _states_false(sample: LongCotSample, problem: Problem) -> bool:
    parts = (sample.internal_thoughts, sample.external_solution)
    return any(refuted(part, problem.prompt) is not None for part in parts if part)


def _closed_itself(sample: LongCotSample) -> bool:
    return sample.thoughts_closed_by == "policy"
