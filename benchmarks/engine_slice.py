"""A slice over any engine, outside Dagster: the stages make their tables of it as in a run."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl
from upath import UPath

from filters.answers.checker import AnswerChecker
from filters.schema import Schema
from generators.blocks import BlockWriter, StoredTable, place
from generators.checks import CheckBounds
from generators.datasets import STAGES, schema_of
from generators.engine.pool import Pool, RetrySettings
from generators.engine.protocol import Engine
from generators.engine.slots import Slots
from generators.models.judge import JudgeSampling
from generators.models.policy import Policy
from generators.models.reward import RewardModel
from generators.problems.settings import EvaluationSetSettings, QualitySettings, Source
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.progress import Progress
from generators.sampling.sampler import Sampler
from generators.sampling.storage import read_parquet, write_parquet
from generators.sampling.workbench import Workbench
from generators.section import Section
from generators.stage import Output

IN_FLIGHT = 256


def silent(_: str) -> None:
    """Say nothing."""


@dataclass(kw_only=True)
class EngineSlice:
    """A `generators.stage.Slice` of `questions` over the engine that `serving` opens for `policy`.

    Its tables lie in `folder`, its ledger beside them or, to share one, in the folder `rollouts`. `recipes` has the
    recipes of the stages that were made, `sections` their settings.
    """

    serving: Callable[[], AbstractAsyncContextManager[Engine]]
    policy: Policy
    questions: Sequence[Problem]
    folder: Path
    source: Source
    seed: int = 0
    key: str = "slice-0"
    round: str = "benchmark"
    shard: int = 0
    evaluation_sets: Sequence[EvaluationSetSettings] = ()
    quality: QualitySettings = field(default_factory=QualitySettings)
    bounds: CheckBounds = field(default_factory=CheckBounds)
    judge: JudgeSampling | None = None
    context: int | None = None
    rollouts: Path | None = None
    recipes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    hear: Callable[[str], None] = silent

    async def make(self, name: str, settings: Section) -> Output:
        """Make the table of a stage, and keep it for the stages that read it."""
        stage = next(stage for stage in STAGES if stage.name == name)
        self.sections[name] = settings
        output = await stage.make(self, settings)
        for table, rows in {name: output.rows, **output.beside}.items():
            if isinstance(rows, StoredTable):
                place(rows, self._path(table))
            else:
                write_parquet(self._path(table), rows)
        self.recipes[name] = {"settings": settings.recipe(), "config": dict(output.config)}
        return output

    @property
    def ledger(self) -> UPath:
        """The folder of the rollouts."""
        return UPath((self.rollouts or self.folder) / "ledger")

    @property
    def adapters(self) -> Path:
        return self.folder / "adapters"

    @property
    def origin(self) -> dict[str, str | int]:
        return {"policy": self.policy.name, "round": self.round, "slice": self.key}

    def problems(self) -> list[Problem]:
        return list(self.questions)

    @property
    def screened_sources(self) -> UPath:
        return UPath(self.folder / "sources")

    def table(self, name: str) -> pl.DataFrame:
        return read_parquet(self._path(name))

    def has_table(self, name: str) -> bool:
        return self._path(name).exists()

    def stored(self, name: str) -> StoredTable:
        return StoredTable(self._path(name), schema_of(name))

    def writer(self, schema: Schema) -> BlockWriter:
        return BlockWriter(schema, self._path(schema.name))

    def _path(self, table: str) -> UPath:
        return UPath(self.folder / f"{table}.parquet")

    def recipe(self, stage: str) -> Mapping[str, Any]:
        return self.recipes[stage]

    def settings(self, stage: str) -> Any:
        return self.sections[stage]

    @asynccontextmanager
    async def workbench(
        self, *, unit: str, total: int, by: Literal["policy", "judge"] = "policy"
    ) -> AsyncIterator[Workbench]:
        async with self.serving() as engine:
            pool = Pool(engine, Slots(IN_FLIGHT), settings=RetrySettings())
            with Ledger(self.ledger) as ledger, AnswerChecker() as checker:
                sampler = Sampler(
                    policy=self.policy.name,
                    engine=pool,
                    tokenizer=self.policy.tokenizer,
                    ledger=ledger,
                    context=self.context,
                )
                async with sampler:
                    yield Workbench(
                        sampler=sampler,
                        checker=checker,
                        pool=pool,
                        progress=Progress(self.key, unit, total, lambda: pool.usage.generated, self.hear),
                        window=IN_FLIGHT,
                        say=self.hear,
                    )

    @asynccontextmanager
    async def reward(self) -> AsyncIterator[RewardModel | None]:
        yield None

    def make_room(self, *, on_gpu: bool) -> None:
        """The engine of a benchmark holds no GPU of its own."""

    def say(self, line: str) -> None:
        self.hear(line)

    def warn(self, line: str) -> None:
        print(line, flush=True)
