"""The stage `problems`: one shard of a source, with gold answers verified before any token is spent."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from filters.answers.checker import AnswerChecker
from filters.rules import Filtered, reason_counts
from filters.schema import Column, Schema
from filters.texts.common import DEFAULT_SETTINGS as DEFAULT_COMMON
from filters.texts.common import CommonSettings
from filters.texts.duplicates import REPEATS, DuplicateSettings, drop_near_duplicates
from filters.texts.embeddings import Embeddings, drop_rephrased
from generators.checks import Check, CheckSpec, share_in_bounds
from generators.problems.evaluation import screen
from generators.problems.fit import fit_to_ask
from generators.problems.loading import load_problems
from generators.problems.shards import shard
from generators.problems.table import EVALUATION_REPEATS, PROBLEMS
from generators.section import NoSettings
from generators.shown import Counts, SampleRows, Shown, lengths
from generators.stage import Output, Slice, Stage

REMEDY = "Mend the column or the `answer_format` of the source's answers, or raise its `max_unverified_share`."
_REPEAT = ("reason", "similarity", "prompt", "repeated_prompt")
NOT_SEARCHED = "not searched: no `embedding_model` of [quality] is set"
VERSION = "4"  # bump when a change in this package would change the rows

# A row that was dropped while reading also has the source's own columns.
DROPPED = Schema(name="problems_dropped", columns={"reason": Column(pl.String, "Why the problem was dropped.")})


async def make(slice: Slice, _: NoSettings) -> Output:
    """Load and verify a shard; drop unfit prompts, repeats and evaluation items."""
    source = slice.source
    with AnswerChecker() as checker:
        share = source.max_unverified_share
        loaded = await load_problems(
            source.problems, checker=checker, max_unverified_share=share, rule=source.answer_rule
        )
    fit = fit_to_ask(loaded.kept, slice.quality.prompt_bounds(source))
    quality = slice.quality
    embeddings = quality.embeddings()
    unlike = distinct(fit.kept, source.duplicates, common=quality.common, embeddings=embeddings)
    sets = [evaluation.set for evaluation in slice.evaluation_sets]
    screened = screen(unlike.kept, sets, common=quality.common, embeddings=embeddings)
    rows = PROBLEMS.validate(shard(screened.filtered.kept, index=slice.shard, of=source.shards))
    dropped = pl.concat(
        [loaded.dropped, fit.dropped, unlike.dropped, screened.filtered.dropped], how="diagonal_relaxed"
    )
    own_dropped = shard(dropped, index=slice.shard, of=source.shards)
    repeats = shard(screened.matches.rename({"key": "problem_id"}), index=slice.shard, of=source.shards)
    reasons = reason_counts(own_dropped)
    contaminated = reasons.get("in_evaluation_set", 0)
    return Output(
        rows=rows,
        dropped=own_dropped,
        beside={EVALUATION_REPEATS.name: EVALUATION_REPEATS.validate(repeats)},
        config=source.model_dump(mode="json")
        | {
            "evaluation_sets": [evaluation.model_dump(mode="json") for evaluation in slice.evaluation_sets],
            "longest_prompt": quality.longest_prompt,
            "common_share": quality.common_share,
            "common_rows": quality.common_rows,
            "embedding_model": quality.embedding_model,
            "embedding_similarity": quality.embedding_similarity,
        },
        checks=[
            gold_answers(rows, reasons, share, has_answers=source.has_answers),
            share_in_bounds(
                "contamination",
                contaminated,
                rows.height + contaminated,
                most=slice.bounds.most_contaminated,
                what="problems that repeat an evaluation item",
                remedy="Take other problems, or raise `most_contaminated` of [checks].",
            ),
        ],
        shown=shown(rows, repeats)
        | {
            "source": source.name,
            "rephrased_copies": f"searched by {quality.embedding_model}" if embeddings else NOT_SEARCHED,
        }
        | ({} if unlike.dropped.is_empty() else {"repeats": SampleRows(unlike.dropped, _REPEAT)}),
        of=rows.height + own_dropped.height,
        data_version=digest(rows),
    )


def distinct(
    rows: pl.DataFrame,
    settings: DuplicateSettings | None,
    *,
    common: CommonSettings = DEFAULT_COMMON,
    embeddings: Embeddings | None = None,
) -> Filtered:
    """Drop near repeats among the problems, with `embeddings` rephrased ones too; without settings, keep them all.

    A dropped row has the prompt that it repeats (`repeated_prompt`) and the similarity.
    """
    if settings is None:
        return Filtered(rows, rows.clear())
    kept, dropped = _with_repeated(
        rows, drop_near_duplicates(rows, column="prompt", settings=replace(settings, common=common))
    )
    if embeddings is None:
        return Filtered(kept, dropped)
    left, rephrased = _with_repeated(kept, drop_rephrased(kept, column="prompt", embeddings=embeddings))
    return Filtered(left, pl.concat([dropped, rephrased]))


def _with_repeated(rows: pl.DataFrame, filtered: Filtered) -> Filtered:
    repeated = rows["prompt"].gather(filtered.dropped[REPEATS]).alias("repeated_prompt")
    return Filtered(filtered.kept, filtered.dropped.with_columns(repeated).drop(REPEATS))


def shown(rows: pl.DataFrame, repeats: pl.DataFrame) -> dict[str, Shown]:
    """What the UI shows: levels, lengths, repeats of evaluation items, and sample rows."""
    return {
        "repeats_of_evaluation_items": Counts(Counter(repeats["evaluation_set"].to_list())),
        "contamination": SampleRows(repeats, ("evaluation_set", "path", "share", "text", "item_text")),
        "levels": Counts(Counter(str(level) for level in rows["level"].to_list())),
        "prompt_lengths": lengths(
            rows["prompt"].str.len_chars().to_list(), title="Prompt length", x="characters", y="problems"
        ),
        "sample_rows": SampleRows(rows, ("prompt", "answer", "level")),
    }


def gold_answers(rows: pl.DataFrame, reasons: Mapping[str, int], most: float, *, has_answers: bool) -> Check:
    """Passes while at most `most` of the slice's gold answers fail to verify; those problems are dropped."""
    if not has_answers:
        why = "the source has no answers: there is nothing to verify"
        return Check(name="gold_answers", passed=True, why=why, remedy=REMEDY)
    unverified = sum(count for reason, count in reasons.items() if reason.startswith("gold_"))
    total = rows.height + unverified
    return share_in_bounds(
        "gold_answers", unverified, total, most=most, what="gold answers that do not verify", remedy=REMEDY
    )


def digest(rows: pl.DataFrame) -> str:
    """A digest of the problem ids, which are content hashes themselves."""
    return hashlib.blake2b("".join(sorted(rows["problem_id"])).encode(), digest_size=8).hexdigest()


STAGE = Stage(
    name="problems",
    title="Problems with content-hash ids, answers verified; unfit prompts, repeats and evaluation items are dropped.",
    group="samples",
    settings=NoSettings,
    needs=(),
    schema=PROBLEMS,
    dropped=DROPPED,
    beside=(EVALUATION_REPEATS,),
    version=VERSION,
    make=make,
    checks=(
        CheckSpec("gold_answers", "Few enough gold answers of the source fail to verify (`max_unverified_share`)."),
        CheckSpec("contamination", "Few enough problems of the source repeat an item of an evaluation set."),
    ),
    must_yield=True,
    least_yield=0.2,
    kinds=frozenset({"polars", "parquet"}),
    needs_answers=False,
)
