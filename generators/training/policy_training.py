"""Train the next policy in phases, and keep it in a folder under a key of everything that shaped its weights.

It runs in one process on one device; for a policy that does not fit one device, use a dedicated trainer. Weights are
written in float32: rounding them to bfloat16 would lose most of a small update.
"""

import gc
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generators.engine.model_folder import check_folder, make_once
from generators.training.base import Base, release_gpu_memory
from generators.training.errors import NothingToLearn
from generators.training.examples import Example
from generators.training.loop import Say, solution_loss, train
from generators.training.pairs import Pair, preference_loss, with_reference
from generators.training.phases import PhaseSettings
from generators.training.rows import Items

VERSION = "1"  # bump when a change here, in the loop or in the losses would change the weights
LOSSES = "losses.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The settings of a phase and what it learns from, all examples or all pairs."""

    settings: PhaseSettings
    items: Items


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTraining:
    """The training of a policy from the weights of `base`, phase after phase, into a folder `<name>-<key>` in `root`.

    All weights are trained, or with `rank` those of a LoRA adapter on every linear layer, which is merged at the end.
    The reference of preference pairs is the policy as their phase begins.
    """

    name: str
    base: Base
    phases: tuple[Phase, ...]
    seed: int
    root: Path
    rank: int | None = None

    def __post_init__(self) -> None:
        for phase in self.phases:
            if not phase.items:
                raise NothingToLearn(
                    f"{self.name}: the train split of {phase.settings.dataset} holds nothing to learn from: make more "
                    "problems, or train on another dataset"
                )
            highest = max(max(_ids(item)) for item in phase.items)
            if highest >= self.base.vocabulary:
                raise NothingToLearn(
                    f"{phase.settings.dataset} holds the token id {highest}, and {self.base.name} knows "
                    f"{self.base.vocabulary}: its rows were drawn with another tokenizer"
                )

    def folder(self) -> Path:
        """Where the policy is kept; its name covers everything that determines the weights."""
        base = (self.base.name, self.base.tokenizer_sha256)
        settings = [_shaping(phase.settings) for phase in self.phases]
        digest = hashlib.sha256(json.dumps([VERSION, base, settings, self.seed, self.rank], sort_keys=True).encode())
        for phase in self.phases:
            for item in phase.items:
                digest.update(repr(item).encode())
        return self.root / f"{self.name}-{digest.hexdigest()[:8]}"

    def run(self, device: str, say: Say) -> Path:
        """The folder, trained unless it is there; an interrupted call resumes, and the folder appears whole or not."""
        folder = self.folder()
        checkpoints = [folder.parent / f".{folder.name}.{number}.checkpoint" for number in range(len(self.phases))]
        if not folder.exists():
            make_once(folder, lambda into: self._fill(into, checkpoints, device, say), version=VERSION)
        check_folder(folder)
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)
        return folder

    def _fill(self, into: Path, checkpoints: Sequence[Path], device: str, say: Say) -> None:
        import torch
        from transformers import AutoTokenizer

        torch.manual_seed(self.seed)
        model = self.base.load(dtype="float32", device=device)
        adapted = _with_adapter(model, self.rank) if self.rank else None
        model.train()
        losses = [
            _trained(model, phase, self.seed, checkpoint, say)
            for phase, checkpoint in zip(self.phases, checkpoints, strict=True)
        ]
        whole = adapted.merge_and_unload() if adapted else model
        whole.save_pretrained(into)
        AutoTokenizer.from_pretrained(self.base.model, revision=self.base.revision).save_pretrained(into)
        (into / LOSSES).write_text(json.dumps(losses))
        del model, adapted, whole
        gc.collect()
        release_gpu_memory()


def losses_of(folder: Path) -> list[list[float]]:
    """The loss of every step, by phase, of a policy that was trained here."""
    losses: list[list[float]] = json.loads((folder / LOSSES).read_text())
    return losses


def _trained(model: Any, phase: Phase, seed: int, checkpoint: Path, say: Say) -> list[float]:
    settings = phase.settings
    examples = [item for item in phase.items if isinstance(item, Example)]
    pairs = [item for item in phase.items if isinstance(item, Pair)]
    shared: dict[str, Any] = {
        "settings": settings.optimiser(seed),
        "checkpoint": checkpoint,
        "described": f"{checkpoint.name}, {_shaping(settings)}",
        "say": lambda line: say(f"{settings.dataset}, {line}"),
        "n_steps": settings.steps,
    }
    if examples:
        return train(model, examples, loss=solution_loss, **shared)
    known = with_reference(model, pairs, batch_size=settings.batch_size)
    return train(model, known, loss=preference_loss(beta=settings.beta, likelihood=settings.likelihood), **shared)


def _with_adapter(model: Any, rank: int) -> Any:
    import peft

    lora = peft.LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    return peft.get_peft_model(model, lora)


def _shaping(settings: PhaseSettings) -> dict[str, Any]:
    """The settings that shape the weights."""
    return settings.model_dump(mode="json", exclude={"save_every"})


def _ids(item: Example | Pair) -> tuple[int, ...]:
    return item.token_ids if isinstance(item, Example) else (*item.chosen.token_ids, *item.rejected.token_ids)
