"""The settings file: policy, sources, budgets, judge and the data root, typed and checked when they are read.

One TOML file that a user edits. Knows nothing of how anything is made.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SkipValidation,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
    with_config,
)

from dagster_project.long_cot_settings import LongCotTracesSettings
from dagster_project.operations_settings import CheckSettings, RoundsSettings
from dagster_project.resources.judge import JudgeSettings
from dagster_project.resources.policy import PolicySettings
from dagster_project.resources.reward import RewardSettings
from filters.answers import AnswerRule
from filters.contamination import Match
from filters.duplicates import DuplicateSettings
from filters.language import check_language
from filters.prompts import PromptBounds
from filters.solutions import SolutionBounds
from filters.verdicts import Lists, Percent, Units
from generators.corrections import Mask
from generators.id_sampling import AtMax, Counts
from generators.problems.evaluation import EvaluationSet
from generators.problems.files import FileProblems
from generators.problems.hub import HubProblems
from generators.problems.multi_step import MultiStepProblems
from generators.problems.procedural import ProceduralProblems
from generators.problems.simulated import SimulatedSource
from generators.problems.source import ProblemSource
from generators.prompts import chain_sum
from generators.prompts.solve import Example
from generators.prompts.triggers import RETHINK
from generators.step_pairs import Localiser
from generators.token_confirmation import Confirmation
from generators.training.adapters import AdapterSettings
from generators.training.base import Dtype
from releases.licences import Handling, refusal
from releases.verification.verifiers import VERIFIERS

DEFAULT_FILE = Path(__file__).resolve().parent.parent / "stepmill.toml"
SETTINGS_VARIABLE = "STEPMILL_SETTINGS"


class SettingsError(Exception):
    """The settings file cannot be used; the message names file, field, bound and value."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AttemptsSettings(_Section):
    """How many solutions of each problem, drawn how."""

    n: int = Field(8, ge=1)
    temperature: float = Field(0.8, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(512, ge=1)


StrategyName = Literal["sequential_test", "exhaustive", "omegaprm"]


class ProcessLabelsSettings(_Section):
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


class ReleasesSettings(_Section):
    """How versions are numbered, and what becomes of sources that forbid redistribution or commercial use.

    `major` names, by dataset, the major number that the next versions have at least; columns may change with a new one
    only. `licences` refuses such sources, by the SPDX id of their licence, or marks them on the card.
    """

    major: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    licences: Handling = "refuse"

    @field_validator("major")
    @classmethod
    def _are_datasets(cls, major: dict[str, int]) -> dict[str, int]:
        for dataset in major.keys() - VERIFIERS.keys():
            raise ValueError(f"there is no dataset {dataset}; there are {', '.join(VERIFIERS)}")
        return major


class StepPreferencePairsSettings(_Section):
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


class ContrastiveModelsSettings(_Section):
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


class CriticalTokenPairsSettings(_Section):
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
    cap: int = Field(96, ge=1)
    budget: int = Field(160, ge=1)

    @property
    def confirmation(self) -> Confirmation:
        """The test of one token."""
        return Confirmation(never=self.never, least=self.least, confidence=self.confidence, cap=self.cap)

    @model_validator(mode="after")
    def _can_confirm(self) -> "CriticalTokenPairsSettings":
        _ = self.confirmation
        return self


class SelfCorrectionTracesSettings(_Section):
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


class QualitySettings(_Section):
    """What a prompt or a solution must be like; similarity is that of words, percentiles are those of length."""

    longest_prompt: int = Field(8000, ge=1)
    near_duplicates: float = Field(0.7, ge=0.3, le=1)
    most_per_verdict: int = Field(8, ge=1)
    shortest_percentile: float = Field(0.5, ge=0, lt=50)
    longest_percentile: float = Field(99.5, gt=50, le=100)

    @property
    def solutions(self) -> SolutionBounds:
        """Which attempts are fit to be labelled."""
        return SolutionBounds(
            near_duplicates=self.near_duplicates,
            most_per_verdict=self.most_per_verdict,
            shortest=self.shortest_percentile,
            longest=self.longest_percentile,
        )


class HubSettings(_Section):
    """The user or organisation whose repositories on the Hub releases go to, and the collection that gathers them.

    Repositories that are made are `private` or not; the token comes from HF_TOKEN, never from here.
    """

    namespace: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
    private: bool = True
    collection: str | None = Field(None, min_length=1)


Kind = Literal["procedural", "multi_step", "file", "hub", "simulated"]
_strict = with_config(ConfigDict(extra="forbid"))
KINDS: dict[str, type[ProblemSource]] = {
    "procedural": _strict(ProceduralProblems),
    "file": _strict(FileProblems),
    "hub": _strict(HubProblems),
    "multi_step": _strict(MultiStepProblems),
    "simulated": _strict(SimulatedSource),
}


class _OverProblems(_Section):
    """A section whose further settings are those of a problem source of some kind."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: Kind
    problems: SkipValidation[ProblemSource]

    @model_validator(mode="before")
    @classmethod
    def _read_problems(cls, table: dict[str, Any]) -> dict[str, Any]:
        own = {key: value for key, value in table.items() if key in cls.model_fields}
        rest = {key: value for key, value in table.items() if key not in cls.model_fields}
        kind = KINDS.get(str(own.get("kind")))
        if kind is None:
            return table
        return {**own, "problems": TypeAdapter(kind).validate_python(rest)}


class EvaluationSetSettings(_OverProblems):
    """A set that no problem may repeat, and what counts as a repeat."""

    match: Match = "near"

    @property
    def set(self) -> EvaluationSet:
        """The set as the problems are screened against it."""
        return EvaluationSet(self.problems, self.match)


class Source(_OverProblems):
    """A problem source: how it is read, into how many slices it is cut, how its answers are written, its licence."""

    shards: int = Field(1, ge=1)
    licence: str | None = None
    bare_last_number: bool = False
    percent: Percent = "undecided"
    units: Units = "optional"
    lists: Lists = "undecided"
    worked_examples: Literal["none", "chain_sum"] = "none"
    max_unverified_share: float = Field(0.05, ge=0, le=1)
    near_duplicates: float | None = Field(None, ge=0.3, le=1)
    language: str | None = None
    query_mix: Literal["pass_rate", "criteria"] = "pass_rate"

    @field_validator("language")
    @classmethod
    def _is_known(cls, language: str | None) -> str | None:
        if language is not None:
            check_language(language)
        return language

    @property
    def duplicates(self) -> DuplicateSettings | None:
        """From which similarity a problem repeats another; problems that are made up resemble each other by nature."""
        if self.near_duplicates is None:
            return DuplicateSettings() if self.kind in ("file", "hub") else None
        return DuplicateSettings(threshold=self.near_duplicates)

    def near_examples(self, asked: LongCotTracesSettings) -> Match:
        """What counts as a copy of a worked example; problems that are made up differ in their numbers only."""
        return asked.near_examples or ("near" if self.kind in ("file", "hub") else "verbatim")

    @property
    def name(self) -> str:
        """The source's name, as its problems carry it."""
        return self.problems.name

    @property
    def answer_rule(self) -> AnswerRule:
        """How answers to this source's problems are read."""
        return AnswerRule(
            bare_last_number=self.bare_last_number, percent=self.percent, units=self.units, lists=self.lists
        )

    @property
    def examples(self) -> tuple[Example, ...]:
        """The worked examples that stand before each problem."""
        return chain_sum.EXAMPLES if self.worked_examples == "chain_sum" else ()


class Settings(_Section):
    """The whole file."""

    data_root: str = "data"
    rounds: RoundsSettings = RoundsSettings()
    checks: CheckSettings = CheckSettings()
    policy: PolicySettings = Field(default_factory=lambda: PolicySettings.model_validate({}))
    sources: tuple[Source, ...] = Field(min_length=1)
    evaluation_sets: tuple[EvaluationSetSettings, ...] = ()
    quality: QualitySettings = QualitySettings()
    attempts: AttemptsSettings = AttemptsSettings()
    process_labels: ProcessLabelsSettings = ProcessLabelsSettings()
    releases: ReleasesSettings = ReleasesSettings()
    judge: JudgeSettings | None = None
    reward: RewardSettings | None = None
    hub: HubSettings | None = None
    step_preference_pairs: StepPreferencePairsSettings = StepPreferencePairsSettings()
    contrastive_models: ContrastiveModelsSettings = ContrastiveModelsSettings()
    critical_token_pairs: CriticalTokenPairsSettings = CriticalTokenPairsSettings()
    self_correction_traces: SelfCorrectionTracesSettings = SelfCorrectionTracesSettings()
    long_cot_traces: LongCotTracesSettings = LongCotTracesSettings()

    def prompt_bounds(self, source: Source) -> PromptBounds:
        """Which of a source's problems are fit to be asked."""
        return PromptBounds(longest=self.quality.longest_prompt, language=source.language)

    @model_validator(mode="after")
    def _names_differ(self) -> "Settings":
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError(f"sources must have different names, got {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _are_judged(self) -> "Settings":
        rated = [source.name for source in self.sources if source.query_mix == "criteria"]
        if rated and self.judge is None:
            raise ValueError(f"query_mix = 'criteria' needs a section [judge], got none for {', '.join(rated)}")
        return self

    @model_validator(mode="after")
    def _may_be_released(self) -> "Settings":
        refused = refusal({source.name: source.licence for source in self.sources})
        if refused and self.releases.licences == "refuse":
            raise ValueError(refused)
        return self

    def slices(self) -> dict[str, tuple[Source, int]]:
        """Source and shard of every slice, by the slice's key."""
        return {f"{source.name}-{shard}": (source, shard) for source in self.sources for shard in range(source.shards)}


def load_settings(path: Path | None = None) -> Settings:
    """Read `path`, or the file that STEPMILL_SETTINGS names, or `stepmill.toml`; raises SettingsError."""
    file = path or Path(os.environ.get(SETTINGS_VARIABLE) or DEFAULT_FILE)
    try:
        table = tomllib.loads(file.read_text())
    except OSError as missing:
        raise SettingsError(f"{file} cannot be read ({missing.strerror}): point {SETTINGS_VARIABLE} at a file") from (
            missing
        )
    except tomllib.TOMLDecodeError as broken:
        raise SettingsError(f"{file} is no TOML: {broken}") from broken
    _place_files(table, file.parent)
    try:
        settings = Settings.model_validate(table)
    except ValidationError as wrong:
        raise SettingsError(f"{file}: {'; '.join(map(_sentence, wrong.errors()))}") from wrong
    models = settings.contrastive_models
    if models.folder is not None:
        models = models.model_copy(update={"folder": _absolute(models.folder, file.parent)})
    root = _absolute(settings.data_root, file.parent)
    return settings.model_copy(update={"data_root": root, "contrastive_models": models})


def _place_files(table: dict[str, Any], folder: Path) -> None:
    """Make the paths of problem files, and a policy's folder that begins with a dot, relative to the settings file."""
    for section in ("sources", "evaluation_sets"):
        for entry in table.get(section, ()):
            if isinstance(entry, dict) and isinstance(entry.get("path"), str):
                entry["path"] = _absolute(entry["path"], folder)
    policy = table.get("policy")
    if isinstance(policy, dict) and str(policy.get("model", "")).startswith("."):
        policy["model"] = _absolute(str(policy["model"]), folder)


def _absolute(root: str, folder: Path) -> str:
    return root if "://" in root else str(folder.resolve() / Path(root).expanduser())


def _sentence(error: Any) -> str:
    field = ".".join(str(place) for place in error["loc"])
    got = (
        ""
        if error["type"] in ("missing", "extra_forbidden", "unexpected_keyword_argument")
        else f", got {error['input']!r}"
    )
    return f"{field or 'the file'}: {error['msg'].removeprefix('Value error, ')}{got}"
