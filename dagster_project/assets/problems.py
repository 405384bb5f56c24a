"""Problems of one slice: one shard of one source, gold answers verified before a token is spent, where it has any."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.checks import share_in_bounds, specs
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.partitions import Cell, cell_of
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.unanswered import excused
from filters.answers.checker import AnswerChecker
from filters.rules import Filtered
from filters.texts.duplicates import DuplicateSettings, drop_near_duplicates
from generators.problems.evaluation import screen
from generators.problems.fit import fit_to_ask
from generators.problems.loading import load_problems
from generators.problems.shards import shard
from generators.problems.table import PROBLEMS

VERSION = "3"  # bump when a change in generators.problems would change the rows


def problems(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset over the settings' sources."""
    slices = settings.slices()

    @dg.asset(
        name="problems",
        partitions_def=grid,
        group_name="problems",
        kinds={"polars", "parquet"},
        code_version=VERSION,
        check_specs=specs("problems", blocking=["gold_answers"]),
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        """Problems with content-hash ids, answers verified; unfit prompts, repeats and evaluation items set aside."""
        cell = cell_of(context)
        source, index = slices[cell.slice]
        with explained(), AnswerChecker() as checker:
            share = source.max_unverified_share
            loaded = asyncio.run(load_problems(source.problems, checker=checker, max_unverified_share=share))
            fit = fit_to_ask(loaded.kept, settings.prompt_bounds(source))
            unlike = distinct(fit.kept, source.duplicates)
            screened = screen(unlike.kept, [evaluation.set for evaluation in settings.evaluation_sets])
            frame = PROBLEMS.validate(shard(screened.filtered.kept, index=index, of=source.shards))
            dropped = pl.concat(
                [loaded.dropped, fit.dropped, unlike.dropped, screened.filtered.dropped], how="diagonal_relaxed"
            )
            evaluation_sets = [evaluation.model_dump(mode="json") for evaluation in settings.evaluation_sets]
            recipe = source.model_dump(mode="json") | {
                "evaluation_sets": evaluation_sets,
                "longest_prompt": settings.quality.longest_prompt,
            }
            store.write_recipe("problems", cell, recipe)
            store.write(store.table("problems", cell), frame)
            passed_over = shard(dropped, index=index, of=source.shards)
            store.write(store.dropped("problems", cell), passed_over)
            matches = screened.matches.rename({"key": "problem_id"})
            store.write(store.contamination(cell), shard(matches, index=index, of=source.shards))
            reasons = report.reason_counts(passed_over)
            contaminated = reasons.get("in_evaluation_set", 0)
            return finished(
                Table(asset="problems", frame=frame, schema=PROBLEMS, of=frame.height + passed_over.height),
                store,
                cell,
                settings.checks,
                checks=[
                    gold_answers(frame, reasons, share) if source.has_answers else excused("gold_answers", blocks=True),
                    share_in_bounds(
                        "contamination",
                        contaminated,
                        frame.height + contaminated,
                        most=settings.checks.most_contaminated,
                        what="problems that repeat an evaluation item",
                    ),
                ],
                metadata=metadata(store, cell, frame) | {"source": source.name},
                data_version=digest(frame),
            )

    return asset


def distinct(frame: pl.DataFrame, settings: DuplicateSettings | None) -> Filtered:
    """The problems without near repeats of each other, where the source asks for that."""
    if settings is None:
        return Filtered(frame, frame.clear())
    return drop_near_duplicates(frame, column="prompt", settings=settings)


def metadata(store: Store, cell: Cell, frame: pl.DataFrame) -> dict[str, Any]:
    """What the UI shows of the problems."""
    repeats = store.read(store.contamination(cell))
    levels = Counter(str(level) for level in frame["level"].to_list())
    lengths = frame["prompt"].str.len_chars().to_list()
    return {
        "repeats_of_evaluation_items": report.counts(Counter(repeats["evaluation_set"].to_list())),
        "contamination": report.sample_rows(repeats, ("evaluation_set", "path", "share", "text", "item_text")),
        "levels": report.counts(levels),
        "prompt_lengths": report.histogram(
            lengths, title="Prompt length", x="characters", y="problems", bounds=(0, max(1, *lengths, 0))
        ),
        "sample_rows": report.sample_rows(frame, ("prompt", "answer", "level")),
    }


def gold_answers(frame: pl.DataFrame, reasons: Mapping[str, int], most: float) -> dg.AssetCheckResult:
    """Whether few enough of the slice's gold answers did not verify; those are dropped."""
    unverified = sum(count for reason, count in reasons.items() if reason.startswith("gold_"))
    total = frame.height + unverified
    return share_in_bounds("gold_answers", unverified, total, most=most, what="gold answers that do not verify")


def digest(frame: pl.DataFrame) -> str:
    """A digest of the problem ids, which are content hashes themselves."""
    return hashlib.blake2b("".join(sorted(frame["problem_id"])).encode(), digest_size=8).hexdigest()
