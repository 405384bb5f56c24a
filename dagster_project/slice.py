"""One slice of one round as stages see it: `generators.stage.Slice` over the store and the run's resources."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import polars as pl
from upath import UPath

from dagster_project.partitions import Cell
from dagster_project.preflight.readers import preflight
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.running.listener import NOBODY, Listener, Table
from dagster_project.scorecard import finished_recipe
from dagster_project.settings.file import Settings
from dagster_project.slice_log import SliceLog
from filters.answers.checker import AnswerChecker
from filters.schema import Schema
from generators.attempts.unanswered import UNANSWERED_COLUMNS, unanswered
from generators.blocks import BlockWriter, StoredTable, remove_leftovers
from generators.checks import CheckBounds
from generators.datasets import completed, schema_of
from generators.engine.errors import EngineMisconfigured
from generators.models.judge import JudgeSampling
from generators.models.policy import Policy
from generators.models.reward import RewardModel
from generators.preflight import Finding, Preflight
from generators.problems.settings import EvaluationSetSettings, QualitySettings, Source
from generators.problems.table import problems_of
from generators.records import Problem
from generators.sampling.progress import Progress, reported
from generators.sampling.sampler import Sampler
from generators.sampling.storage import StorageError, is_local
from generators.sampling.workbench import Workbench


@dataclass(kw_only=True)
class RunSlice:
    """The slice of a run, as one stage of it sees it.

    `asset` is the stage's, and `rank` its place among the stages that draw at the same time. `opening` is called within
    the event loop when the engine is about to be used. `benches` has every workbench that sampled from the policy, for
    cost and metadata; `writers` has every table that is written block by block.
    """

    asset: str
    run_id: str
    log: SliceLog
    all_settings: Settings
    store: Store
    cell: Cell
    policy_resource: PolicyResource
    judge_resource: JudgeResource
    reward_resource: RewardResource
    listener: Listener = NOBODY
    rank: int = 0
    opening: Callable[[], None] = lambda: None
    benches: list[Workbench] = field(default_factory=list)
    writers: list[BlockWriter] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.cell.slice

    @property
    def shard(self) -> int:
        return self.all_settings.slices()[self.cell.slice][1]

    @property
    def seed(self) -> int:
        return self.cell.seed

    @property
    def source(self) -> Source:
        return self.all_settings.slices()[self.cell.slice][0]

    @property
    def evaluation_sets(self) -> Sequence[EvaluationSetSettings]:
        return self.all_settings.evaluation_sets

    @property
    def quality(self) -> QualitySettings:
        return self.all_settings.quality

    @property
    def bounds(self) -> CheckBounds:
        return self.all_settings.checks

    @property
    def judge(self) -> JudgeSampling | None:
        return self.judge_resource.sampling

    @property
    def policy(self) -> Policy:
        return self.policy_resource.identity()

    @property
    def adapters(self) -> Path:
        if not is_local(self.store.adapters):
            raise StorageError(
                f"data_root is {self.store.root}, and adapters are trained and loaded as local files: set "
                "contrastive_models.folder to a local folder that every run can read"
            )
        return Path(self.store.adapters.path)

    @property
    def screened_sources(self) -> UPath:
        return self.store.root / "sources"

    @property
    def origin(self) -> dict[str, str | int]:
        return self.cell.origin(self.policy.name)

    def problems(self) -> list[Problem]:
        return problems_of(self.table("problems"))

    def table(self, name: str) -> pl.DataFrame:
        return completed(name, self.store.read(self.store.table(name, self.cell)))

    def stored(self, name: str) -> StoredTable:
        return StoredTable(self.store.table(name, self.cell), schema_of(name))

    def writer(self, schema: Schema) -> BlockWriter:
        path = self.store.table(schema.name, self.cell)
        if all(writer.path != path for writer in self.writers):
            remove_leftovers(path)
        writer = BlockWriter(schema, path)
        self.writers.append(writer)
        return writer

    def discard(self) -> None:
        """Delete the tables that are still under a temporary name."""
        for writer in self.writers:
            writer.discard()

    def recipe(self, stage: str) -> Mapping[str, Any]:
        return finished_recipe(self.store, stage, self.cell)

    def settings(self, stage: str) -> Any:
        return self.all_settings.section(stage)

    def workbench(
        self, *, unit: str, total: int, by: Literal["policy", "judge"] = "policy"
    ) -> AbstractAsyncContextManager[Workbench]:
        return self._opened(unit, total, by)

    async def preflight(self) -> Preflight:
        """What is known of the slice before anything is drawn; raises EngineError."""
        return await preflight(
            self.source,
            self.problems(),
            seed=self.seed,
            most_failed=self.bounds.most_failed,
            settings=self.settings,
            policy=self.policy_resource,
            judge=self.judge_resource,
            reward=self.reward_resource,
        )

    def unanswered(self) -> Iterator[Finding]:
        """What the share of attempts without a recognised answer says about drawing more; raises StorageError."""
        attempts = self.stored("attempts").blocks(UNANSWERED_COLUMNS)
        return unanswered(attempts, self.source).findings(self.bounds.max_no_answer_share)

    def reward(self) -> AbstractAsyncContextManager[RewardModel | None]:
        return self.reward_resource.opened()

    def make_room(self, *, on_gpu: bool) -> None:
        self.policy_resource.make_room(self.say, on_gpu=on_gpu)

    def say(self, line: str) -> None:
        self.log.say(line)

    def warn(self, line: str) -> None:
        self.log.warn(line)

    @asynccontextmanager
    async def _opened(self, unit: str, total: int, by: Literal["policy", "judge"]) -> AsyncIterator[Workbench]:
        """Flush and close everything, whatever happens; the ledger of a judge is named for the judge."""
        if by == "judge" and self.judge is None:
            raise EngineMisconfigured(f"{self.asset} needs a section [judge]: add it")
        server = self.policy_resource if by == "policy" else self.judge_resource.server(self.policy_resource)
        identity = server.identity()
        opened = self.store.ledger(identity.name, self.cell, run=self.run_id, say=self.warn)
        with opened as ledger, AnswerChecker() as checker:
            for warning in ledger.warnings:
                self.warn(warning)
            self.say(f"{self.asset}: {len(ledger)} rollouts are in the ledger of {identity.name}")
            async with server.served(self.say, rank=self.rank) as served:
                self.opening()
                pool = served.pool
                sampler = Sampler(
                    policy=identity.name,
                    engine=pool,
                    tokenizer=identity.tokenizer,
                    ledger=ledger,
                    context=served.context,
                    spare=lambda: pool.spare,
                )
                progress = Progress(self.asset, unit, total, lambda: pool.usage.generated, self.log.note)
                bench = Workbench(
                    sampler=sampler,
                    checker=checker,
                    pool=pool,
                    progress=progress,
                    window=server.settings.in_flight,
                    say=self.say,
                )
                if by == "policy":
                    self.benches.append(bench)
                hear = partial(self.listener.progressed, Table(self.asset, self.key))
                async with sampler, reported(progress, hear=hear):
                    yield bench
