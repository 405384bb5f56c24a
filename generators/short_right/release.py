"""What a release of short right attempts publishes: SFT on them and on their controls, and two configs of pairs."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from filters.answers.verdicts import Verdict
from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema
from generators.columns import GOLDS
from generators.dataset import Claim, Config, Figures, MoreFacts, Parameters, Picture, Round
from generators.formats import Format
from generators.problems.chats import COMPLETION, PROMPT, answers, completions, prompts
from generators.rows import Rows
from generators.short_right.length_effect import LENGTH_COLUMNS, count_attempts, length_effects, lengths_of
from generators.short_right.table import KINDS, SHORT_RIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EFFECT = "How often a right attempt is shorter than a wrong one"
ATTEMPTS = "How the attempts at the problems ended"
COST = "Tokens of the attempts, and of the rows"
_SIDES = {
    "response": Verdict.EQUAL,
    "control_response": Verdict.EQUAL,
    "longer_right": Verdict.EQUAL,
    "longer_wrong": Verdict.DIFFERENT,
}
_CHOSEN = Column(COMPLETION.dtype, "The shortest right attempt, as the assistant's message.")
_REJECTED = {
    "longer_right": "A right attempt that is longer, as the assistant's message.",
    "longer_wrong": "A wrong attempt that is longer, as the assistant's message.",
}


def recompute(rows: pl.DataFrame, _: Parameters) -> pl.DataFrame:
    """The length ratios of every row."""
    return rows.select((pl.col(f"{kind}_tokens") / pl.col("n_tokens")).alias(f"{kind}_ratio") for kind in KINDS)


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """Every text is right but that of `longer_wrong`, which is wrong."""
    for number, (golds, source, *texts) in enumerate(rows.select(GOLDS, "source", *_SIDES).iter_rows()):
        for (name, verdict), text in zip(_SIDES.items(), texts, strict=True):
            if text is not None:
                yield Claim(number, (name, None, None), text, tuple(golds), source, verdict.value)


def controls(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """Every problem with its random right attempt."""
    return apply_rules(_chats(rows, completion="control_response"), {})


def length_pairs(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The problems with a right attempt that is sufficiently longer."""
    return _pairs(rows, "longer_right")


def outcome_pairs(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """The problems with a wrong attempt that is longer."""
    return _pairs(rows, "longer_wrong")


def _pairs(rows: pl.DataFrame, kind: str) -> Filtered:
    paired = apply_rules(rows, {f"no_{kind}": pl.col(kind).is_not_null()})
    return Filtered(_chats(paired.kept, chosen="response", rejected=kind), paired.dropped)


def _chats(rows: pl.DataFrame, **sides: str) -> pl.DataFrame:
    return rows.select(
        "problem_id", prompts(rows["prompt"]), *(answers(name, rows[column]) for name, column in sides.items())
    )


def _preference(kind: str) -> Schema:
    rejected = Column(COMPLETION.dtype, _REJECTED[kind])
    return Schema(name=f"short_right/{kind}", columns={"prompt": PROMPT, "chosen": _CHOSEN, "rejected": rejected})


CONFIGS: tuple[Config[Parameters], ...] = (
    Config(
        name="full",
        purpose="everything: the shortest right attempt, its control, both longer ones, and the lengths of the others",
        schema=SHORT_RIGHT.published("short_right/full"),
        table=SHORT_RIGHT.name,
        recompute=recompute,
        claims=claims,
    ),
    completions(
        "short_right", purpose="the shortest right attempts as chats, for SFT on them alone", answer=pl.col("response")
    ),
    Config(
        name="control",
        purpose="a random right attempt at each of the same problems as chats: the arm to compare `default` with",
        schema=Schema(name="short_right/control", columns={"prompt": PROMPT, "completion": COMPLETION}),
        format=Format.COMPLETION,
        derive=controls,
    ),
    Config(
        name="longer_right",
        purpose="the shortest right attempt against a right one that is longer, for DPO; it teaches length alone",
        schema=_preference("longer_right"),
        format=Format.PREFERENCE,
        derive=length_pairs,
    ),
    Config(
        name="longer_wrong",
        purpose="the shortest right attempt against a wrong one that is longer, for DPO; it teaches to be right, too",
        schema=_preference("longer_wrong"),
        format=Format.PREFERENCE,
        derive=outcome_pairs,
    ),
)


def count_pairs(rows: pl.DataFrame) -> dict[str, int]:
    """How many rows have a longer right attempt, and a longer wrong one."""
    return {kind: int(rows[kind].is_not_null().sum()) for kind in KINDS}


def more_facts(round: Round, rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """How attempts ended, whether right ones are shorter, and the tokens generated for each token that is saved."""
    lengths = lengths_of(round.rows("attempts").blocks(*LENGTH_COLUMNS))
    effects = {name: effect.figures for name, effect in length_effects(lengths).items()}
    saved = cost(lengths, rows.only("n_tokens", "control_tokens"))
    return MoreFacts(figures={EFFECT: effects, ATTEMPTS: {"all": count_attempts(lengths)}, COST: saved})


def cost(lengths: pl.DataFrame, rows: pl.DataFrame) -> Figures:
    """The tokens of all attempts, of the shortest right ones and of the controls; attempts' tokens per token saved."""
    generated, shortest, control = (int(tokens.sum()) for tokens in (lengths["n_tokens"], *rows))
    saved = control - shortest
    return {
        "all": {
            "attempts": generated,
            "shortest": shortest,
            "control": control,
            "attempts_per_token_saved": generated / saved if saved else None,
        }
    }


def draw_lengths(rows: Rows, figure: "Figure") -> None:
    """Draw how many problems there are by the tokens of their shortest right attempt, and of the random one."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    lengths = rows.only("n_tokens", "control_tokens")
    bins = axes.hist(
        [lengths["n_tokens"].to_list(), lengths["control_tokens"].to_list()],
        bins=20,
        histtype="step",
        linewidth=2,
        color=["#2e7d4f", "#34495e"],
        label=["shortest right attempt", "random right attempt"],
    )[1]
    axes.set_xlim(float(bins[0]), float(bins[-1]))
    axes.set_xlabel("tokens")
    axes.set_ylabel("problems")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


PICTURE = Picture(name="lengths.png", caption="Problems by the length of a right attempt", draw=draw_lengths)
