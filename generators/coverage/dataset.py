"""Coverage: what one, two, four and more attempts at a problem give, out of attempts that were drawn anyway."""

import polars as pl

from generators.card import Card
from generators.checks import Check, CheckSpec
from generators.coverage.fit import MOST_MISS, READ, CurveFit, MeanCurves, fit, mean_curves
from generators.coverage.release import CONFIGS, DRAWN, PICTURE, more_facts
from generators.coverage.settings import Settings
from generators.coverage.table import COVERAGE, DROPPED, derived, measured
from generators.coverage.table import READ as READ_OF_ATTEMPTS
from generators.dataset import Dataset, Parameters
from generators.shown import SAMPLES, Curves, Records, SampleRows, Shown
from generators.stage import Output, Slice, Stage

VERSION = "1"  # bump when a change here or in curves would change the rows
SAMPLE_COLUMNS = ("prompt", "n_right", "n_decided", "k", "pass_at_k", "majority_at_k")
EXTRAPOLATES = CheckSpec(
    "curve_extrapolates",
    f"exp(a k^b), fitted on small k, is within {MOST_MISS} of the measured coverage at the largest k.",
    blocks=False,
)


async def make(slice: Slice, settings: Settings) -> Output:
    """Measure the curves of every problem of the slice, block by block."""
    problems = slice.table("problems")
    of_problem = {row["problem_id"]: row for row in problems.iter_rows(named=True)}
    writer = slice.writer(COVERAGE)
    attempted: set[str] = set()
    for attempts in slice.stored("attempts").blocks(READ_OF_ATTEMPTS):
        attempted.update(attempts["problem_id"])
        for row in measured(attempts, draws=settings.draws, rule=slice.source.answer_rule):
            writer.add([of_problem[row["problem_id"]] | row | derived(row) | slice.origin])
    table = writer.table()
    curves = mean_curves(table.frame(READ))
    law = fit(curves.sizes, curves.means["pass_at_k"])
    without = problems.join(table.frame(["problem_id"]), on="problem_id", how="anti", maintain_order="left")
    is_attempted = pl.col("problem_id").is_in(sorted(attempted))
    reason = pl.when(is_attempted).then(pl.lit("none_decided")).otherwise(pl.lit("not_attempted"))
    return Output(
        rows=table,
        dropped=DROPPED.validate(without.select("problem_id", reason=reason)),
        checks=[extrapolates(law)],
        shown=shown(curves, table.spread(SAMPLES, SAMPLE_COLUMNS)),
        figures={name: curves.means[name][-1] for name in DRAWN} if curves.sizes else {},
    )


def extrapolates(law: CurveFit | None) -> Check:
    """Passes while the fitted law predicts the coverage at the largest k, and where there is nothing to fit."""
    why = "there are too few attempts, or too few problems that are solved sometimes, to fit a curve"
    figures = {} if law is None else {"a": law.a, "b": law.b, "predicted": law.predicted, "measured": law.measured}
    return Check(
        name=EXTRAPOLATES.name,
        passed=law is None or abs(law.miss) <= MOST_MISS,
        why=why if law is None else law.sentence,
        remedy="Read no coverage beyond the largest k off the curve; raise `n` of [attempts] to measure it.",
        blocks=False,
        figures=figures,
    )


def shown(curves: MeanCurves, sample: pl.DataFrame) -> dict[str, Shown]:
    """The mean curves as a picture and as a table, and rows to read."""
    series = {name: curves.means[name] for name in DRAWN}
    columns = {name: pl.Series(values, dtype=pl.Float64).round(3) for name, values in curves.means.items()}
    return {
        "problems": curves.n_problems,
        "coverage": Curves(series=series, title="Share right by attempts", x="k, doubling from 1", y="share right"),
        "by_k": Records(pl.DataFrame({"k": curves.sizes, **columns}, schema_overrides={"k": pl.Int64})),
        "sample_rows": SampleRows(sample, SAMPLE_COLUMNS),
    }


DATASET: Dataset[Parameters] = Dataset(
    stage=Stage(
        name="coverage",
        title="Coverage of each problem by attempts, beside majority, first finish and shortest-k majority.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts"),
        schema=COVERAGE,
        dropped=DROPPED,
        version=VERSION,
        make=make,
        checks=(EXTRAPOLATES,),
        kinds=frozenset({"polars", "parquet"}),
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    more_facts=more_facts,
    picture=PICTURE,
    lengths=("prompt", "answer_numbers"),
    sample_columns=SAMPLE_COLUMNS,
)
