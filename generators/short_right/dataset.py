"""Short right attempts: the shortest of a problem's right attempts, a random one, and longer ones to reject."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from generators.card import Card
from generators.checks import Check, CheckSpec
from generators.dataset import Dataset, Parameters
from generators.records import Problem
from generators.rows import PROBLEM
from generators.short_right.choice import VERSION, Attempted, Choice, choose
from generators.short_right.length_effect import LENGTH_COLUMNS, count_attempts, length_effects, lengths_of
from generators.short_right.release import CONFIGS, PICTURE, count_pairs, more_facts
from generators.short_right.settings import Settings
from generators.short_right.table import DROPPED, KINDS, SHORT_RIGHT, row_of
from generators.shown import SAMPLES, Counts, Histogram, Records, SampleRows, Shown
from generators.stage import Output, Slice, Stage
from generators.view import Pair, Prose, Side, View

READ = (*LENGTH_COLUMNS, "attempt_index", "text")
MEASURED = (
    *("n_tokens", "median_right_tokens", "n_drawn", "n_right", "n_wrong", "n_truncated"),
    *(f"{kind}_ratio" for kind in KINDS),
)
SAMPLE_COLUMNS = ("prompt", "response", "n_tokens", "median_right_tokens", "longer_wrong")
APART = CheckSpec(
    "right_ones_apart", "A right attempt is rejected only if it is `least_ratio` times as long as the chosen one."
)


async def make(slice: Slice, settings: Settings) -> Output:
    """Choose among the attempts at each problem of the slice."""
    near_equal = slice.quality.near_duplicates
    problems = {problem.problem_id: problem for problem in slice.problems()}
    lengths: list[pl.DataFrame] = []
    writer = slice.writer(SHORT_RIGHT)
    dropped: dict[str, str] = dict.fromkeys(problems, "no_attempt")
    for block in slice.stored("attempts").blocks(READ):
        lengths.append(lengths_of([block]))
        for attempted in attempted_of(block, problems):
            choice = choose(attempted, settings=settings, near_equal=near_equal)
            if isinstance(choice, Choice):
                del dropped[attempted.problem_id]
                writer.add([row_of(problems[attempted.problem_id], choice, slice.origin)])
            else:
                dropped[attempted.problem_id] = choice
    table = writer.table()
    rows = table.frame(MEASURED)
    return Output(
        rows=table,
        dropped=DROPPED.frame([{"problem_id": name, "reason": reason} for name, reason in dropped.items()]),
        config={"near_equal": near_equal},
        checks=[right_ones_apart(rows, settings.least_ratio)],
        shown=shown(rows, pl.concat(lengths), table.spread(SAMPLES, SAMPLE_COLUMNS)),
    )


def attempted_of(block: pl.DataFrame, problems: Mapping[str, Problem]) -> Iterator[Attempted]:
    """The attempts at each problem, from a block that holds whole problems."""
    rows = block.with_columns(n_tokens=pl.col("token_ids").list.len().cast(pl.Int64)).drop("token_ids")
    for of_problem in rows.partition_by(PROBLEM, maintain_order=True):
        problem_id = of_problem[PROBLEM][0]
        yield Attempted.of(problem_id, problems[problem_id].prompt, of_problem.iter_rows(named=True))


def shown(rows: pl.DataFrame, lengths: pl.DataFrame, sample: pl.DataFrame) -> dict[str, Shown]:
    """How short the shortest are, whether right attempts are shorter, what is on no side, and rows to read."""
    effects = length_effects(lengths)
    return {
        "share_of_median": Histogram(
            values=(rows["n_tokens"] / rows["median_right_tokens"]).to_list(),
            title="Tokens of the shortest right attempt over those of the median one",
            x="share of the median",
            y="problems",
        ),
        "right_is_shorter": Records(pl.DataFrame([{"pairs_of": name, **one.figures} for name, one in effects.items()])),
        "attempts": Counts(count_attempts(lengths)),
        "pairs": Counts({kind: int(rows[f"{kind}_ratio"].count()) for kind in KINDS}),
        "sample_rows": SampleRows(sample, SAMPLE_COLUMNS),
    }


def right_ones_apart(rows: pl.DataFrame, least_ratio: float) -> Check:
    """Passes while every rejected right attempt is at least `least_ratio` times as long as the chosen one."""
    ratios: Sequence[float] = rows["longer_right_ratio"].drop_nulls().to_list()
    close = sum(ratio < least_ratio for ratio in ratios)
    return Check(
        name=APART.name,
        passed=not close,
        why=f"{close} of {len(ratios)} rejected right attempts are less than {least_ratio:g} times as long",
        remedy="Materialise short_right again: its table was made with another `least_ratio` of [short_right].",
        figures={"close": close, "pairs": len(ratios)},
    )


DATASET: Dataset[Parameters] = Dataset(
    stage=Stage(
        name="short_right",
        title="The shortest right attempt at each problem, a random right one, and longer ones to reject.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts"),
        schema=SHORT_RIGHT,
        dropped=DROPPED,
        version=VERSION,
        make=make,
        checks=(APART,),
        kinds=frozenset({"polars", "parquet"}),
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    label_counts=count_pairs,
    more_facts=more_facts,
    picture=PICTURE,
    lengths=("response", "control_response"),
    sample_columns=SAMPLE_COLUMNS,
    view=View(
        panels=(
            *(
                Pair(
                    chosen=Side(text="response", notes=("n_tokens",)),
                    rejected=Side(text=kind, notes=(f"{kind}_tokens",)),
                )
                for kind in KINDS
            ),
            Prose(text="control_response"),
        ),
        facts=("rank", "n_right", "n_wrong", "n_truncated", "n_drawn", "median_right_tokens", "median_wrong_tokens"),
    ),
)
