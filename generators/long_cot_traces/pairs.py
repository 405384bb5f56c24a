"""Pairs for BOLT's online DPO: of the samples at one problem, that of the highest reward against that of the lowest.

A reward is the score of the solution and, of a well-formed sample whose thoughts the policy closed itself, what its
format is worth. Knows no policy and no judge: scored samples come in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from filters.answers.verdicts import VERIFIER
from filters.texts.thoughts import TRUNCATED
from generators.engine.tokenizer import Message
from generators.long_cot_traces.records import LongCotPair, LongCotSample
from generators.records import Problem

VERSION = "2"  # bump when a change here would change the rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LongCotPairsConfig:
    """What a well-formed sample is worth beyond its score, in the units of the score."""

    format_reward: float = 1.0

    def __post_init__(self) -> None:
        if self.format_reward < 0:
            raise ValueError(f"format_reward must be at least 0, got {self.format_reward}")


def pair(
    problem: Problem, messages: Sequence[Message], samples: Sequence[LongCotSample], *, config: LongCotPairsConfig
) -> LongCotPair | str:
    """The pair of a problem, or the reason why there is none; among equal rewards the lowest index counts.

    `messages` is the chat that the policy was given. Samples that were cut off, or whose answer could not be decided,
    take no part. A malformed sample has no solution to score: to a verifier it is not right, with a reward model it
    gets the lowest score at its problem. Where a verifier scored, what is chosen is right: no policy should be drawn
    towards a wrong answer.
    """
    rated = [one for one in samples if one.malformed != TRUNCATED and (one.malformed or one.score is not None)]
    scores = [one.score for one in rated if one.score is not None]
    if len(rated) < 2:
        return "too_few_samples"
    if not scores:
        return "none_well_formed"
    least = 0.0 if rated[0].scored_by == VERIFIER else min(scores)
    rewards = [least if one.score is None else one.score + _format_reward(one, config) for one in rated]
    highest, lowest = rewards.index(max(rewards)), rewards.index(min(rewards))
    chosen = rated[highest]
    if rewards[highest] == rewards[lowest]:
        return "equal_rewards"
    if chosen.scored_by == VERIFIER and chosen.score == 0:
        return "none_right"
    return LongCotPair(
        problem=problem,
        messages=tuple(messages),
        chosen=chosen,
        rejected=rated[lowest],
        chosen_reward=rewards[highest],
        rejected_reward=rewards[lowest],
    )


def _format_reward(sample: LongCotSample, config: LongCotPairsConfig) -> float:
    return config.format_reward if sample.thoughts_closed_by == "policy" else 0.0
