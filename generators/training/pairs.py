"""Preference pairs and their loss: DPO, Step-DPO where a side is one step, cDPO where tokens have weights.

Rafailov et al. 2023 (arXiv 2305.18290, eq. 7); Lai et al. 2024 (arXiv 2406.18629, eq. 2); Lin et al. 2024 (arXiv
2411.19943, section 3.3). The added likelihood of the chosen side is that of Pang et al. 2024 (arXiv 2404.19733, eq. 1).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generators.training.examples import Example
from generators.training.loop import IGNORED, at_solutions


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two continuations of one prefix; weights have one entry for each token of a continuation, None for all 1.

    `reference` has the weighted log-probabilities of both sides under the policy that the training starts from.
    """

    chosen: Example
    rejected: Example
    chosen_weights: tuple[float, ...] | None = None
    rejected_weights: tuple[float, ...] | None = None
    reference: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for side, weights in (("chosen", self.chosen_weights), ("rejected", self.rejected_weights)):
            example: Example = getattr(self, side)
            n_tokens = len(example) - example.solution_start
            if weights is not None and len(weights) != n_tokens:
                raise ValueError(f"{side}_weights must have one entry per token ({n_tokens}), got {len(weights)}")

    def __len__(self) -> int:
        """The tokens of both sides."""
        return len(self.chosen) + len(self.rejected)


def with_reference(model: Any, pairs: Sequence[Pair], *, batch_size: int) -> list[Pair]:
    """The pairs with their reference log-probabilities under `model` as it is now."""
    import torch

    known: list[Pair] = []
    was_training = model.training
    model.eval()  # without dropout
    with torch.no_grad():
        for batch in _cut(pairs, batch_size):
            chosen, rejected, _ = _log_probabilities(model, batch)
            sides = zip(batch, chosen.tolist(), rejected.tolist(), strict=True)
            known += [replace(pair, reference=(right, wrong)) for pair, right, wrong in sides]
    model.train(was_training)
    return known


def preference_loss(*, beta: float, likelihood: float) -> Callable[[Any, Sequence[Pair]], Any]:
    """The loss of a batch of pairs that have a reference: -log sigmoid of `beta` times the margin of log ratios.

    `likelihood` times the mean cross-entropy of the chosen side's tokens is added.
    """
    import torch

    def loss(model: Any, batch: Sequence[Pair]) -> Any:
        chosen, rejected, likelihoods = _log_probabilities(model, batch)
        references = torch.tensor([_reference(pair) for pair in batch], device=chosen.device)
        margins = (chosen - references[:, 0]) - (rejected - references[:, 1])
        preference = -torch.nn.functional.logsigmoid(beta * margins).mean()
        return preference - likelihood * likelihoods.mean() if likelihood else preference

    return loss


def _reference(pair: Pair) -> tuple[float, float]:
    if pair.reference is None:
        raise ValueError("a pair must have a reference before its loss is computed, got None: call with_reference")
    return pair.reference


def _log_probabilities(model: Any, batch: Sequence[Pair]) -> tuple[Any, Any, Any]:
    """The weighted sums of both sides (each of shape (batch,)), and the log-probability of every chosen token."""
    import torch

    examples = [*(pair.chosen for pair in batch), *(pair.rejected for pair in batch)]
    weights = [*(pair.chosen_weights for pair in batch), *(pair.rejected_weights for pair in batch)]
    logits, targets = at_solutions(model, examples)
    is_target = targets != IGNORED
    flat = -torch.nn.functional.cross_entropy(logits, targets[is_target], reduction="none")
    sizes = is_target.sum(dim=1).tolist()
    sums = torch.stack(
        [
            tokens.sum() if own is None else (tokens * torch.tensor(own, device=tokens.device)).sum()
            for tokens, own in zip(flat.split(sizes), weights, strict=True)
        ]
    )
    chosen, rejected = sums.chunk(2)
    return chosen, rejected, flat[: sum(sizes[: len(batch)])]


def _cut(pairs: Sequence[Pair], size: int) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), size):
        yield pairs[start : start + size]
