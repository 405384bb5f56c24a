"""What a release of attempts publishes: columns, right solutions for SFT, and labelled ones for unpaired preference."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from filters.answers.verdicts import AnswerRule, NoAnswer, Verdict
from filters.equations.rules import FALSE_EQUATION, states_nothing_false
from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema
from generators.attempts.table import ATTEMPTS, NO_ANSWER
from generators.attempts.unanswered import found_by
from generators.columns import PROBLEM, UNDECIDED
from generators.dataset import Claim, Config, MoreFacts, Parameters, Picture, Round, claims_of_texts
from generators.formats import Format
from generators.problems.chats import COMPLETION, PROMPT, answers, prompts
from generators.problems.table import PROBLEMS
from generators.rows import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OUTCOMES = {"right": "#2e7d4f", "wrong": "#b03a2e", "undecided": "#95a5a6"}
UNANSWERED_COLOUR = "#c9a227"
FOUND_BY = "What found the final answers (rows), and the verdicts on them (columns)"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptParameters(Parameters):
    """How an attempt without a recognised answer counts, by slice; as wrong in slices that are not named."""

    no_answer: Mapping[str, NoAnswer] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The parameters as JSON data."""
        return {"no_answer": dict(sorted(self.no_answer.items()))}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; an older stepmill counted every such attempt as wrong."""
        rules = {key: AnswerRule(no_answer=value) for key, value in data.get("no_answer", {}).items()}
        return cls(no_answer={key: rule.no_answer for key, rule in rules.items()})


def parameters_of(round: Round) -> AttemptParameters:
    """The parameters from the recipes of the slices."""
    return AttemptParameters.of(
        {
            "no_answer": {
                key: recipe["config"].get(NO_ANSWER, "wrong") for key, recipe in round.recipes(ATTEMPTS.name).items()
            }
        }
    )


def recompute(rows: pl.DataFrame, parameters: AttemptParameters) -> pl.DataFrame:
    """Whether each attempt is right, by its verdict and by how one without an answer counts in its slice."""
    verdict = pl.col("verdict")
    open_slices = [key for key, value in parameters.no_answer.items() if value == "undecided"]
    is_open = (verdict == Verdict.NO_ANSWER.value) & pl.col("slice").is_in(open_slices)
    is_right = pl.when(~(verdict.is_in(UNDECIDED) | is_open)).then(verdict == Verdict.EQUAL.value)
    return rows.select(is_right=is_right)


def claims(rows: pl.DataFrame, _: AttemptParameters) -> Iterator[Claim]:
    """The verdict and the extracted answer of every attempt."""
    return claims_of_texts(rows, text=pl.col("text"))


def right_ones(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The right attempts that ended by themselves and state nothing false, each text of a problem once."""
    wrong = {verdict.value: pl.col("verdict") != verdict.value for verdict in Verdict if not verdict.is_right}
    right = apply_rules(rows, {**wrong, "cut_off": _ENDED}).then(states_nothing_false("text", given="prompt"))
    unlike = right.then({"repeats_another": pl.struct("problem_id", "text").is_first_distinct()})
    return Filtered(_as_chats(unlike.kept), unlike.dropped)


def labelled(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The decided attempts with their labels; a right one must not teach to stop early or to state something false."""
    undecided = {verdict: pl.col("verdict") != verdict for verdict in UNDECIDED}
    undecided[Verdict.NO_ANSWER.value] = pl.col("is_right").is_not_null()  # where it counts as undecided
    true = states_nothing_false("text", given="prompt")[FALSE_EQUATION]
    decided = apply_rules(rows, {**undecided, "right_but_cut_off": ~pl.col("is_right") | _ENDED})
    decided = decided.then({FALSE_EQUATION: ~pl.col("is_right") | true})
    return Filtered(_as_chats(decided.kept), decided.dropped)


def _as_chats(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "problem_id",
        prompts(rows["prompt"]),
        answers("completion", rows["text"]),
        pl.col("is_right").alias("label"),
    )


CONFIGS: tuple[Config[AttemptParameters], ...] = (
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


def more_facts(_: Round, rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """What found the answers, and the verdicts on them."""
    return MoreFacts(figures={FOUND_BY: found_by(rows.only("found_by", "extracted", "verdict"))})


def draw_lengths(rows: Rows, figure: "Figure") -> None:
    """Draw how many attempts there are by length, each outcome in its colour, those without an answer apart."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    has_answer = pl.col("verdict") != Verdict.NO_ANSWER.value
    attempts = pl.concat(
        block.with_columns(pl.col("token_ids").list.len()) for block in rows.blocks("verdict", "is_right", "token_ids")
    )
    parts = {**_by_outcome(attempts.filter(has_answer)), "no answer": attempts.filter(~has_answer)}
    lengths = [part["token_ids"].to_list() for part in parts.values()]
    axes.hist(lengths, bins=20, stacked=True, color=[*OUTCOMES.values(), UNANSWERED_COLOUR], label=list(parts))
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
