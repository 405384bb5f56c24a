"""Problems of one slice: one shard of one source, its gold answers verified before a token is spent."""

import asyncio
from collections import Counter

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.partitions import round_and_slice
from dagster_project.resources.store import Store
from dagster_project.settings import Settings
from dagster_project.sources import shard
from filters.answers import AnswerChecker
from filters.schemas import PROBLEMS
from generators.problems.loading import load_problems
from generators.problems.source import SourceError

VERSION = "1"  # bump when a change in generators.problems would change the rows


def problems(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset over the settings' sources."""
    slices = settings.slices()

    @dg.asset(
        name="problems", partitions_def=grid, group_name="problems", kinds={"polars", "parquet"}, code_version=VERSION
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        """Problems with known answers, each with a content-hash id; duplicates and unusable rows set aside."""
        round_key, slice_key = round_and_slice(context)
        source, index = slices[slice_key]
        try:
            with AnswerChecker() as checker:
                share = source.max_unverified_share
                loaded = asyncio.run(load_problems(source.problems, checker=checker, max_unverified_share=share))
        except SourceError as refused:
            raise dg.Failure(str(refused), allow_retries=False) from refused
        frame = PROBLEMS.validate(shard(loaded.kept, index=index, of=source.shards))
        store.write(store.table("problems", round_key, slice_key), frame)
        store.write(store.dropped("problems", round_key, slice_key), loaded.dropped)
        levels = Counter(str(level) for level in frame["level"].to_list())
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": frame.height,
                "dagster/uri": str(store.table("problems", round_key, slice_key)),
                "dagster/column_schema": report.table_columns(frame, PROBLEMS.meanings),
                "source": source.name,
                "rows_in_source": loaded.kept.height + loaded.dropped.height,
                "dropped": report.reasons(loaded.counts()),
                "levels": report.reasons(dict(levels)),
                "sample_rows": report.sample_rows(frame, ("prompt", "answer", "level")),
            },
            data_version=dg.DataVersion(digest(frame)),
        )

    return asset


def digest(frame: pl.DataFrame) -> str:
    """A digest of the problem ids, which are content hashes themselves."""
    return f"{frame['problem_id'].hash(seed=0).sum():x}"
