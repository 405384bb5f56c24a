"""The contrastive models of one slice in the making, and the scores that they give.

Knows settings, the policy and how models are trained and loaded; nothing of assets or tables. Of the simulated policy,
which has no weights, two laws beside its own stand for the models.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.dataset_settings import ContrastiveModelsSettings, CriticalTokenPairsSettings
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from generators.critical_token_pairs.scores import (
    ContrastiveScorer,
    ContrastiveScores,
    Progress,
    ScoringSettings,
    TokenScorer,
)
from generators.critical_token_pairs.simulated_scorer import SimulatedScorer
from generators.critical_token_pairs.table import ScoredBy
from generators.engine.tokenizer import HFTokenizer
from generators.models.base import base_of
from generators.models.policy import SIMULATED, Policy
from generators.records import Attempt
from generators.sampling.storage import StorageError, is_local
from generators.training.base import Base, give_memory_back, has_gpu
from generators.training.contrastive_models import SIDES, ContrastiveModels, contrastive_models
from generators.training.errors import NoWeights
from generators.training.examples import of_attempt

ADAPTERS, SIMULATED_LAWS, NONE = "adapters", "simulated_laws", "none"
_TELL_S = 10.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The models of a slice: `plain` is what finds them again, `losses` one number a step of either side.

    `tokens_per_second` is None where nothing was trained.
    """

    plain: dict[str, Any]
    adapters: ContrastiveModels | None = None
    tokens_per_second: float | None = None
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)


def adapters_folder(settings: ContrastiveModelsSettings, store: Store) -> Path:
    """Where adapters are kept; raises StorageError where there is no local place."""
    if settings.folder is not None:
        return Path(settings.folder)
    if not is_local(store.adapters):
        raise StorageError(
            f"data_root is {store.root}, and adapters are trained and loaded as local files: set "
            "contrastive_models.folder to a local folder that every run can read"
        )
    return Path(store.adapters.path)


def train(
    examples: Mapping[str, Sequence[Attempt]],
    *,
    policy: PolicyResource,
    settings: ContrastiveModelsSettings,
    folder: Path,
    say: Say,
) -> Trained:
    """Train the models on the attempts of each side, as far as they are not there; raises TrainingError."""
    identity = policy.identity()
    lacking = [side for side in SIDES if not examples[side]]
    if lacking:
        say(f"no model is trained: there is no example of the {' or the '.join(lacking)} side")
        return Trained(plain={"models": NONE, "lacking": lacking})
    if identity.model == SIMULATED:
        say("the simulated policy has no weights: laws that go wrong more seldom and more often stand for the models")
        return Trained(plain={"models": SIMULATED_LAWS, "factor": SimulatedScorer().factor})
    base = base_of(identity, weights=settings.weights)
    _check_tokenizer(base, examples[SIDES[0]][0])
    policy.make_room(say, on_gpu=has_gpu())
    positive, negative = ([of_attempt(attempt) for attempt in examples[side]] for side in SIDES)
    began = time.monotonic()
    models = contrastive_models(base, positive, negative, settings.training, folder, say=say)
    give_memory_back()
    seconds = max(time.monotonic() - began, 1e-9)
    lengths = {
        side: sum(len(one.token_ids) for one in of) for side, of in zip(SIDES, (positive, negative), strict=True)
    }
    tokens = settings.epochs * sum(lengths[side] for side in models.trained)
    return Trained(
        plain={
            "models": ADAPTERS,
            "positive": models.positive.name,
            "negative": models.negative.name,
            "base": base.name,
            "tokenizer_sha256": base.tokenizer_sha256,
        },
        adapters=models,
        tokens_per_second=tokens / seconds if models.trained else None,
        losses=models.losses,
    )


def score(
    sequences: Sequence[Sequence[int]],
    plain: Mapping[str, Any],
    *,
    policy: PolicyResource,
    models: ContrastiveModelsSettings,
    asked: CriticalTokenPairsSettings,
    folder: Path,
    say: Say,
) -> tuple[list[ContrastiveScores], ScoredBy]:
    """The scores of sequences of token ids by the models that `plain` names, in their order; raises TrainingError.

    The policy's server is stopped where it would need the same GPU; nothing of the models stays in memory.
    """
    identity = policy.identity()
    scorer: TokenScorer
    if plain["models"] == SIMULATED_LAWS:
        scorer = SimulatedScorer(beta=asked.beta, factor=plain["factor"])
        by = _by_laws(scorer, identity)
    else:
        policy.make_room(say, on_gpu=has_gpu())
        base = base_of(identity, weights=models.weights)
        adapters = ContrastiveModels(
            positive=folder / plain["positive"], negative=folder / plain["negative"], losses={}
        )
        scorer = ContrastiveScorer(
            base, adapters, ScoringSettings(beta=asked.beta, batch_tokens=asked.batch_tokens, dtype=models.dtype)
        )
        by = ScoredBy(
            tokenizer=base.name,
            tokenizer_sha256=base.tokenizer_sha256,
            positive_model=plain["positive"],
            negative_model=plain["negative"],
            beta=asked.beta,
        )
    scores = scorer.score(sequences, progress=_told(say))
    del scorer
    if plain["models"] == ADAPTERS:
        give_memory_back()
    return scores, by


def _by_laws(scorer: SimulatedScorer, identity: Policy) -> ScoredBy:
    return ScoredBy(
        tokenizer=identity.tokenizer.name,
        tokenizer_sha256=None,
        positive_model=f"simulated law, error rate / {scorer.factor:g}",
        negative_model=f"simulated law, error rate * {scorer.factor:g}",
        beta=scorer.beta,
    )


def _check_tokenizer(base: Base, attempt: Attempt) -> None:
    """Raise NoWeights unless the base model's tokenizer reads the policy's token ids as the policy wrote them."""
    text = HFTokenizer(base.model, revision=base.revision).decode(attempt.token_ids)
    if text != attempt.text:
        raise NoWeights(
            f"{base.name} has another tokenizer than the policy: it reads an attempt as {text[:60]!r}, which is "
            f"{attempt.text[:60]!r}; set contrastive_models.weights to the weights that the servers serve"
        )


def _told(say: Say) -> Progress:
    """A progress in the log, at a civil rate."""
    began = last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= _TELL_S:
            say(f"scored {done:,} of {total:,} tokens at {done / max(now - began, 1e-9):,.0f} a second")
            last = now

    return tell
