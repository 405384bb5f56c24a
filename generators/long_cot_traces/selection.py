"""Which samples become long chains of thought to train on, in BOLT's order: format, score, best of each problem.

Samples that a verifier scored must be right. The scores of a reward model have no scale of their own, so a sample must
reach a percentile of that model's scores in the whole slice. The best of each problem are chosen after that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
_BEST = "is_the_best"
_SPACE_AROUND_LINES = r"\s*\n\s*"


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen samples, the others with `stage` and `reason`, and how many samples each stage got and kept."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    stages: tuple[tuple[str, int, int], ...]

    def yields(self) -> pl.DataFrame:
        """A row for each stage: samples in, samples kept, and counts by drop reason."""
        counted = self.dropped.group_by(STAGE, REASON).len().sort("len", REASON, descending=[True, False])
        reasons: dict[str, list[str]] = {}
        for stage, reason, count in counted.iter_rows():
            reasons.setdefault(stage, []).append(f"{reason}: {count}")
        rows = [(stage, came, stayed, ", ".join(reasons.get(stage, []))) for stage, came, stayed in self.stages]
        schema = {STAGE: pl.String, "came": pl.Int64, "stayed": pl.Int64, "reasons": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


def select_long_cot(
    samples: pl.DataFrame, *, passages: pl.DataFrame, near: ContaminationSettings, percentile: float
) -> Selection:
    """At most one sample of each problem.

    No sample may repeat one of the `passages` of worked examples, as `near` recognises copies. `percentile` is the
    least percentile of a reward model's scores.
    """
    filters: tuple[Callable[[pl.DataFrame], Filtered], ...] = (
        well_formed,
        lambda rows: without_passages(rows, passages, row=_ROW, columns=_PARTS, settings=near).filtered,
        lambda rows: well_scored(rows, percentile=percentile),
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


def well_scored(samples: pl.DataFrame, *, percentile: float) -> Filtered:
    """Keep the samples with the right answer, or a score that reaches the percentile of its reward model's scores."""
    verified = pl.col("scored_by") == VERIFIER
    decided = {
        f"verdict_{verdict}": pl.col("verdict").ne_missing(verdict.value) for verdict in Verdict if verdict.is_undecided
    }
    right = {
        "no_answer": pl.col("verdict").ne_missing(Verdict.NO_ANSWER.value),
        "wrong_answer": ~verified | (pl.col("score") == 1),
    }
    models = samples.filter(~verified).group_by("scored_by").agg("score")
    least = {name: percentile_of(scores, percentile) for name, scores in models.iter_rows()}
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
