"""Contrast pairs (OREAL): a right and a wrong whole solution of one problem, out of attempts that were drawn anyway."""

import polars as pl

from generators.card import Card
from generators.contrast_pairs.pairs import READ, VERSION, pairs_of
from generators.contrast_pairs.release import CONFIGS, PICTURE, lengths_of, more_facts
from generators.contrast_pairs.settings import Settings
from generators.contrast_pairs.table import CONTRAST_PAIRS, DROPPED
from generators.dataset import Dataset, Parameters
from generators.shown import SAMPLES, Facts, Histogram, SampleRows, Shown
from generators.stage import Output, Slice, Stage
from generators.view import Pair, Side, View

SHOWN = ("problem_id", "pass_rate", "chosen_n_tokens", "rejected_n_tokens")
SAMPLE_COLUMNS = ("prompt", "chosen", "rejected", "chosen_advantage", "rejected_advantage")


async def make(slice: Slice, settings: Settings) -> Output:
    """Pair the right and the wrong attempts of the slice, block by block."""
    problems = slice.table("problems")
    writer = slice.writer(CONTRAST_PAIRS)
    dropped = [DROPPED.empty()]
    for attempts in slice.stored("attempts").blocks(READ):
        pairs = pairs_of(
            attempts,
            problems,
            slice.origin,
            settings=settings,
            near_duplicates=slice.quality.near_duplicates,
            seed=slice.seed,
        )
        writer.add_block(pairs.kept)
        dropped.append(pairs.dropped)
    table = writer.table()
    return Output(
        rows=table,
        dropped=DROPPED.validate(pl.concat(dropped)),
        shown=shown(table.frame(SHOWN), table.spread(SAMPLES, SAMPLE_COLUMNS)),
        of=problems.height * settings.pairs_per_problem,
    )


def shown(rows: pl.DataFrame, sample: pl.DataFrame) -> dict[str, Shown]:
    """Pass rates of the problems with pairs, lengths of both sides, and rows to read."""
    rates = rows.unique("problem_id", maintain_order=True)["pass_rate"].to_list()
    return {
        "problems": len(rates),
        "pass_rates": Histogram(values=rates, title="Pass rate per problem", x="share right", y="problems"),
        **{f"length_of_{side}": Facts(figures) for side, figures in lengths_of(rows).items()},
        "sample_rows": SampleRows(sample, SAMPLE_COLUMNS),
    }


DATASET: Dataset[Parameters] = Dataset(
    stage=Stage(
        name="contrast_pairs",
        title="A right and a wrong whole solution of a problem, each with its advantage over the other attempts.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts"),
        schema=CONTRAST_PAIRS,
        dropped=DROPPED,
        version=VERSION,
        make=make,
        kinds=frozenset({"polars", "parquet"}),
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    more_facts=more_facts,
    picture=PICTURE,
    lengths=("chosen", "rejected"),
    sample_columns=SAMPLE_COLUMNS,
    view=View(
        panels=(Pair(chosen=Side(text="chosen"), rejected=Side(text="rejected")),),
        facts=("pass_rate", "chosen_advantage", "rejected_advantage", "chosen_n_tokens", "rejected_n_tokens"),
    ),
)
