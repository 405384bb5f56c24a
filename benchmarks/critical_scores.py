"""Scores for `benchmarks.critical_real --scores benchmarks.critical_scores:contrastive_scores`: contrastive estimation.

The policy's adapters are trained on the benchmark's own attempts and are stored in its folder. As in the product, a
solution is scored by the adapters of the fold that its problem is not in. The paper's learning rate is meant for
thousands of examples. With a few dozen, this script uses ten times that rate for two epochs.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.critical_methods import Case
from filters.answers.checker import AnswerRule
from generators.critical_token_pairs.choice import choose_solutions
from generators.critical_token_pairs.folds import FOLDS, fold_of, scoring_fold
from generators.critical_token_pairs.scores import ContrastiveScorer
from generators.critical_token_pairs.settings import Settings
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
    """A score for each token of each case's response; raises TrainingError."""
    base = base_of(policy)
    models = {}
    for fold in FOLDS:
        choices = [
            choose_solutions(attempts, rule=AnswerRule())
            for problem, attempts in tried
            if fold_of(problem.problem_id) == fold
        ]
        positive = [of_attempt(choice.positive) for choice in choices if choice.positive]
        negative = [of_attempt(attempt) for choice in choices for attempt in choice.negatives]
        models[fold] = contrastive_models(base, positive, negative, SETTINGS, folder / "adapters", say=_say)
    scorer = ContrastiveScorer(base, models, Settings())
    solutions = [case.solution for case in cases]
    scored = scorer.score(
        [(*solution.prompt_token_ids, *solution.token_ids) for solution in solutions],
        [scoring_fold(solution.problem_id) for solution in solutions],
        progress=lambda done, total: _say(f"scored {done} of {total} tokens"),
    )
    return [
        [score or 0.0 for score in of_solution.scores[len(solution.prompt_token_ids) :]]
        for solution, of_solution in zip(solutions, scored, strict=True)
    ]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
