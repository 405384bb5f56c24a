"""One phase of a policy's training: the released dataset that it learns from, and its rate and steps."""

from typing import Literal

from pydantic import Field

from generators.section import Section
from generators.training.settings import TrainingSettings

Trains = Literal["attempts", "self_correction_traces", "step_preference_pairs", "critical_token_pairs"]


class PhaseSettings(Section):
    """One phase of a training: attempts and corrections by SFT, step pairs by Step-DPO, critical tokens by cDPO.

    Rate and steps matter more than anything else, and no default fits every policy.
    """

    dataset: Trains = Field(description="what is trained on: the `train` split of this round's release of the dataset")
    learning_rate: float = Field(gt=0, description="the peak rate: after a warm-up of a tenth, before a linear decay")
    steps: int = Field(ge=1, description="steps of the optimizer")
    batch_size: int = Field(8, ge=1, description="rows per step")
    beta: float = Field(0.5, gt=0, description="of pairs: how much leaving the starting policy counts")
    likelihood: float = Field(
        1.0, ge=0, description="of pairs: the weight of an added cross-entropy on the chosen side, which slows collapse"
    )
    save_every: int = Field(50, ge=1, description="steps between two checkpoints, and so what a crash can cost")

    def optimiser(self, seed: int) -> TrainingSettings:
        """The settings of the training loop."""
        return TrainingSettings(
            batch_size=self.batch_size, learning_rate=self.learning_rate, seed=seed, save_every=self.save_every
        )
