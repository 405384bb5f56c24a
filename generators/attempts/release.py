"""What a release of attempts publishes: columns, right solutions for SFT, and labelled ones for unpaired preference."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema
from generators.attempts.table import ATTEMPTS
from generators.columns import PROBLEM, UNDECIDED
from generators.dataset import Claim, Config, Parameters, Picture
from generators.formats import Format
from generators.problems.chats import COMPLETION, PROMPT, answers, prompts
from generators.problems.table import PROBLEMS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OUTCOMES = {"right": "#2e7d4f", "wrong": "#b03a2e", "undecided": "#95a5a6"}
_CHAT = {"prompt": PROMPT, "completion": COMPLETION}
_ENDED = pl.col("finish_reason") != "length"

FULL = Schema(
    name="attempts/full",
    columns={**PROBLEM, **ATTEMPTS.columns},
    key=ATTEMPTS.key,
    rules=ATTEMPTS.rules,
)
DEFAULT = Schema(name="attempts/default", columns=_CHAT)
UNPAIRED = Schema(
    name="attempts/unpaired",
    columns={**_CHAT, "label": Column(pl.Boolean, "Whether the final answer is right.")},
)


def recompute(rows: pl.DataFrame, _: Parameters) -> pl.DataFrame:
    """Whether each attempt is right, by its verdict."""
    verdict = pl.col("verdict")
    is_right = pl.when(~verdict.is_in(UNDECIDED)).then(verdict == Verdict.EQUAL.value)
    return rows.select(is_right=is_right)


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """The verdict and the extracted answer of every attempt."""
    columns = ("text", "answer", "source", "verdict", "extracted")
    for number, (text, answer, source, verdict, extracted) in enumerate(rows.select(columns).iter_rows()):
        yield Claim(number, ("verdict", "extracted"), text, answer, source, verdict, extracted)


def right_ones(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The right attempts that ended by themselves, each text of a problem once."""
    wrong = {verdict.value: pl.col("verdict") != verdict.value for verdict in Verdict if not verdict.is_right}
    right = apply_rules(rows, {**wrong, "cut_off": _ENDED})
    unlike = right.then({"repeats_another": pl.struct("problem_id", "text").is_first_distinct()})
    return Filtered(_as_chats(unlike.kept), unlike.dropped)


def labelled(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The decided attempts with their labels; a right one that was cut off would teach to stop there."""
    undecided = {verdict: pl.col("verdict") != verdict for verdict in UNDECIDED}
    decided = apply_rules(rows, {**undecided, "right_but_cut_off": ~pl.col("is_right") | _ENDED})
    return Filtered(_as_chats(decided.kept), decided.dropped)


def _as_chats(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "problem_id",
        prompts(rows["prompt"]),
        answers("completion", rows["text"]),
        pl.col("is_right").alias("label"),
    )


CONFIGS: tuple[Config[Parameters], ...] = (
    Config(
        name="full",
        purpose="everything: problem, solution in text and tokens, verdict, extracted answer, provenance",
        schema=FULL,
        table=ATTEMPTS.name,
        joined=(PROBLEMS,),
        recompute=recompute,
        claims=claims,
    ),
    Config(
        name="default",
        purpose="the right solutions as chats, for SFT on the solutions alone (rejection sampling)",
        schema=DEFAULT,
        format=Format.COMPLETION,
        derive=right_ones,
    ),
    Config(
        name="unpaired",
        purpose="right and wrong solutions as chats with a label each, for KTO and offline RL",
        schema=UNPAIRED,
        format=Format.UNPAIRED,
        derive=labelled,
    ),
)


def count_outcomes(rows: pl.DataFrame) -> dict[str, int]:
    """How many attempts are right, wrong and undecided."""
    return {outcome: part.height for outcome, part in _by_outcome(rows).items()}


def draw_lengths(rows: pl.DataFrame, figure: "Figure") -> None:
    """Draw how many attempts there are by length, right, wrong and undecided ones in their colours."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    lengths = [part["token_ids"].list.len().to_list() for part in _by_outcome(rows).values()]
    axes.hist(lengths, bins=20, stacked=True, color=list(OUTCOMES.values()), label=list(OUTCOMES))
    axes.set_xlabel("tokens of the attempt")
    axes.set_ylabel("attempts")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


def _by_outcome(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    is_right = pl.col("is_right")
    return {
        "right": rows.filter(is_right),
        "wrong": rows.filter(~is_right),
        "undecided": rows.filter(is_right.is_null()),
    }


PICTURE = Picture(name="lengths.png", caption="Attempts by length and outcome", draw=draw_lengths)
