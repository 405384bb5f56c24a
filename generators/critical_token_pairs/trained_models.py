"""The contrastive models of one slice: the policy with an adapter of right solutions, and with one of wrong ones.

The simulated policy has no weights; two variants of its law replace its models.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generators.critical_token_pairs.settings import ModelsSettings
from generators.critical_token_pairs.simulated_scorer import FACTOR
from generators.engine.tokenizer import HFTokenizer
from generators.models.base import base_of
from generators.models.policy import SIMULATED
from generators.records import Attempt
from generators.stage import Slice
from generators.training.base import Base, has_gpu, release_gpu_memory
from generators.training.contrastive_models import SIDES, ContrastiveModels, contrastive_models
from generators.training.errors import NoWeights
from generators.training.examples import of_attempt

ADAPTERS, SIMULATED_LAWS, NONE = "adapters", "simulated_laws", "none"
Examples = Mapping[str, Sequence[Attempt]]  # the solutions of each side


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModels:
    """The models of a slice: `config` identifies them as plain JSON data.

    `losses` has a number for each step of a side. `tokens_per_second` is None if nothing was trained.
    """

    config: dict[str, Any]
    adapters: ContrastiveModels | None = None
    tokens_per_second: float | None = None
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)


def adapters_folder(slice: Slice, settings: ModelsSettings) -> Path:
    """The folder that adapters are kept in; raises StorageError if no local one is set."""
    return Path(settings.folder) if settings.folder is not None else slice.adapters


def train(examples: Examples, *, slice: Slice, settings: ModelsSettings, folder: Path) -> TrainedModels:
    """Train the models that `folder` lacks on the solutions of each side; raises TrainingError."""
    policy = slice.policy
    lacking = [side for side in SIDES if not examples[side]]
    if lacking:
        slice.say(f"no model is trained: there is no example of the {' or the '.join(lacking)} side")
        return TrainedModels(config={"models": NONE, "lacking": lacking})
    if policy.model == SIMULATED:
        slice.say("the simulated policy has no weights: laws with a lower and a higher error rate replace the models")
        return TrainedModels(config={"models": SIMULATED_LAWS, "factor": FACTOR})
    base = base_of(policy, weights=settings.weights)
    _check_tokenizer(base, examples[SIDES[0]][0])
    slice.make_room(on_gpu=has_gpu())
    by_side = {side: [of_attempt(attempt) for attempt in examples[side]] for side in SIDES}
    start = time.monotonic()
    positive, negative = by_side.values()
    models = contrastive_models(base, positive, negative, settings.training, folder, say=slice.say)
    release_gpu_memory()
    seconds = max(time.monotonic() - start, 1e-9)
    tokens = settings.epochs * sum(len(example.token_ids) for side in models.trained for example in by_side[side])
    return TrainedModels(
        config={
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


def _check_tokenizer(base: Base, attempt: Attempt) -> None:
    """Raise NoWeights unless the base model's tokenizer decodes token ids as the policy's does."""
    text = HFTokenizer(base.model, revision=base.revision).decode(attempt.token_ids)
    if text != attempt.text:
        raise NoWeights(
            f"{base.name} has another tokenizer than the policy: it reads an attempt as {text[:60]!r}, which is "
            f"{attempt.text[:60]!r}; set contrastive_models.weights to the weights that the servers serve"
        )
