"""The settings file: one TOML file that a user edits, typed and checked when it is read.

The sections of stages are declared with their stages; `generators.datasets` lists them. The module imports no Dagster
itself; the sections of the resources do.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import is_dataclass
from inspect import isclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, Field, PrivateAttr, ValidationError, create_model, field_validator, model_validator

from dagster_project.resources.judge import JudgeSettings
from dagster_project.resources.policy import PolicySettings
from dagster_project.resources.reward import RewardSettings
from dagster_project.settings.loop import LoopSettings
from dagster_project.settings.operations import CheckSettings, RoundsSettings
from generators.datasets import DATASETS, STAGES, dataset_of
from generators.engine.address import scrubbed
from generators.models.policy import SIMULATED
from generators.problems.settings import (
    KINDS,
    EvaluationSetSettings,
    OverProblems,
    QualitySettings,
    Source,
    kind_of,
)
from generators.section import NoSettings, OtherSections, Section
from generators.stage import Stage
from releases.licences import Handling, refusal
from releases.names import did_you_mean, instead

S = TypeVar("S", bound=Section)
DEFAULT_FILE = Path(__file__).resolve().parent.parent.parent / "stepmill.toml"
_OWNER = re.compile(r"team:.+|[^@\s]+@[^@\s]+\.[^@\s]+")
SETTINGS_VARIABLE = "STEPMILL_SETTINGS"


class SettingsError(Exception):
    """The settings file cannot be used; the message names file, field, bound and value."""


class ReleasesSettings(Section):
    """How versions are numbered, and what happens to sources that forbid redistribution or commercial use."""

    major: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="by dataset, the least major number of its next versions; only a new one may change columns",
    )
    owners: tuple[str, ...] = Field(
        (),
        description="who answers for the datasets: e-mail addresses or `team:name`, shown in the UI",
    )
    licences: Handling = Field("refuse", description="`refuse` such sources by their licence, or `mark` the card")
    workers: int = Field(1, ge=1, description="processes, or tasks on Ray, that derive the rows of a release")
    on_ray: bool = Field(
        False, description="whether workers are tasks of the Ray cluster at RAY_ADDRESS; needs stepmill[ray]"
    )

    @field_validator("owners")
    @classmethod
    def _can_be_shown(cls, owners: tuple[str, ...]) -> tuple[str, ...]:
        for owner in owners:
            if not _OWNER.fullmatch(owner):
                raise ValueError(f"an owner must be an e-mail address or team:name, got {owner!r}")
        return owners

    @field_validator("major")
    @classmethod
    def _are_datasets(cls, major: dict[str, int]) -> dict[str, int]:
        for name in major:
            if dataset_of(name) is None:
                known = ", ".join(dataset.name for dataset in DATASETS)
                raise ValueError(f"there is no dataset {name}; there are {known}")
        return major


class HubSettings(Section):
    """Where on the Hub releases go. The token comes from HF_TOKEN, never from here."""

    namespace: str = Field(
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        description="the user or organisation that the repositories belong to",
    )
    private: bool = Field(True, description="whether new repositories are private")
    collection: str | None = Field(None, min_length=1, description="the collection that gathers the datasets")


class Settings(Section):
    """The whole file except the sections of stages, which `section` and `of` return."""

    data_root: str = Field("data", description="a folder, or an object-store URL such as s3://bucket/stepmill")
    ledger_wait_s: float = Field(
        60.0, ge=0, description="how long a run waits, in seconds, for a slice's ledger that another run holds"
    )
    rounds: RoundsSettings = RoundsSettings()
    checks: CheckSettings = CheckSettings()
    policy: PolicySettings = Field(default_factory=lambda: PolicySettings.model_validate({}))
    sources: tuple[Source, ...] = Field(min_length=1)
    evaluation_sets: tuple[EvaluationSetSettings, ...] = ()
    quality: QualitySettings = QualitySettings()
    releases: ReleasesSettings = ReleasesSettings()
    judge: JudgeSettings | None = None
    reward: RewardSettings | None = None
    hub: HubSettings | None = None
    loop: LoopSettings | None = None
    _read_from: str = PrivateAttr("no file")

    @property
    def read_from(self) -> str:
        """The file that the settings were read from, and a digest of its content at that moment."""
        return self._read_from

    def section(self, stage: str) -> Any:
        """The section of a stage by the stage's name."""
        return getattr(self, stage, NoSettings())

    def of(self, stage: Stage[S]) -> S:
        """The section of a stage, typed."""
        section: S = self.section(stage.name)
        return section

    def slices(self) -> dict[str, tuple[Source, int]]:
        """Source and shard of every slice, by the slice's key."""
        return {f"{source.name}-{shard}": (source, shard) for source in self.sources for shard in range(source.shards)}

    @model_validator(mode="after")
    def _names_differ(self) -> "Settings":
        names = [source.name for source in self.sources]
        if len(set(names)) != len(names):
            raise ValueError(f"sources must have different names, got {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _sections_fit(self) -> "Settings":
        others = OtherSections(
            open_ended=[source.name for source in self.sources if not source.has_answers],
            rated=[source.name for source in self.sources if source.query_mix == "criteria"],
            has_judge=self.judge is not None,
        )
        for stage in STAGES:
            self.section(stage.name).require(others)
        return self

    @model_validator(mode="after")
    def _are_scored(self) -> "Settings":
        open_ended = ", ".join(source.name for source in self.sources if not source.has_answers)
        if open_ended and self.reward is None:
            raise ValueError(
                f"sources without answers (columns.answer_format = 'none') need a section [reward], whose model scores "
                f"their solutions, got none for {open_ended}: add it, or name the column and the format of the answers"
            )
        return self

    @model_validator(mode="after")
    def _can_loop(self) -> "Settings":
        if self.loop is None:
            return self
        if self.policy.urls:
            raise ValueError(
                f"policy.urls must be empty with a section [loop], whose runs serve each policy that they train, got "
                f"{', '.join(self.policy.urls)}"
            )
        if self.policy.model == SIMULATED:
            raise ValueError(f"policy.model must have weights to train with a section [loop], got {SIMULATED!r}")
        chosen, sets = self.loop.evaluation, {one.problems.name: one.problems for one in self.evaluation_sets}
        if not sets:
            raise ValueError("[loop] needs problems to evaluate policies on, got none: add [[evaluation_sets]]")
        for name in chosen.sets:
            if name not in sets:
                known = instead(name, sets, plural="evaluation sets")
                raise ValueError(f"loop.evaluation.sets must name [[evaluation_sets]], got {name}; {known}")
        unanswered = [name for name in chosen.sets or sets if not sets[name].has_answers]
        if unanswered:
            raise ValueError(f"loop.evaluation.sets must have answers to verify by, got {', '.join(unanswered)}")
        sources = [source.name for source in self.sources]
        if chosen.prompted_as is not None and chosen.prompted_as not in sources:
            known = instead(chosen.prompted_as, sources, plural="sources")
            raise ValueError(f"loop.evaluation.prompted_as must name a source, got {chosen.prompted_as}; {known}")
        return self

    @model_validator(mode="after")
    def _may_be_released(self) -> "Settings":
        refused = refusal({source.name: source.licence for source in self.sources})
        if refused and self.releases.licences == "refuse":
            raise ValueError(refused)
        return self


def loop_of(settings: Settings) -> LoopSettings:
    """The section `[loop]`; raises SettingsError if there is none."""
    if settings.loop is None:
        raise SettingsError(f"{settings.read_from} has no section [loop]: add it with at least one [[loop.training]]")
    return settings.loop


SECTIONS: dict[str, type[Section]] = {
    stage.name: stage.settings for stage in STAGES if stage.settings is not NoSettings
}
if clashes := SECTIONS.keys() & set(dir(Settings)):
    raise RuntimeError(f"a stage must not be called {', '.join(clashes)}: the settings use that name")
_fields: dict[str, Any] = {name: (section, section()) for name, section in SECTIONS.items()}
_File = create_model("Settings", __base__=Settings, __doc__=Settings.__doc__, **_fields)


def load_settings(path: Path | None = None) -> Settings:
    """Read `path`, or the file that STEPMILL_SETTINGS names, or `stepmill.toml`; raises SettingsError."""
    file = path or Path(os.environ.get(SETTINGS_VARIABLE) or DEFAULT_FILE)
    try:
        text = file.read_text()
        table = tomllib.loads(text)
    except OSError as missing:
        raise SettingsError(f"{file} cannot be read ({missing.strerror}): point {SETTINGS_VARIABLE} at a file") from (
            missing
        )
    except tomllib.TOMLDecodeError as broken:
        raise SettingsError(f"{file} is no TOML: {broken}") from broken
    _resolve_paths(table, file.parent)
    try:
        settings = _File.model_validate(table)
    except ValidationError as wrong:
        sentences = [_sentence(error, table) for error in _causes(wrong.errors())]
        raise SettingsError(f"{file}: {'; '.join(sentences)}") from wrong
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    settings._read_from = f"{file.resolve()} (digest {digest})"
    return settings


def _resolve_paths(table: dict[str, Any], folder: Path) -> None:
    """Make paths relative to the settings file: data root, problem files, fields of stages, `./model`."""
    if isinstance(table.setdefault("data_root", "data"), str):
        table["data_root"] = _absolute(table["data_root"], folder)
    for section in ("sources", "evaluation_sets"):
        for entry in table.get(section, ()):
            if isinstance(entry, dict) and isinstance(entry.get("path"), str):
                entry["path"] = _absolute(entry["path"], folder)
    for name, section_type in SECTIONS.items():
        entry = table.get(name)
        if isinstance(entry, dict):
            for field in section_type.paths():
                if isinstance(entry.get(field), str):
                    entry[field] = _absolute(entry[field], folder)
    policy = table.get("policy")
    if isinstance(policy, dict) and str(policy.get("model", "")).startswith("."):
        policy["model"] = _absolute(str(policy["model"]), folder)


def _absolute(path: str, folder: Path) -> str:
    return path if "://" in path else str(folder.resolve() / Path(path).expanduser())


def _causes(errors: Sequence[Any]) -> list[Any]:
    """The errors without those of lists that seem too short because an item of theirs is wrong."""
    broken_lists = {error["loc"][:1] for error in errors if len(error["loc"]) > 1}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in broken_lists]


def _sentence(error: Any, table: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in error["loc"])
    is_unknown = error["type"] in ("extra_forbidden", "unexpected_keyword_argument")
    names_field = is_unknown or error["type"] == "missing"
    got = "" if names_field or isinstance(error["input"], dict) else f", got {scrubbed(repr(error['input']))}"
    hint = did_you_mean(str(error["loc"][-1]), list(_fields_at(error["loc"][:-1], table))) if is_unknown else ""
    return f"{field or 'the file'}: {error['msg'].removeprefix('Value error, ')}{got}{hint}"


def _fields_at(place: Sequence[str | int], table: dict[str, Any]) -> dict[str, Any]:
    """The fields of the section at a place of the file, with their types."""
    section: Any = _File
    entry: Any = table
    for part in place:
        if isinstance(part, str):
            section = _section_in(_types_of(section, entry).get(part))
        entry = entry[part]
    return _types_of(section, entry)


def _types_of(section: Any, entry: Any) -> dict[str, Any]:
    if is_dataclass(section):
        return get_type_hints(section)
    if section is None:
        return {}
    types = {name: field.annotation for name, field in section.model_fields.items()}
    if issubclass(section, OverProblems):
        del types["problems"]
        types |= get_type_hints(KINDS.get(kind_of(entry), object))
    return types


def _section_in(annotation: Any) -> Any:
    """The section or dataclass in a type such as `tuple[Source, ...]`, None if there is none."""
    if is_dataclass(annotation) or (isclass(annotation) and issubclass(annotation, BaseModel)):
        return annotation
    return next((section for section in map(_section_in, get_args(annotation)) if section), None)
