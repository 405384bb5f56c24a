"""Samples, traces and pairs of long chains of thought as rows of the tables in `generators.long_cot_traces.schema`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from filters.answers.checker import Verdict
from generators.long_cot_traces.behaviours import KINDS, Kind, count_behaviours
from generators.long_cot_traces.mix import RATINGS
from generators.long_cot_traces.records import LongCotPair, LongCotSample, LongCotTrace, QueryRating
from generators.long_cot_traces.schema import LONG_COT_TRACES
from generators.records import Problem, Provenance
from generators.token_columns import rows_with_ids

OF_GENERATED = ("token_ids", "closing_token_start", "closing_token_end")  # what `generated_tokens` reads


def sample_rows(problem: Problem, samples: Iterable[LongCotSample], provenance: Provenance) -> Iterator[dict[str, Any]]:
    """The rows of the samples of a problem, before any is dropped."""
    for sample in samples:
        row = {name: getattr(sample, name) for name in LongCotSample.__slots__}
        yield {**row, "source": problem.source, **provenance}


def long_cot_samples_of(frame: pl.DataFrame) -> list[LongCotSample]:
    """The samples of a `long_cot_samples` table, or of a part of it, in its order."""
    rows = rows_with_ids(frame, LongCotSample.__slots__, ("prompt_token_ids", "token_ids"))
    return [LongCotSample(**row | {"verdict": row["verdict"] and Verdict(row["verdict"])}) for row in rows]


def generated_tokens(samples: pl.DataFrame) -> int:
    """How many tokens the policy wrote: no tags of the recipe, but the end-of-text tokens that they replaced."""
    put_in = (samples["closing_token_end"] - samples["closing_token_start"] - 1).sum()
    return int(samples["token_ids"].list.len().sum()) - int(put_in)


def trace_row(trace: LongCotTrace, provenance: Provenance) -> dict[str, Any]:
    """The row of a trace, without a judge's counts."""
    of_sample = (
        *("internal_thoughts", "external_solution", "scored_by", "score", "verdict", "extracted", "found_by"),
        *("thoughts_closed_by", "sample_index", "prompt_token_ids", "token_ids"),
        *("closing_token_start", "closing_token_end"),
    )
    return {
        **{name: getattr(trace.problem, name) for name in Problem.__slots__},
        **{name: getattr(trace.sample, name) for name in of_sample},
        "messages": trace.messages,
        "topic": trace.topic,
        "difficulty": trace.difficulty,
        **{f"n_{kind}": count for kind, count in count_behaviours(trace.behaviours).items()},
        "behaviours": [behaviour.kind for behaviour in trace.behaviours],
        "behaviour_starts": [behaviour.start for behaviour in trace.behaviours],
        "behaviour_ends": [behaviour.end for behaviour in trace.behaviours],
        **dict.fromkeys((*(f"judge_n_{kind}" for kind in KINDS), "behaviour_judge")),
        **provenance,
    }


def with_judged_behaviours(
    traces: pl.DataFrame, counts: Mapping[str, Mapping[Kind, int | None]], judge: str
) -> pl.DataFrame:
    """A `long_cot_traces` table with the counts of `judge` by problem; null if it gave none."""
    by_row = [counts.get(problem, {}) for problem in traces["problem_id"]]
    columns = [pl.Series(f"judge_n_{kind}", [row.get(kind) for row in by_row], dtype=pl.Int64) for kind in KINDS]
    return LONG_COT_TRACES.validate(traces.with_columns(*columns, behaviour_judge=pl.lit(judge)))


def pair_row(pair: LongCotPair, provenance: Provenance) -> dict[str, Any]:
    """The row of a pair."""
    return {
        "problem_id": pair.problem.problem_id,
        "source": pair.problem.source,
        "prompt": pair.messages,
        "answer": pair.problem.answer,
        "also_accepted": pair.problem.also_accepted,
        **_side("chosen", pair.chosen, pair.chosen_reward),
        **_side("rejected", pair.rejected, pair.rejected_reward),
        "reward_margin": pair.chosen_reward - pair.rejected_reward,
        "scored_by": pair.chosen.scored_by,
        **provenance,
    }


def _side(side: str, sample: LongCotSample, reward: float) -> dict[str, Any]:
    return {
        side: [{"role": "assistant", "content": sample.text}],
        f"{side}_index": sample.sample_index,
        f"{side}_reward": reward,
        f"{side}_score": sample.score,
        f"{side}_verdict": sample.verdict,
        f"{side}_malformed": sample.malformed,
        f"{side}_thoughts_closed_by": sample.thoughts_closed_by,
    }


def ratings_table(ratings: Iterable[QueryRating]) -> pl.DataFrame:
    """The ratings of a judge, as `generators.long_cot_traces.mix` reads them."""
    rows = [{name: getattr(rating, name) for name in QueryRating.__slots__} for rating in ratings]
    return pl.DataFrame(rows, schema=RATINGS)
