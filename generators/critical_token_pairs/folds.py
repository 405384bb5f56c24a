"""Two folds of problems: no solution is scored by models that learnt from its problem.

Models that score what they learnt from are too sure of it. So there is a pair of models for each fold, and it scores
the problems of the other one.
"""

import hashlib

VERSION = "1"  # bump when a change here would change the fold of a problem
FOLDS = (0, 1)


def fold_of(problem_id: str) -> int:
    """The fold of a problem, by its id alone: the same in every slice and round."""
    return hashlib.sha256(problem_id.encode()).digest()[0] % len(FOLDS)


def scoring_fold(problem_id: str) -> int:
    """The fold whose models score a problem: the one that it is not in."""
    return 1 - fold_of(problem_id)
