"""The contrastive models of cDPO: the policy with an adapter trained on right solutions, and one on wrong solutions.

With two or more GPUs both are trained at the same time, each on its own GPU; otherwise one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generators.training.adapter_folder import read_origin
from generators.training.adapters import AdapterSettings, AdapterTraining
from generators.training.base import Base
from generators.training.examples import Example
from generators.training.loop import Say
from generators.training.side_by_side import run_side_by_side

SIDES = ("positive", "negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastiveModels:
    """The folders of the two adapters, and the loss of every training step by side (`positive`, `negative`).

    `trained` lists the sides trained by this call.
    """

    positive: Path
    negative: Path
    losses: dict[str, tuple[float, ...]]
    trained: tuple[str, ...] = ()


def contrastive_models(
    base: Base,
    positive: Sequence[Example],
    negative: Sequence[Example],
    settings: AdapterSettings,
    folder: Path,
    *,
    say: Say,
    devices: Sequence[str] | None = None,
) -> ContrastiveModels:
    """Both adapters under `folder`, trained if missing; an interrupted training resumes.

    `devices` defaults to all GPUs, else the CPU. Raises AdapterRefused if an adapter's folder has changed.
    """
    trainings = [
        AdapterTraining(name=side, base=base, examples=tuple(examples), settings=settings, root=folder)
        for side, examples in zip(SIDES, (positive, negative), strict=True)
    ]
    folders = [training.folder() for training in trainings]
    missing = [training for training, path in zip(trainings, folders, strict=True) if not path.exists()]
    available = devices or _devices()
    if len(missing) > 1 and len(available) > 1:
        run_side_by_side(missing, available, say)
    else:
        for training in missing:
            training.run(available[0], say)
    losses = {side: read_origin(path, base).losses for side, path in zip(SIDES, folders, strict=True)}
    trained = tuple(training.name for training in missing)
    return ContrastiveModels(positive=folders[0], negative=folders[1], losses=losses, trained=trained)


def _devices() -> list[str]:
    import torch

    return [f"cuda:{index}" for index in range(torch.cuda.device_count())] or ["cpu"]
