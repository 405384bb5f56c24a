"""The scores of one sequence: how the contrast of the models sees each of its tokens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContrastiveScores:
    """A score and a log ratio for each token of a prompt with its response; None for the first, which follows nothing.

    A log ratio above 0 speaks for right solutions.
    """

    scores: tuple[float | None, ...]
    log_ratios: tuple[float | None, ...]

    def __post_init__(self) -> None:
        for name in ("scores", "log_ratios"):
            values = getattr(self, name)
            if not values or values[0] is not None or None in values[1:]:
                raise ValueError(f"{name} must be None for the first token and for no other, got {values}")
        if len(self.scores) != len(self.log_ratios):
            raise ValueError(f"log_ratios must be as many as scores ({len(self.scores)}), got {len(self.log_ratios)}")
