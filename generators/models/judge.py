"""Sampling params of a judge, for every kind of question."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSampling:
    """The temperature and the length of one judgement, and how many of them vote on a question."""

    temperature: float
    max_tokens: int
    votes: int
