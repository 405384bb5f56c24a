"""The stage `problems`: one shard of a source, with gold answers verified before any token is spent."""

import hashlib
from collections import Counter
from collections.abc import Mapping

import polars as pl

from filters.rules import reason_counts
from filters.schema import Column, Schema
from filters.texts.duplicates import NEAR_DUPLICATE
from filters.texts.embeddings import REPHRASED
from generators.checks import Check, CheckSpec, share_in_bounds
from generators.problems.screening import Screening
from generators.problems.shared import screened_shard
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
    """One shard of the source, without wrong gold answers, unfit prompts, repeats and evaluation items."""
    source, quality = slice.source, slice.quality
    screening = Screening(source=source, quality=quality, evaluation_sets=slice.evaluation_sets, version=VERSION)
    own = await screened_shard(screening, slice.shard, folder=slice.screened_sources, say=slice.say)
    rows, own_dropped = PROBLEMS.validate(own.kept), own.dropped
    share = source.max_unverified_share
    alike = own_dropped.filter(pl.col("reason").is_in([NEAR_DUPLICATE, REPHRASED]))
    reasons = reason_counts(own_dropped)
    contaminated = reasons.get("in_evaluation_set", 0)
    return Output(
        rows=rows,
        dropped=own_dropped,
        beside={EVALUATION_REPEATS.name: EVALUATION_REPEATS.validate(own.repeats)},
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
        shown=shown(rows, own.repeats)
        | {
            "source": source.name,
            "rephrased_copies": f"searched by {quality.embedding_model}" if quality.embedding_model else NOT_SEARCHED,
        }
        | ({} if alike.is_empty() else {"repeats": SampleRows(alike, _REPEAT)}),
        of=rows.height + own_dropped.height,
        data_version=digest(rows),
    )


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
