"""A second opinion: a language model reads a solution and names its first wrong step.

The judge of Qwen2.5-Math-PRM's consensus filter (arXiv 2501.07301) with ProcessBench's form of answer
(arXiv 2412.06559). It never sees the problem's answer. It has a sampler of its own, whose policy name keeps its
rollouts apart from those of the policy that wrote the solution.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from filters.answers.extraction import last_boxed
from generators.engine.protocol import Limits, Sampling
from generators.process_labels import judge_prompt as prompt
from generators.records import NO_ERROR, Problem, Rollout
from generators.sampling.sampler import Sampler

VERSION = "1"  # bump when a change here would change the rows

Outcome = Literal["judged", "not_sure", "no_verdict"]

_INDEX = re.compile(r"(?:\\text\{)?\s*([-−]?[0-9]{1,6})\s*\}?")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeConfig:
    """How the judge is sampled: `votes` judgements of one solution, each of at most `max_tokens`."""

    sampling: Sampling
    max_tokens: int
    votes: int = 1

    def __post_init__(self) -> None:
        for field in ("max_tokens", "votes"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.votes > 1 and self.sampling.temperature == 0:
            raise ValueError(f"votes must be 1 at temperature 0, where all are the same, got {self.votes}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The judge's verdict on one solution.

    `first_error` is the 0-based index of the first wrong step, -1 when all are right; None when the votes are tied
    (`not_sure`) or none of them names a step (`no_verdict`). `votes` are the single judgements in the order of their
    index, None if a judgement names nothing; `texts` are their texts.
    """

    first_error: int | None
    outcome: Outcome
    votes: tuple[int | None, ...]
    texts: tuple[str, ...]


async def judge(problem: Problem, steps: Sequence[str], *, sampler: Sampler, config: JudgeConfig) -> Judgement:
    """Draw `config.votes` judgements of `steps` and decide by their majority; raises EngineError."""
    if not steps:
        raise ValueError("steps must not be empty: there is nothing to judge")
    rollouts = await sampler.draw(
        sampler.tokenizer.chat(prompt.messages(problem.prompt, steps)),
        n=config.votes,
        sampling=config.sampling,
        limits=Limits(max_tokens=config.max_tokens),
    )
    votes = tuple(_vote(rollout, len(steps)) for rollout in rollouts)
    first_error, outcome = decide(votes)
    return Judgement(
        first_error=first_error, outcome=outcome, votes=votes, texts=tuple(rollout.text for rollout in rollouts)
    )


def decide(votes: Sequence[int | None]) -> tuple[int | None, Outcome]:
    """The index that most votes name; a tie decides nothing, and votes that name nothing do not count."""
    ranked = Counter(vote for vote in votes if vote is not None).most_common(2)
    if not ranked:
        return None, "no_verdict"
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        return None, "not_sure"
    return ranked[0][0], "judged"


def named_index(text: str, n_steps: int) -> int | None:
    """The index in the last box of a judgement; None if there is no box, no integer in it, or no such step."""
    boxed = _INDEX.fullmatch(last_boxed(text) or "")
    if boxed is None:
        return None
    index = int(boxed[1].replace("−", "-"))
    return index if NO_ERROR <= index < n_steps else None


def _vote(rollout: Rollout, n_steps: int) -> int | None:
    """A judgement that was cut off names nothing: its last box need not be its conclusion."""
    return None if rollout.finish_reason == "length" else named_index(rollout.text, n_steps)
