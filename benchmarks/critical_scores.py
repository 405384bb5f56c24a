"""Scores for `benchmarks.critical_real --scores benchmarks.critical_scores:contrastive_scores`: contrastive estimation.

The policy's adapters learn from the benchmark's own attempts, without the solutions that are looked at, and are kept
below its folder. A few dozen examples teach little at the paper's rate, which was for thousands: here it is ten times
as high, for two epochs.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.critical_methods import Case
from filters.answers.checker import AnswerRule
from generators.critical_token_pairs.choice import choose_solutions
from generators.critical_token_pairs.scores import ContrastiveScorer, ScoringSettings
from generators.models.base import base_of
from generators.models.policy import Policy
from generators.records import Attempt, Problem
from generators.training.adapters import AdapterSettings
from generators.training.contrastive_models import contrastive_models
from generators.training.examples import of_attempt

SETTINGS = AdapterSettings(learning_rate=3e-3, epochs=2)


def contrastive_scores(
    policy: Policy, folder: Path, tried: Sequence[tuple[Problem, Sequence[Attempt]]], cases: Sequence[Case]
) -> list[list[float]]:
    """One number a token of the response of each case; raises TrainingError."""
    held_out = {(case.problem.problem_id, case.solution.attempt_index) for case in cases}
    choices = [
        choose_solutions([one for one in attempts if _key(one) not in held_out], rule=AnswerRule())
        for _, attempts in tried
    ]
    positive = [of_attempt(choice.positive) for choice in choices if choice.positive]
    negative = [of_attempt(attempt) for choice in choices for attempt in choice.negatives]
    base = base_of(policy)
    models = contrastive_models(base, positive, negative, SETTINGS, folder / "adapters", say=_say)
    scorer = ContrastiveScorer(base, models, ScoringSettings())
    solutions = [case.solution for case in cases]
    scored = scorer.score(
        [(*one.prompt_token_ids, *one.token_ids) for one in solutions],
        progress=lambda done, total: _say(f"scored {done} of {total} tokens"),
    )
    return [
        [score or 0.0 for score in found.scores[len(one.prompt_token_ids) :]]
        for one, found in zip(solutions, scored, strict=True)
    ]


def _key(attempt: Attempt) -> tuple[str, int]:
    return attempt.problem_id, attempt.attempt_index


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
