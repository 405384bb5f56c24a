"""The contrastive models of one slice: for each fold of its problems, an adapter of right and one of wrong solutions.

The simulated policy has no weights; two variants of its law replace the models. A fold that lacks right or wrong
solutions trains no model, and the problems of the other fold then have no scores: no model ever scores what it learnt
from.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from filters.schema import SchemaError
from generators.critical_token_pairs.folds import FOLDS, fold_of
from generators.critical_token_pairs.settings import ModelsSettings
from generators.critical_token_pairs.simulated_scorer import FACTOR, law_names
from generators.engine.tokenizer import HFTokenizer
from generators.models.base import base_of
from generators.models.policy import SIMULATED
from generators.records import Attempt
from generators.stage import Slice
from generators.training.base import Base, has_gpu, release_gpu_memory
from generators.training.contrastive_models import SIDES, ContrastiveModels, contrastive_models
from generators.training.errors import NoWeights
from generators.training.examples import of_attempt
from generators.training.loop import Say

ADAPTERS, SIMULATED_LAWS, NONE = "adapters", "simulated_laws", "none"
Examples = Mapping[str, Sequence[Attempt]]  # the solutions of each side
Names = Mapping[str, str]  # the name of the model of each side


class Trainer(Protocol):
    """Trains the two adapters of one fold on the solutions of each side."""

    def __call__(
        self, examples: Examples, *, base: Base, settings: ModelsSettings, folder: Path, say: Say
    ) -> ContrastiveModels: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModels:
    """The models of a slice: `config` identifies them as plain JSON data.

    `adapters` are by the fold that they learnt from. `tokens_per_second` is None if nothing was trained.
    """

    config: dict[str, Any]
    adapters: Mapping[int, ContrastiveModels] = field(default_factory=dict)
    tokens_per_second: float | None = None


def adapters_folder(slice: Slice, settings: ModelsSettings) -> Path:
    """The folder that adapters are kept in; raises StorageError if no local one is set."""
    return Path(settings.folder) if settings.folder is not None else slice.adapters


def names_of(config: Mapping[str, Any]) -> dict[int, Names]:
    """The models that `config` identifies, by the fold that they learnt from; raises SchemaError for an older one."""
    if "folds" not in config:
        raise SchemaError(
            "the recipe of contrastive_models names models of whole slices, which scored what they had learnt from: "
            "materialise contrastive_models again"
        )
    return {int(fold): names for fold, names in config["folds"].items()}


def in_folds(examples: Examples) -> dict[int, Examples]:
    """The examples of either fold."""
    return {
        fold: {side: [attempt for attempt in examples[side] if fold_of(attempt.problem_id) == fold] for side in SIDES}
        for fold in FOLDS
    }


def trained_adapters(
    examples: Examples, *, base: Base, settings: ModelsSettings, folder: Path, say: Say
) -> ContrastiveModels:
    """Train the adapters that `folder` lacks on the solutions of each side; raises TrainingError."""
    positive, negative = ([of_attempt(attempt) for attempt in examples[side]] for side in SIDES)
    return contrastive_models(base, positive, negative, settings.training, folder, say=say)


def train(
    examples: Examples, *, slice: Slice, settings: ModelsSettings, folder: Path, trainer: Trainer = trained_adapters
) -> TrainedModels:
    """Train the models of every fold that has both sides, unless `folder` has them; raises TrainingError."""
    policy, by_fold = slice.policy, in_folds(examples)
    lacking = {fold: [side for side in SIDES if not by_fold[fold][side]] for fold in FOLDS}
    for fold, sides in lacking.items():
        if sides:
            slice.say(f"fold {fold} trains no model: it has no example of the {' or the '.join(sides)} side")
    learning = {fold: of_fold for fold, of_fold in by_fold.items() if not lacking[fold]}
    config: dict[str, Any] = {"lacking": {str(fold): sides for fold, sides in lacking.items() if sides}, "folds": {}}
    if not learning:
        return TrainedModels(config=config | {"models": NONE})
    if policy.model == SIMULATED:
        slice.say("the simulated policy has no weights: laws with a lower and a higher error rate replace the models")
        folds = {str(fold): law_names(FACTOR) for fold in learning}
        return TrainedModels(config=config | {"models": SIMULATED_LAWS, "factor": FACTOR, "folds": folds})
    base = base_of(policy, weights=settings.weights)
    _check_tokenizer(base, next(iter(learning.values()))[SIDES[0]][0])
    slice.make_room(on_gpu=has_gpu())
    start = time.monotonic()
    trained = {
        fold: trainer(of_fold, base=base, settings=settings, folder=folder, say=_of_fold(fold, slice.say))
        for fold, of_fold in learning.items()
    }
    release_gpu_memory()
    seconds = max(time.monotonic() - start, 1e-9)
    tokens = settings.epochs * sum(
        len(of_attempt(attempt).token_ids)
        for fold, models in trained.items()
        for side in models.trained
        for attempt in learning[fold][side]
    )
    config |= {
        "models": ADAPTERS,
        "folds": {
            str(fold): {"positive": models.positive.name, "negative": models.negative.name}
            for fold, models in trained.items()
        },
        "base": base.name,
        "tokenizer_sha256": base.tokenizer_sha256,
    }
    return TrainedModels(config=config, adapters=trained, tokens_per_second=tokens / seconds if tokens else None)


def _of_fold(fold: int, say: Say) -> Say:
    return lambda line: say(f"fold {fold}, {line}")


def _check_tokenizer(base: Base, attempt: Attempt) -> None:
    """Raise NoWeights unless the base model's tokenizer decodes token ids as the policy's does."""
    text = HFTokenizer(base.model, revision=base.revision).decode(attempt.token_ids)
    if text != attempt.text:
        raise NoWeights(
            f"{base.name} has another tokenizer than the policy: it reads an attempt as {text[:60]!r}, which is "
            f"{attempt.text[:60]!r}; set contrastive_models.weights to the weights that the servers serve"
        )
