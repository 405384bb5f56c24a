"""The scores of a slice's solutions by contrastive models that never saw their problems, or by laws in their place."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generators.critical_token_pairs.folds import scoring_fold
from generators.critical_token_pairs.scores import ContrastiveScorer, Progress, TokenScorer
from generators.critical_token_pairs.settings import ModelsSettings, Settings
from generators.critical_token_pairs.simulated_scorer import SimulatedScorer
from generators.critical_token_pairs.stored_scores import StoredScores
from generators.critical_token_pairs.table import ScoredBy
from generators.critical_token_pairs.trained_models import ADAPTERS, SIMULATED_LAWS, adapters_folder, names_of
from generators.models.base import base_of
from generators.stage import Slice
from generators.tokens import Ids
from generators.training.base import has_gpu, release_gpu_memory
from generators.training.contrastive_models import ContrastiveModels

_LOG_EVERY_S = 10.0


def score(
    solutions: Sequence[tuple[str, Ids]],
    config: Mapping[str, Any],
    *,
    slice: Slice,
    models: ModelsSettings,
    settings: Settings,
) -> tuple[StoredScores, ScoredBy]:
    """The scores of solutions in their order, each by the models of the fold that its problem is not in.

    A solution is the id of its problem and the token ids of its prompt and response. `config` identifies the models.
    The policy's server stops where it would need the same GPU, and nothing of the models stays in memory. Raises
    TrainingError, and ValueError where a fold that is needed has no models.
    """
    scorer: TokenScorer
    names = names_of(config)
    if config["models"] == SIMULATED_LAWS:
        scorer = SimulatedScorer(beta=settings.beta, factor=config["factor"])
        tokenizer, sha256 = slice.policy.tokenizer.name, None
    else:
        slice.make_room(on_gpu=has_gpu())
        base = base_of(slice.policy, weights=models.weights)
        folder = adapters_folder(slice, models)
        of_folds = {
            fold: ContrastiveModels(
                positive=folder / of_fold["positive"], negative=folder / of_fold["negative"], losses={}
            )
            for fold, of_fold in names.items()
        }
        scorer = ContrastiveScorer(base, of_folds, settings, dtype=models.dtype)
        tokenizer, sha256 = base.name, base.tokenizer_sha256
    folds = [scoring_fold(problem_id) for problem_id, _ in solutions]
    scores = scorer.score([ids for _, ids in solutions], folds, progress=_logged(slice.say))
    del scorer
    if config["models"] == ADAPTERS:
        release_gpu_memory()
    return scores, ScoredBy(tokenizer=tokenizer, tokenizer_sha256=sha256, models=names, beta=settings.beta)


def _logged(say: Callable[[str], None]) -> Progress:
    """Progress as a line in the log every ten seconds, and at the end."""
    start = last = time.monotonic()

    def log(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= _LOG_EVERY_S:
            say(f"scored {done:,} of {total:,} tokens at {done / max(now - start, 1e-9):,.0f} a second")
            last = now

    return log
