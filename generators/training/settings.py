"""Settings of a training: its steps and their learning rate."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """AdamW with a linear warm-up over `warm_up_share` of the steps and a decay to zero, linear unless overridden.

    `beta2` is AdamW's: how long it remembers squared gradients. A training of a few hundred steps needs a short memory.
    """

    epochs: int = 1
    batch_size: int = 8
    learning_rate: float = 1e-4
    warm_up_share: float = 0.1
    beta2: float = 0.98
    seed: int = 0
    save_every: int = 50

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size", "save_every"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.warm_up_share < 1:
            raise ValueError(f"warm_up_share must be from 0 to below 1, got {self.warm_up_share}")
        if not 0 < self.beta2 < 1:
            raise ValueError(f"beta2 must be above 0 and below 1, got {self.beta2}")

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of `step` (from 0) of `steps`."""
        warm = max(1, round(self.warm_up_share * steps))
        left = min((steps - step) / max(1, steps - warm), 1.0)
        return self.learning_rate * min((step + 1) / warm, self.decay(left))

    def decay(self, left: float) -> float:
        """The share of the full rate while the share `left` of the steps after the warm-up is still to come."""
        return left
