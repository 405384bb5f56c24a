"""A process reward model: the policy's network with a linear head, trained on the ends of steps and read there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generators.models.base import base_of
from generators.models.policy import Policy
from generators.training.loop import train
from generators.training.settings import TrainingSettings

_SCORED_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Labelled:
    """A prompt with a solution, where that begins and its steps end, and the label of each step; None is not learnt."""

    token_ids: tuple[int, ...]
    start: int
    ends: tuple[int, ...]
    labels: tuple[float | None, ...]

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self.token_ids)


def trained(
    policy: Policy, items: Sequence[Labelled], settings: TrainingSettings, *, steps: int, checkpoint: Path
) -> Any:
    """A reward model that learnt the labels, as a module from token ids to a logit per token."""
    import torch

    torch.manual_seed(settings.seed)
    model = _with_head(base_of(policy).load(dtype="float32", device="cpu")).train()
    learnt = [item for item in items if any(label is not None for label in item.labels)]
    train(
        model,
        learnt,
        settings,
        loss=label_loss,
        checkpoint=checkpoint,
        described=f"{len(learnt)} solutions, {settings}",
        say=lambda _: None,
        n_steps=steps,
    )
    checkpoint.unlink(missing_ok=True)
    return model.eval()


def label_loss(model: Any, batch: Sequence[Labelled]) -> Any:
    """The mean binary cross-entropy at the ends of labelled steps; labels may be soft."""
    import torch

    logits = model(*_padded(batch))
    rows, places, labels = [], [], []
    for row, item in enumerate(batch):
        for end, label in zip(item.ends, item.labels, strict=True):
            if label is not None:
                rows.append(row)
                places.append(end - 1)
                labels.append(label)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits[rows, places], torch.tensor(labels))


def rewards(model: Any, items: Sequence[Labelled]) -> list[tuple[float, ...]]:
    """The reward of every step of every solution, between 0 and 1."""
    import torch

    order = sorted(range(len(items)), key=lambda index: len(items[index]))
    found: dict[int, tuple[float, ...]] = {}
    with torch.inference_mode():
        for start in range(0, len(order), _SCORED_AT_ONCE):
            part = order[start : start + _SCORED_AT_ONCE]
            shares = model(*_padded([items[index] for index in part])).sigmoid().tolist()
            for index, row in zip(part, shares, strict=True):
                found[index] = tuple(row[end - 1] for end in items[index].ends)
    return [found[index] for index in range(len(items))]


def _padded(batch: Sequence[Labelled]) -> tuple[Any, Any]:
    import torch

    longest = max(map(len, batch))
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    mask = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, item in enumerate(batch):
        ids[row, : len(item)] = torch.tensor(item.token_ids)
        mask[row, : len(item)] = 1
    return ids, mask


def _with_head(policy: Any) -> Any:
    import torch

    class StepRewards(torch.nn.Module):  # type: ignore[misc]
        """One logit for each token."""

        def __init__(self) -> None:
            super().__init__()
            self.network = policy.base_model
            self.head = torch.nn.Linear(policy.config.hidden_size, 1)

        def forward(self, ids: Any, mask: Any) -> Any:
            """Logits of shape (batch, longest)."""
            states = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
            return self.head(states)[..., 0]

    return StepRewards()
