"""Which samples become long chains of thought to train on, in BOLT's order: format, score, best of each problem.

Samples that a verifier scored must be right. The scores of a reward model have no scale of their own, so a sample must
reach a percentile of that model's scores in the whole slice. The best of each problem are chosen after that. But for
these percentiles, what becomes of a sample follows from its problem's samples alone, so a slice is filtered block by
block.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from filters.answers.verdicts import VERIFIER, Verdict
from filters.equations.rules import states_nothing_false
from filters.rules import REASON, Filtered, apply_rules
from filters.texts.contamination import ContaminationSettings
from filters.texts.loops import no_loops
from filters.texts.passages import without_passages

STAGE = "stage"
FILTERS = ("format", "examples", "score", "equations", "best")
_ROW = ("problem_id", "sample_index")
_PARTS = ("internal_thoughts", "external_solution")
REWARDED_BY = (*_ROW, "malformed", *_PARTS, "scored_by", "score")  # the columns of samples that `rewarded` reads
_BEST = "is_the_best"
_SPACE_AROUND_LINES = r"\s*\n\s*"


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen samples, the others with `stage` and `reason`, and how many samples each stage got and kept."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    stages: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Yields:
    """How many samples came to each filter and stayed, and how many it dropped for each reason."""

    came: Counter[str] = field(default_factory=Counter)
    stayed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, selection: Selection) -> None:
        """Add what became of the samples of a block."""
        for stage, came, stayed in selection.stages:
            self.came[stage] += came
            self.stayed[stage] += stayed
        self.dropped.update(selection.dropped.select(STAGE, REASON).iter_rows())

    def table(self) -> pl.DataFrame:
        """A row for each filter: samples in, samples kept, and counts by drop reason, the most frequent first."""
        by_count = sorted(self.dropped.items(), key=lambda item: (-item[1], item[0]))
        reasons = {
            stage: ", ".join(f"{reason}: {n}" for (of_stage, reason), n in by_count if of_stage == stage)
            for stage in FILTERS
        }
        rows = [(stage, self.came[stage], self.stayed[stage], reasons[stage]) for stage in FILTERS]
        schema = {STAGE: pl.String, "came": pl.Int64, "stayed": pl.Int64, "reasons": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


def rewarded(samples: pl.DataFrame, *, passages: pl.DataFrame, near: ContaminationSettings) -> pl.DataFrame:
    """The scores by a reward model that count for its percentiles: those of the samples that reach that filter."""
    by_models = samples.filter(pl.col("scored_by") != VERIFIER)
    if by_models.is_empty():
        return by_models.select("scored_by", "score")
    whole = well_formed(by_models).kept
    new = without_passages(whole, passages, row=_ROW, columns=_PARTS, settings=near).filtered.kept
    return new.select("scored_by", "score")


def least_scores(rewarded: pl.DataFrame, percentile: float) -> dict[str, float]:
    """The score of each reward model at a percentile of its scores in a slice."""
    by_model = rewarded.group_by("scored_by").agg("score")
    return {name: percentile_of(scores, percentile) for name, scores in by_model.iter_rows()}


def select_long_cot(
    samples: pl.DataFrame, *, passages: pl.DataFrame, near: ContaminationSettings, least: Mapping[str, float]
) -> Selection:
    """At most one sample of each problem.

    No sample may repeat one of the `passages` of worked examples, as `near` recognises copies. `least` has the least
    score of each reward model.
    """
    filters: tuple[Callable[[pl.DataFrame], Filtered], ...] = (
        well_formed,
        lambda rows: without_passages(rows, passages, row=_ROW, columns=_PARTS, settings=near).filtered,
        lambda rows: well_scored(rows, least=least),
        nothing_false,
        lambda rows: best_of_each(rows, within="problem_id", score="score", index="sample_index"),
    )
    kept, dropped, passed = samples.drop(STAGE, REASON, strict=False), [], []
    for stage, keep in zip(FILTERS, filters, strict=True):
        filtered = keep(kept)
        passed.append((stage, kept.height, filtered.kept.height))
        dropped.append(filtered.dropped.with_columns(pl.lit(stage).alias(STAGE)))
        kept = filtered.kept
    return Selection(kept, pl.concat(dropped, how="diagonal_relaxed"), tuple(passed))


def with_drop_reasons(samples: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    """The samples, each with the stage and the reason that dropped it; null if it was chosen."""
    drops = selection.dropped.select(*_ROW, STAGE, REASON)
    bare = samples.drop(STAGE, REASON, strict=False)
    return bare.join(drops, on=_ROW, how="left", maintain_order="left").select(samples.columns)


def well_formed(samples: pl.DataFrame) -> Filtered:
    """Keep the samples with thoughts and a solution whose thoughts say more than that and do not run in circles."""
    named = samples["malformed"].unique().drop_nulls().sort().to_list()
    whole = apply_rules(samples, {reason: pl.col("malformed").ne_missing(reason) for reason in named})
    thoughts, solution = (pl.col(part).str.replace_all(_SPACE_AROUND_LINES, "\n").str.split("\n") for part in _PARTS)
    return whole.then({"thoughts_in_solution": thoughts.list.set_difference(solution).list.len() > 0}).then(
        no_loops("internal_thoughts")
    )


def well_scored(samples: pl.DataFrame, *, least: Mapping[str, float]) -> Filtered:
    """Keep the samples with the right answer, or a score that reaches the `least` one of its reward model."""
    verified = pl.col("scored_by") == VERIFIER
    decided = {
        f"verdict_{verdict}": pl.col("verdict").ne_missing(verdict.value) for verdict in Verdict if verdict.is_undecided
    }
    right = {
        "no_answer": pl.col("verdict").ne_missing(Verdict.NO_ANSWER.value),
        "wrong_answer": ~verified | (pl.col("score") == 1),
    }
    reached = pl.col("score") >= pl.col("scored_by").replace_strict(least, default=None, return_dtype=pl.Float64)
    return apply_rules(samples, {**decided, **right, "below_percentile": verified | reached})


def nothing_false(samples: pl.DataFrame) -> Filtered:
    """Keep the samples whose thoughts and solution state no false equation, unless they take it back."""
    filtered = apply_rules(samples, {})
    for part in _PARTS:
        filtered = filtered.then(states_nothing_false(part))
    return filtered


def percentile_of(scores: Sequence[float], percentile: float) -> float:
    """The score below which at most `percentile` in a hundred of the scores lie, the highest there is."""
    return sorted(scores)[int(percentile * len(scores) / 100)]


def best_of_each(rows: pl.DataFrame, *, within: str, score: str, index: str) -> Filtered:
    """Keep the row of the highest score in every group; among equals the one with the lowest index."""
    ranked = rows.select(within, index, pl.col(score)).sort(score, index, descending=[True, False], nulls_last=True)
    best = ranked.unique(within, keep="first", maintain_order=True).select(within, index, pl.lit(True).alias(_BEST))
    judged = apply_rules(
        rows.join(best, on=[within, index], how="left", maintain_order="left"), {"not_the_best": pl.col(_BEST)}
    )
    return Filtered(judged.kept.drop(_BEST), judged.dropped.drop(_BEST))
