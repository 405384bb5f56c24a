"""What a release of problems publishes: columns, what attempts showed of each problem, and the config for RL."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from filters.answers.verdicts import AnswerRule, Verdict
from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema, SchemaError
from generators.columns import GOLDS, IS_ANSWERED, ORIGIN, PROBLEM
from generators.dataset import Claim, Config, IncompleteParameters, MoreFacts, Parameters, Picture, Round
from generators.formats import Format
from generators.problems.chats import PROMPT, prompts
from generators.problems.difficulty import DifficultyBounds, rating
from generators.problems.perturbed import perturbed
from generators.problems.table import PROBLEM_DIFFICULTY, PROBLEMS, RATING, RATING_RULES
from generators.rows import Rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ABILITY = "math"  # the task category that RL trainers group prompts by
_RULE_TYPES = {bool: pl.Boolean, type(None): pl.Float64}  # the types of an answer rule's fields by their defaults
_FIRST_FIELDS = ("bare_last_number", "percent", "units", "lists")  # those that every release has
BANDS = {"easy": "#2e7d4f", "medium": "#c9a227", "hard": "#b03a2e"}
RULE = pl.Struct({one.name: _RULE_TYPES.get(type(one.default), pl.String) for one in fields(AnswerRule)})
_ADDED = tuple((one.name, one.default) for one in fields(AnswerRule) if one.name not in _FIRST_FIELDS)
FURTHER = "Problems with more than one accepted answer, by source"
_FURTHER = ("problems", "with_further_answers")
_COUNTS = ("n_attempts", "n_right", "n_undecided", "n_no_answer")
_NOTES: dict[str, Any] = {"source": pl.String, "licence": pl.String, "language": pl.String, "answer_rule": RULE}
_IN_EXTRA_INFO = ("also_accepted", "level", "pass_rate", "n_attempts", "difficulty", "policy", "answer_rule")

FULL = Schema(
    name="problems/full",
    columns={
        **PROBLEM,
        "licence": Column(pl.String, "The SPDX id of the source's licence; null if not stated.", nullable=True),
        "language": Column(pl.String, "The code of the prompt's language; null if not stated.", nullable=True),
        "answer_rule": Column(
            RULE,
            "How answers to the problem are read and compared.",
            nullable_fields=("tolerance",),
            added_fields=_ADDED,
        ),
        **RATING,
        "policy": Column(pl.String, "The model that attempted the problem; null if none did.", nullable=True),
        **{name: replace(ORIGIN[name], nullable=True) for name in ("round", "slice")},
    },
    key=PROBLEMS.key,
    rules={
        "prompt: not_blank": PROBLEMS.rules["prompt: not_blank"],
        "answer: not_blank": IS_ANSWERED,
        **RATING_RULES,
        "also_accepted: others_than_the_answer": PROBLEMS.rules["also_accepted: others_than_the_answer"],
        "policy: attempted_it": pl.col("policy").is_null() == (pl.col("n_attempts") == 0),
    },
)
DEFAULT = Schema(
    name="problems/default",
    columns={
        "prompt": PROMPT,
        "data_source": Column(pl.String, "The source of the problem."),
        "ability": Column(pl.String, f"The task category: `{ABILITY}`."),
        "reward_model": Column(
            pl.Struct({"style": pl.String, "ground_truth": pl.String}),
            "`style` is `rule`: a program compares the final answer with `ground_truth`, the first gold answer.",
        ),
        "extra_info": Column(
            pl.Struct({"index": pl.String, **{name: FULL.columns[name].dtype for name in _IN_EXTRA_INFO}}),
            "`index` is the problem's id; the others are as in `full`: `also_accepted` has further gold answers.",
            nullable_fields=("tolerance", *(name for name in _IN_EXTRA_INFO if FULL.columns[name].nullable)),
            added_fields=(("also_accepted", []), *_ADDED),
        ),
        "answer": Column(pl.String, "The gold answer."),
        "also_accepted": PROBLEM["also_accepted"],
        "ground_truth": Column(pl.String, "The gold answer once more, for trainers that know it by this name."),
    },
    rules={
        "ground_truth: is_the_answer": (pl.col("ground_truth") == pl.col("answer"))
        & (pl.col("reward_model").struct.field("ground_truth") == pl.col("answer")),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceNotes:
    """What holds for every problem of a source."""

    licence: str | None = None
    language: str | None = None
    answer_rule: AnswerRule = field(default_factory=AnswerRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemParameters(Parameters):
    """Licence, language and answer rule by source, and the bounds between easy, medium and hard."""

    sources: Mapping[str, SourceNotes]
    bounds: DifficultyBounds = field(default_factory=DifficultyBounds)

    def to_json(self) -> dict[str, Any]:
        """The parameters as JSON data."""
        notes = {name: asdict(notes) for name, notes in sorted(self.sources.items())}
        return {"sources": notes, "difficulty": asdict(self.bounds)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError, TypeError or ValueError."""
        sources = {
            name: SourceNotes(**{**notes, "answer_rule": AnswerRule(**notes["answer_rule"])})
            for name, notes in data["sources"].items()
        }
        return cls(sources=sources, bounds=DifficultyBounds(**data["difficulty"]))

    @property
    def notes(self) -> pl.DataFrame:
        """A row for each source."""
        return pl.DataFrame([{"source": name, **asdict(notes)} for name, notes in self.sources.items()], schema=_NOTES)


def parameters_of(round: Round) -> ProblemParameters:
    """The notes on each source as the recipes of a round have them; raises SchemaError if slices of one differ."""
    sources: dict[str, SourceNotes] = {}
    for recipe in round.recipes("problems").values():
        config = recipe["config"]
        notes = SourceNotes(
            licence=config["licence"],
            language=config["language"],
            answer_rule=AnswerRule(**{one.name: config[one.name] for one in fields(AnswerRule) if one.name in config}),
        )
        name = config["problems"]["name"]
        if sources.setdefault(name, notes) != notes:
            raise SchemaError(
                f"problems: slices of source {name} differ in licence, language or answer rule: materialise problems "
                "again with the same settings"
            )
    return ProblemParameters(sources=sources)


def rated(rows: pl.DataFrame, parameters: ProblemParameters) -> Filtered:
    """The problems with an answer, with the notes on their source; one that was not attempted has counts of 0."""
    answered = apply_rules(rows, {"no_answer": IS_ANSWERED})
    is_attempted = pl.col("n_attempts").is_not_null()  # then a null is a count that an older stepmill did not make
    counts = [pl.when(is_attempted).then(pl.col(name)).otherwise(0).alias(name) for name in _COUNTS]
    return Filtered(_noted(answered.kept, parameters).with_columns(counts), answered.dropped)


def recompute(rows: pl.DataFrame, parameters: ProblemParameters) -> pl.DataFrame:
    """Notes by source, pass rate and difficulty by counts; raises IncompleteParameters if a source has no notes."""
    noted = _noted(rows.drop("licence", "language", "answer_rule"), parameters)
    return noted.select("licence", "language", "answer_rule", *rating(parameters.bounds))


def _noted(rows: pl.DataFrame, parameters: ProblemParameters) -> pl.DataFrame:
    unknown = sorted(set(rows["source"]) - parameters.sources.keys())
    if unknown:
        raise IncompleteParameters(f"there is no licence, language and answer rule of source {unknown[0]}")
    return rows.join(parameters.notes, on="source", how="left", maintain_order="left")


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """Two for each gold answer of a row: it is accepted, and it differs from a near copy with another value."""
    for number, (golds, source) in enumerate(rows.select(GOLDS, "source").iter_rows()):
        for index, gold in enumerate(golds):
            column = "also_accepted" if index else "answer"
            for text, accepted, verdict in (
                (gold, tuple(golds), Verdict.EQUAL),
                (perturbed(gold), (gold,), Verdict.DIFFERENT),
            ):
                response = rf"The answer is \boxed{{{text}}}."
                yield Claim(number, (column, None, None), response, accepted, source, verdict.value)


def for_rl(rows: pl.DataFrame, _: Parameters) -> Filtered:
    """Prompt, gold answer and pass rate in the columns of verl, and the answer under the names of others.

    `ground_truth` is the first gold answer; the others stand in `also_accepted` and in `extra_info`.
    """
    ready = rows.select(
        "problem_id",
        prompts(rows["prompt"]),
        pl.col("source").alias("data_source"),
        pl.lit(ABILITY).alias("ability"),
        pl.struct(pl.lit("rule").alias("style"), pl.col("answer").alias("ground_truth")).alias("reward_model"),
        pl.struct(pl.col("problem_id").alias("index"), *_IN_EXTRA_INFO).alias("extra_info"),
        "answer",
        "also_accepted",
        pl.col("answer").alias("ground_truth"),
    )
    return apply_rules(ready, {})


CONFIGS: tuple[Config[ProblemParameters], ...] = (
    Config(
        name="full",
        purpose="everything: problem, answer and its rule, licence, counts of attempts, pass rate",
        schema=FULL,
        table=PROBLEMS.name,
        joined=(PROBLEM_DIFFICULTY,),
        derive=rated,
        recompute=recompute,
        claims=claims,
    ),
    Config(
        name="default",
        purpose="prompts as chats with their gold answers and pass rates, for trainers that sample by themselves",
        schema=DEFAULT,
        format=Format.PROBLEMS,
        derive=for_rl,
    ),
)


def count_difficulties(rows: pl.DataFrame) -> dict[str, int]:
    """How many problems are easy, medium and hard for the policy, and how many have no pass rate."""
    bands = rows["difficulty"]
    return {**{band: int((bands == band).sum()) for band in BANDS}, "not_rated": bands.null_count()}


def more_facts(_: Round, rows: Rows, _counts: Mapping[str, int]) -> MoreFacts:
    """How many problems of each source have further accepted answers; nothing where none has any."""
    further = pl.col("also_accepted").list.len() > 0
    of_problems = rows.only("source", "also_accepted")
    counted = of_problems.group_by("source").agg(problems=pl.len(), with_further_answers=further.sum()).sort("source")
    if not counted["with_further_answers"].sum():
        return MoreFacts()
    figures = {source: dict(zip(_FURTHER, counts, strict=True)) for source, *counts in counted.iter_rows()}
    return MoreFacts(figures={FURTHER: figures})


def draw_pass_rates(rows: Rows, figure: "Figure") -> None:
    """Draw how many problems there are by pass rate, each difficulty in its colour."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    rated = rows.only("difficulty", "pass_rate")
    rates = [rated.filter(pl.col("difficulty") == band)["pass_rate"].to_list() for band in BANDS]
    bins = [edge / 10 for edge in range(11)]
    axes.hist(rates, bins=bins, stacked=True, color=list(BANDS.values()), label=list(BANDS))
    axes.set_xlabel("pass rate of the policy")
    axes.set_ylabel("problems")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


PICTURE = Picture(
    name="pass_rates.png", caption="Problems by the policy's pass rate and by difficulty", draw=draw_pass_rates
)
