"""The scores of a slice's solutions by its contrastive models, or by the laws that replace them."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from generators.critical_token_pairs.scores import ContrastiveScorer, ContrastiveScores, Progress, TokenScorer
from generators.critical_token_pairs.settings import ModelsSettings, Settings
from generators.critical_token_pairs.simulated_scorer import SimulatedScorer
from generators.critical_token_pairs.table import ScoredBy
from generators.critical_token_pairs.trained_models import ADAPTERS, SIMULATED_LAWS, adapters_folder
from generators.models.base import base_of
from generators.models.policy import Policy
from generators.stage import Slice
from generators.training.base import has_gpu, release_gpu_memory
from generators.training.contrastive_models import ContrastiveModels

_LOG_EVERY_S = 10.0


def score(
    sequences: Sequence[Sequence[int]],
    config: Mapping[str, Any],
    *,
    slice: Slice,
    models: ModelsSettings,
    settings: Settings,
) -> tuple[list[ContrastiveScores], ScoredBy]:
    """The scores of sequences of token ids in their order, by the models that `config` identifies.

    The policy's server stops where it would need the same GPU, and nothing of the models stays in memory. Raises
    TrainingError.
    """
    scorer: TokenScorer
    if config["models"] == SIMULATED_LAWS:
        scorer = SimulatedScorer(beta=settings.beta, factor=config["factor"])
        scored_by = _by_laws(scorer, slice.policy)
    else:
        slice.make_room(on_gpu=has_gpu())
        base = base_of(slice.policy, weights=models.weights)
        folder = adapters_folder(slice, models)
        adapters = ContrastiveModels(
            positive=folder / config["positive"], negative=folder / config["negative"], losses={}
        )
        scorer = ContrastiveScorer(base, adapters, settings, dtype=models.dtype)
        scored_by = ScoredBy(
            tokenizer=base.name,
            tokenizer_sha256=base.tokenizer_sha256,
            positive_model=config["positive"],
            negative_model=config["negative"],
            beta=settings.beta,
        )
    scores = scorer.score(sequences, progress=_logged(slice.say))
    del scorer
    if config["models"] == ADAPTERS:
        release_gpu_memory()
    return scores, scored_by


def _by_laws(scorer: SimulatedScorer, policy: Policy) -> ScoredBy:
    return ScoredBy(
        tokenizer=policy.tokenizer.name,
        tokenizer_sha256=None,
        positive_model=f"simulated law, error rate / {scorer.factor:g}",
        negative_model=f"simulated law, error rate * {scorer.factor:g}",
        beta=scorer.beta,
    )


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
