"""A stage makes one table, slice by slice: its settings, its schemas and the function that makes the rows.

`dagster_project.slice_asset` turns a stage into an asset. A new stage registers in `generators.datasets`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from generators.preflight import Finding, Preflight, no_findings
from generators.section import Section

if TYPE_CHECKING:  # an interface needs types alone; problems, models and sampling lie above and below it
    from pathlib import Path

    import polars as pl
    from upath import UPath

    from filters.schema import Schema
    from generators.blocks import BlockWriter, StoredTable
    from generators.checks import Check, CheckBounds, CheckSpec
    from generators.models.judge import JudgeSampling
    from generators.models.policy import Policy
    from generators.models.reward import RewardModel
    from generators.problems.settings import EvaluationSetSettings, QualitySettings, Source
    from generators.records import Problem
    from generators.sampling.workbench import Workbench
    from generators.shown import Shown

S = TypeVar("S", bound=Section)


class Slice(Protocol):
    """One slice of one round, as a stage sees it.

    `shard` is the slice's number within its source, `seed` the family of draws of the round. `judge` is None if the
    settings have no judge.
    """

    @property
    def key(self) -> str: ...
    @property
    def shard(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def source(self) -> Source: ...
    @property
    def evaluation_sets(self) -> Sequence[EvaluationSetSettings]: ...
    @property
    def quality(self) -> QualitySettings: ...
    @property
    def bounds(self) -> CheckBounds: ...
    @property
    def judge(self) -> JudgeSampling | None: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def adapters(self) -> Path:
        """The folder of trained adapters under the data root; raises StorageError if that is no local folder."""
        ...

    @property
    def screened_sources(self) -> UPath:
        """The folder under the data root in which screened sources are kept for all of their slices."""
        ...

    @property
    def origin(self) -> dict[str, str | int]:
        """Policy, round and slice, as the columns of a row."""
        ...

    def problems(self) -> list[Problem]:
        """The problems of the slice; raises StorageError."""
        ...

    def table(self, name: str) -> pl.DataFrame:
        """A table of the slice that an earlier stage wrote; raises StorageError."""
        ...

    def stored(self, name: str) -> StoredTable:
        """The same, to be read block by block; raises StorageError."""
        ...

    def writer(self, schema: Schema) -> BlockWriter:
        """Writes a table of this stage block by block; raises StorageError."""
        ...

    def recipe(self, stage: str) -> Mapping[str, Any]:
        """The recipe of an earlier stage: `settings` and `config`."""
        ...

    def settings(self, stage: str) -> Any:
        """The section of another stage, for values that do not affect rows, such as folders."""
        ...

    def workbench(
        self, *, unit: str, total: int, by: Literal["policy", "judge"] = "policy"
    ) -> AbstractAsyncContextManager[Workbench]:
        """Sampler, answer checker and progress, open for the time of a `with`; raises EngineError."""
        ...

    def reward(self) -> AbstractAsyncContextManager[RewardModel | None]:
        """The reward model, None if the settings have none."""
        ...

    def make_room(self, *, on_gpu: bool) -> None:
        """Stop the server of the policy while a model that is loaded here needs its GPU."""
        ...

    def say(self, line: str) -> None:
        """Write a line to the log of the run."""
        ...

    def warn(self, line: str) -> None:
        """Write a warning to the log of the run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The output of a stage for one slice.

    A table is a frame, or on disk already where that of a slice may not fit into memory. `beside` has the stage's
    further tables by name. `config` has the resolved settings as JSON data; the recipe file keeps it beside all
    settings. `of` is the number that the yield is a share of, by default the slice's problems. `n_items` counts the
    items that were sampled, `n_failed` those that the engine refused. `figures` are compared across rounds.
    """

    rows: pl.DataFrame | StoredTable
    dropped: pl.DataFrame
    beside: Mapping[str, pl.DataFrame | StoredTable] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    checks: Sequence[Check] = ()
    shown: Mapping[str, Shown] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    n_items: int = 0
    n_failed: int = 0
    of: int | None = None
    data_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[S]):
    """A table that is generated slice by slice.

    `settings` is its section of the settings file. `needs` names every stage that its rows depend on, also through
    others. `beside` are the schemas of its further tables. Bump `version` with any change that changes rows. `checks`
    declares the checks that `make` returns. A yield below `least_yield` warns; it blocks if the stage `must_yield` or
    the settings bound it. Forecasts scale with `per_problem`, the most that is drawn for each problem under given
    settings. `preflight` finds what cannot work before anything is drawn. A stage with `needs_answers` skips slices
    whose problems have none.
    """

    name: str
    title: str
    group: str
    settings: type[S]
    needs: tuple[str, ...]
    schema: Schema
    dropped: Schema
    beside: tuple[Schema, ...] = ()
    version: str
    make: Callable[[Slice, S], Awaitable[Output]]
    checks: tuple[CheckSpec, ...] = ()
    per_problem: Callable[[S], int] = lambda _: 1
    preflight: Callable[[Preflight, S], Iterable[Finding]] = no_findings
    must_yield: bool = False
    least_yield: float = 0.01
    kinds: frozenset[str] = frozenset({"vllm", "parquet"})
    needs_answers: bool = True

    @property
    def samples(self) -> bool:
        """Whether it draws rollouts from the policy."""
        return "vllm" in self.kinds

    @property
    def continues_attempts(self) -> bool:
        """Whether it draws further rollouts, which are worth what the verdicts on the attempts are worth."""
        return self.samples and "attempts" in self.needs

    @property
    def loads_a_model(self) -> bool:
        """Whether it loads a model of its own, which may need the GPU of the policy's server."""
        return "pytorch" in self.kinds

    @property
    def needs_gpu(self) -> bool:
        """Whether it waits for a slot in the pool `gpu`."""
        return self.samples or self.loads_a_model
