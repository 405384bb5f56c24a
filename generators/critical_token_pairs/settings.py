"""The sections `[contrastive_models]` and `[critical_token_pairs]`."""

from typing import Annotated

from pydantic import Field, model_validator

from generators.critical_token_pairs.tokens.confirmation import Confirmation, Criterion
from generators.search.sequential_test import SequentialTest
from generators.section import FILE_PATH, KNOB, Section
from generators.training.adapters import AdapterSettings
from generators.training.base import Dtype


class ModelsSettings(Section):
    """How the adapters are trained; adapters with equal settings on equal solutions are not trained again."""

    rank: Annotated[int, KNOB] = Field(8, ge=1, description="rank of the adapters")
    alpha: int = Field(16, ge=1, description="scale of the adapters; LoRA's alpha")
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout of the adapters while they are trained")
    learning_rate: Annotated[float, KNOB] = Field(3e-4, gt=0, description="learning rate")
    epochs: Annotated[int, KNOB] = Field(1, ge=1, description="times that each solution is seen")
    batch_size: int = Field(6, ge=1, description="solutions in a batch")
    max_tokens: int = Field(
        1024, ge=2, description="tokens of a solution with its prompt at most; longer ones are not trained on or paired"
    )
    save_every: int = Field(50, ge=1, description="steps between two checkpoints of a training")
    dtype: Dtype = Field("float32", description="the base model's numbers; `bfloat16` halves its memory")
    weights: str | None = Field(
        None, exclude=True, description="folder or Hub id of what attached servers serve, where the policy is neither"
    )
    folder: Annotated[str | None, FILE_PATH] = Field(
        None, exclude=True, description="local folder for the adapters, by default below the data root"
    )

    @property
    def training(self) -> AdapterSettings:
        """The training of either adapter."""
        return AdapterSettings(**self.recipe())


class Settings(Section):
    """How tokens are scored, which of them are tested, and how many rollouts the tests may cost."""

    beta: Annotated[float, KNOB] = Field(1.0, ge=0, description="how much the negative model counts in a score")
    batch_tokens: int = Field(4096, ge=1, description="tokens that are scored at once, padding included")
    n_scores: Annotated[int, KNOB] = Field(3, ge=1, description="tokens that scores nominate at most")
    score_below: float = Field(0.5, gt=0, le=1, description="a token with a higher score is not nominated by it")
    search: Annotated[bool, KNOB] = Field(True, description="whether a search by rollouts nominates tokens too")
    search_cap: int = Field(96, ge=1, description="rollouts of one search at most")
    least_share: float = Field(
        0.1, gt=0, le=1, description="the search nominates tokens that are the first wrong one at least this probably"
    )
    never: float = Field(0.05, description="a critical token: with it, a smaller share of rollouts ends right")
    least: float = Field(0.1, description="and at least this share with another token instead")
    confidence: float = Field(0.95, description="probability of both from which a token is confirmed")
    give_up: float = Field(0.01, description="probability of both below which the test of a token ends")
    lot: int = Field(2, ge=1, description="rollouts of a test that are drawn at a time")
    cap: Annotated[int, KNOB] = Field(160, ge=1, description="rollouts that test one token at most")
    budget: Annotated[int, KNOB] = Field(256, ge=1, description="rollouts that test all nominees of a solution at most")

    @property
    def criterion(self) -> Criterion:
        """When a token is critical."""
        return Criterion(never=self.never, least=self.least, confidence=self.confidence)

    @property
    def confirmation(self) -> Confirmation:
        """The test of one token."""
        return Confirmation(criterion=self.criterion, give_up=self.give_up, cap=self.cap, lot=self.lot)

    @property
    def token_search(self) -> SequentialTest | None:
        """The search for the first wrong token; None if scores alone nominate."""
        return SequentialTest(confidence=0.99, cap=self.search_cap) if self.search else None

    @model_validator(mode="after")
    def _can_confirm(self) -> "Settings":
        _ = self.confirmation  # bounds out of order raise
        return self
