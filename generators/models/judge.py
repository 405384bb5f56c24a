"""Sampling params of a judge, for every kind of question."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSampling:
    """The temperature and the length of one judgement, and how many of them vote on a question."""

    temperature: float
    max_tokens: int
    votes: int

    def __post_init__(self) -> None:
        if self.votes > 1 and self.temperature == 0:
            raise ValueError(f"votes must be 1 at temperature 0, where all are the same, got {self.votes}")
