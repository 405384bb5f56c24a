"""What a release of contrast pairs publishes: columns, both solutions as chats, and what follows from the counts."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from filters.answers.verdicts import Verdict
from generators.columns import GOLDS
from generators.contrast_pairs.pairs import rates
from generators.contrast_pairs.table import CONTRAST_PAIRS
from generators.dataset import Claim, Config, MoreFacts, Parameters, Picture, Round
from generators.problems.chats import preferences
from generators.rows import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = {"chosen": "#2e7d4f", "rejected": "#b03a2e"}
LENGTHS = "Length of both sides: tokens on average, and how often a side is the shorter one"


def recompute(rows: pl.DataFrame, _: Parameters) -> pl.DataFrame:
    """Pass rate and advantages of every row from its counts."""
    return rows.select(**rates())


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """Two a row: the chosen solution is right, and the verdict on the rejected one is `rejected_verdict`."""
    columns = rows.select(GOLDS, "source", "chosen", "rejected", "rejected_verdict")
    for number, (golds, source, right, wrong, verdict) in enumerate(columns.iter_rows()):
        yield Claim(number, ("chosen", None, None), right, tuple(golds), source, Verdict.EQUAL.value)
        yield Claim(number, ("rejected_verdict", None, None), wrong, tuple(golds), source, verdict)


CONFIGS: tuple[Config[Parameters], ...] = (
    Config(
        name="full",
        purpose="everything: problem, both solutions, their advantages, counts and provenance",
        schema=CONTRAST_PAIRS.published("contrast_pairs/full"),
        table=CONTRAST_PAIRS.name,
        recompute=recompute,
        claims=claims,
    ),
    preferences(
        "contrast_pairs",
        purpose="both whole solutions as chats, for DPO and, with an SFT term on the chosen one, for RPO",
        chosen=pl.col("chosen"),
        rejected=pl.col("rejected"),
    ),
)


def lengths_of(rows: pl.DataFrame) -> dict[str, dict[str, float | None]]:
    """For each side the mean number of tokens, and the share of pairs in which it is the shorter one."""
    return {
        side: rows.select(
            mean_tokens=pl.mean(f"{side}_n_tokens"),
            share_shorter=(pl.col(f"{side}_n_tokens") < pl.col(f"{other}_n_tokens")).mean(),
        ).row(0, named=True)
        for side, other in (tuple(SIDES), tuple(SIDES)[::-1])
    }


def more_facts(_: Round, rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """The lengths of both sides: where they differ, a trainer learns length as well."""
    return MoreFacts(figures={LENGTHS: lengths_of(rows.only(*(f"{side}_n_tokens" for side in SIDES)))})


def draw_lengths(rows: Rows, figure: "Figure") -> None:
    """Draw how many solutions of either side there are by tokens."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    tokens = rows.only(*(f"{side}_n_tokens" for side in SIDES))
    values = [tokens[f"{side}_n_tokens"].to_list() for side in SIDES]
    axes.hist(values, bins=20, histtype="step", linewidth=2, color=list(SIDES.values()), label=list(SIDES))
    axes.set_xlabel("tokens of the solution")
    axes.set_ylabel("pairs")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


PICTURE = Picture(name="lengths.png", caption="Pairs by the length of either side", draw=draw_lengths)
