"""The sections of the datasets and of the models that they need: what is drawn for them, and what a row must be like.

Knows recipes; nothing of the settings beside them. `[long_cot_traces]` has a file of its own.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from generators.critical_token_pairs.tokens.confirmation import Confirmation
from generators.section import Section
from generators.self_correction_traces.corrections import Mask
from generators.self_correction_traces.deepening import AtMax, Counts
from generators.self_correction_traces.triggers import RETHINK
from generators.step_preference_pairs.recipe import Localiser
from generators.training.adapters import AdapterSettings
from generators.training.base import Dtype

StrategyName = Literal["sequential_test", "exhaustive", "omegaprm"]


class ProcessLabelsSettings(Section):
    """How the first wrong step is searched, in how many solutions of what length, and how labels are derived.

    `confidence`, `cap`, `ahead` and `pilot` are the sequential test's; `rollouts_per_step` is what the others draw from
    a step, and `budget` what OmegaPRM may spend on a problem. `audit` is how many solutions with a planted error are
    searched beside them. `hard_threshold` is for strategies that know shares only. With `label_ratio` the configs that
    are ready for training drop solutions until one label is at most so many times as frequent as the other.
    """

    strategy: StrategyName = "sequential_test"
    confidence: float = Field(0.94, gt=0.5, lt=1)
    cap: int = Field(256, ge=1)
    ahead: int = Field(4, ge=0)
    pilot: int = Field(192, ge=1)
    rollouts_per_step: int = Field(8, ge=1)
    budget: int = Field(200, ge=1)
    audit: int = Field(32, ge=0)
    solutions_per_problem: int = Field(2, ge=1)
    min_steps: int = Field(2, ge=1)
    max_steps: int = Field(32, ge=1)
    hard_threshold: float = Field(0.0, ge=0, lt=1)
    label_ratio: float | None = Field(None, ge=1)


class StepPreferencePairsSettings(Section):
    """Which errors pairs are made of, what names them, and how many rollouts a pair may cost.

    `candidates` continuations of a prefix are looked at, for `pairs_per_error` pairs. Each step of a pair is valued by
    at most `cap` rollouts, drawn by the `lot`; the values differ by `min_margin` at least. Problems count whose pass
    rate is within bounds, by default all that are neither never nor always solved.
    """

    localiser: Localiser = "labels"
    candidates: int = Field(16, ge=1)
    pairs_per_error: int = Field(2, ge=1)
    min_margin: float = Field(0.1, gt=0, lt=1)
    lot: int = Field(4, ge=1)
    cap: int = Field(32, ge=1)
    least_pass_rate: float = Field(0.01, gt=0, lt=1)
    most_pass_rate: float = Field(0.99, gt=0, lt=1)
    longest_step: int = Field(2000, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> "StepPreferencePairsSettings":
        if self.most_pass_rate < self.least_pass_rate:
            raise ValueError(f"most_pass_rate must be at least least_pass_rate ({self.least_pass_rate})")
        if self.cap < self.lot:
            raise ValueError(f"cap must be at least lot ({self.lot})")
        return self


class ContrastiveModelsSettings(Section):
    """How the adapters of right and of wrong solutions are trained: the paper's numbers, unless overridden.

    Solutions of more than `max_tokens` tokens, prompt included, are neither learnt from nor paired. `weights` is the
    folder or Hub id of what attached servers serve. `folder` is where adapters are kept, by default below a local data
    root.
    """

    rank: int = Field(8, ge=1)
    alpha: int = Field(16, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    learning_rate: float = Field(3e-4, gt=0)
    epochs: int = Field(1, ge=1)
    batch_size: int = Field(6, ge=1)
    max_tokens: int = Field(1024, ge=2)
    save_every: int = Field(50, ge=1)
    dtype: Dtype = "float32"
    weights: str | None = None
    folder: str | None = None

    @property
    def training(self) -> AdapterSettings:
        """The training of either adapter."""
        return AdapterSettings(**self.recipe())

    def recipe(self) -> dict[str, Any]:
        """What decides on the adapters, whatever machine trains them."""
        return self.model_dump(exclude={"weights", "folder"})


class CriticalTokenPairsSettings(Section):
    """How tokens are scored, which are nominated, and how many rollouts test them.

    `beta` is how much the negative model counts. The `n_scores` lowest scores below `score_below` nominate, and with
    `search` up to `search_cap` rollouts from single tokens do. A token is confirmed when fewer than `never` rollouts
    behind it end right and at least `least` with another in its place, with `confidence`; it is tested by `cap`
    rollouts, all nominees of a solution by `budget`. `batch_tokens` are scored at once.
    """

    beta: float = Field(1.0, ge=0)
    batch_tokens: int = Field(4096, ge=1)
    n_scores: int = Field(3, ge=1)
    score_below: float = Field(0.5, gt=0, le=1)
    search: bool = True
    search_cap: int = Field(96, ge=1)
    never: float = 0.05
    least: float = 0.1
    confidence: float = 0.95
    cap: int = Field(160, ge=1)
    budget: int = Field(256, ge=1)

    @property
    def confirmation(self) -> Confirmation:
        """The test of one token."""
        return Confirmation(never=self.never, least=self.least, confidence=self.confidence, cap=self.cap)

    @model_validator(mode="after")
    def _can_confirm(self) -> "CriticalTokenPairsSettings":
        _ = self.confirmation
        return self


class SelfCorrectionTracesSettings(Section):
    """How responses are deepened, and how corrections are composed of attempts whose first error is labelled.

    `samples` responses of a problem begin as its attempts do; a whole one has `max_tokens` (those of an attempt where
    left out), and no budget is above that. `first_budget` to `triggers` are ID-sampling's; `extra_steps`, `lot` and
    `cap` are the composition's. `mask` is what is not to be learnt. `max_broken_share` bounds how many of the right
    answers a trigger may break before a check fails.
    """

    samples: int = Field(4, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    first_budget: int = Field(256, ge=1)
    growth: float = Field(2.0, gt=1)
    max_budget: int = Field(2048, ge=1)
    counts: Counts = "response"
    at_max: AtMax = "finish"
    triggers_finished: bool = True
    max_triggers: int = Field(2, ge=0)
    triggers: tuple[Annotated[str, Field(pattern=r"^[^\n]*\S[^\n]*$")], ...] = Field(RETHINK, min_length=1)
    extra_steps: int = Field(2, ge=0)
    lot: int = Field(4, ge=1)
    cap: int = Field(16, ge=1)
    mask: Mask = "mistake"
    max_broken_share: float = Field(0.2, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> "SelfCorrectionTracesSettings":
        if self.max_budget < self.first_budget:
            raise ValueError(f"max_budget must be at least first_budget ({self.first_budget})")
        if self.cap < self.lot:
            raise ValueError(f"cap must be at least lot ({self.lot})")
        return self
