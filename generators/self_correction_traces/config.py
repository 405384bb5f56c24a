"""The config of one slice's self-corrections: the settings, resolved against those of the attempts."""

from dataclasses import asdict, dataclass
from typing import Any

from generators.engine.protocol import Sampling
from generators.problems.prompt import Example
from generators.self_correction_traces.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfCorrectionConfig:
    """The settings, and how rollouts are sampled.

    `sampling`, `attempt_tokens` (the token limit of an attempt) and `examples` are those of the attempts, so a response
    begins as the attempt of its index does. `seed` draws triggers and the number of steps to keep.
    """

    settings: Settings
    sampling: Sampling
    attempt_tokens: int
    seed: int
    examples: tuple[Example, ...] = ()

    def __post_init__(self) -> None:
        if self.attempt_tokens < 1:
            raise ValueError(f"attempt_tokens must be at least 1, got {self.attempt_tokens}")

    @property
    def max_tokens(self) -> int:
        """The token limit of a whole response, triggers included."""
        return self.settings.max_tokens or self.attempt_tokens

    @property
    def budgets(self) -> tuple[int, ...]:
        """The budgets in their order, none above `max_tokens`; a trigger separates one from the next."""
        settings, largest = self.settings, min(self.settings.max_budget, self.max_tokens)
        budgets = [min(settings.first_budget, self.max_tokens)]
        while (following := max(budgets[-1] + 1, int(budgets[-1] * settings.growth))) < largest:
            budgets.append(following)
        if budgets[-1] < largest:
            budgets.append(largest)
        if settings.at_max == "finish":
            budgets[-1] = self.max_tokens
        elif settings.at_max == "trigger" and budgets[-1] < self.max_tokens:
            budgets.append(self.max_tokens)
        return tuple(budgets)

    def room(self, budget: int, n_tokens: int) -> int:
        """How many tokens may follow the first `n_tokens` of a response."""
        left = budget - n_tokens if self.settings.counts == "response" else budget
        return min(self.max_tokens - n_tokens, left)

    def to_json(self) -> dict[str, Any]:
        """The resolved settings as JSON data; the worked examples are the source's."""
        return {
            "sampling": asdict(self.sampling),
            "attempt_tokens": self.attempt_tokens,
            "max_tokens": self.max_tokens,
            "budgets": list(self.budgets),
            "seed": self.seed,
        }
