"""The settings file: policy, sources, budgets, judge and the data root, typed and checked when they are read.

One TOML file that a user edits. Knows nothing of how anything is made.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from dagster_project.dataset_settings import (
    ContrastiveModelsSettings,
    CriticalTokenPairsSettings,
    ProcessLabelsSettings,
    SelfCorrectionTracesSettings,
    StepPreferencePairsSettings,
)
from dagster_project.long_cot_settings import LongCotTracesSettings
from dagster_project.resources.judge import JudgeSettings
from dagster_project.resources.policy import PolicySettings
from dagster_project.resources.reward import RewardSettings
from dagster_project.settings.operations import CheckSettings, RoundsSettings
from dagster_project.settings.sources import EvaluationSetSettings, Source
from generators.attempts.fit import SolutionBounds
from generators.problems.fit import PromptBounds
from generators.section import Section
from releases.licences import Handling, refusal
from releases.verification.verifiers import VERIFIERS

DEFAULT_FILE = Path(__file__).resolve().parents[2] / "stepmill.toml"
SETTINGS_VARIABLE = "STEPMILL_SETTINGS"


class SettingsError(Exception):
    """The settings file cannot be used; the message names file, field, bound and value."""


class AttemptsSettings(Section):
    """How many solutions of each problem, drawn how."""

    n: int = Field(8, ge=1)
    temperature: float = Field(0.8, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(512, ge=1)


class ReleasesSettings(Section):
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


class QualitySettings(Section):
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


class HubSettings(Section):
    """The user or organisation whose repositories on the Hub releases go to, and the collection that gathers them.

    Repositories that are made are `private` or not; the token comes from HF_TOKEN, never from here.
    """

    namespace: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
    private: bool = True
    collection: str | None = Field(None, min_length=1)


class Settings(Section):
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
        if self.long_cot_traces.judge_behaviours and self.judge is None:
            raise ValueError(
                "long_cot_traces.judge_behaviours must be false without a section [judge], got true: add the section"
            )
        return self

    @model_validator(mode="after")
    def _are_scored(self) -> "Settings":
        open_ended = ", ".join(source.name for source in self.sources if not source.has_answers)
        if open_ended and self.reward is None:
            raise ValueError(
                f"sources without answers (columns.answer_format = 'none') need a section [reward], whose model scores "
                f"their solutions, got none for {open_ended}: add it, or name the column and the format of the answers"
            )
        if open_ended and self.long_cot_traces.examples == "attempts":
            raise ValueError(
                "long_cot_traces.examples must be 'general', 'short' or 'none', since problems without answers "
                f"({open_ended}) are not attempted, got 'attempts'"
            )
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
    is_told = error["type"] in ("missing", "extra_forbidden", "unexpected_keyword_argument")
    got = "" if is_told or isinstance(error["input"], dict) else f", got {error['input']!r}"
    return f"{field or 'the file'}: {error['msg'].removeprefix('Value error, ')}{got}"
