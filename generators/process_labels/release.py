"""What a release of process labels publishes: columns, the configs for training, and what follows from the counts."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from filters.answers.verdicts import Verdict
from filters.equations.steps import false_equations, first_refuted, states_checkable
from filters.rules import Filtered, apply_rules
from filters.schema import Column, Schema, SchemaError
from generators.dataset import (
    Choice,
    Claim,
    Config,
    Figures,
    IncompleteParameters,
    MoreFacts,
    Parameters,
    Picture,
    Round,
    claims_of_texts,
)
from generators.formats import Format
from generators.process_labels.audit.audit import audit, audit_by_kind
from generators.process_labels.hard_problems import TITLE as HARD_PROBLEMS
from generators.process_labels.hard_problems import hard_problems
from generators.process_labels.held_out import HELD_OUT_STEPS, held_out_figures
from generators.process_labels.held_out import TITLE as HELD_OUT
from generators.process_labels.labels import with_labels
from generators.process_labels.settings import RefutedSteps, Settings
from generators.process_labels.table import PLANTED_ERRORS, PROCESS_LABELS
from generators.process_labels.training import (
    STEPWISE,
    TRUNCATED,
    consensus,
    stepwise,
    texts_of,
    truncated,
    unbalanced,
)
from generators.records import StepCounts
from generators.rows import Rows
from generators.search.priors import Priors
from generators.search.sequential_test import Measured
from generators.search.shares import share_values
from generators.section import stored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FLOATS = pl.List(pl.Float64)
_MEASURES = dict.fromkeys(("soft_labels", "values_low", "values_high", "sound"), _FLOATS)
_MAX_POSITIONS = 30
EQUATIONS = "Equations that steps state"
_STEPS = pl.col("steps").list.len()

_LABEL_COLUMNS = {
    "soft_labels": Column(
        _FLOATS,
        "For each step, its value: `n_correct / n_rollouts`, or with `sound` the posterior mean.",
        nullable_items=True,
    ),
    "hard_labels": Column(
        pl.List(pl.Boolean),
        "For each step, whether it is `sound` (or its share above the hard threshold); null if not sure.",
        nullable_items=True,
    ),
    "first_error": Column(
        pl.Int64,
        "Index of the first step whose hard label is false, -1 if none; null if an unlabelled step comes before.",
        nullable=True,
    ),
}
FULL = Schema(
    name="process_labels/full",
    columns={name: column for name, column in PROCESS_LABELS.columns.items() if name != "values"} | _LABEL_COLUMNS,
    key=PROCESS_LABELS.key,
    rules={
        **{name: rule for name, rule in PROCESS_LABELS.rules.items() if not name.startswith("values:")},
        "soft_labels: one_per_step": pl.col("soft_labels").list.len() == _STEPS,
        "hard_labels: one_per_step": pl.col("hard_labels").list.len() == _STEPS,
        "first_error: is_a_step_or_minus_one": pl.col("first_error").is_between(-1, _STEPS.cast(pl.Int64) - 1)
        | pl.col("first_error").is_null(),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelParameters(Parameters):
    """The thresholds of labels, the bound on their ratio, what refuted steps are, and by slice the priors."""

    hard_threshold: float
    confidence: float
    label_ratio: float | None
    refuted_steps: RefutedSteps = "wrong"
    priors: Mapping[str, Priors] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "hard_threshold": self.hard_threshold,
            "confidence": self.confidence,
            "label_ratio": self.label_ratio,
            "refuted_steps": self.refuted_steps,
            "priors": {key: priors.to_json() for key, priors in sorted(self.priors.items())},
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        priors = {key: Priors(**values) for key, values in data["priors"].items()}
        return cls(**{**data, "priors": priors})

    def labelled(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with labels by their values and their soundness."""
        return with_labels(
            rows,
            hard_threshold=self.hard_threshold,
            confidence=self.confidence,
            refuted_steps=self.refuted_steps,
        )


def parameters_of(round: Round) -> LabelParameters:
    """Thresholds and priors as the recipes of a round have them; raises SchemaError if thresholds differ."""
    recipes = round.recipes("process_labels")
    by_slice = {key: stored(Settings, recipe, "process_labels") for key, recipe in recipes.items()}
    thresholds = {key: _thresholds(settings) for key, settings in by_slice.items()}
    if len(set(thresholds.values())) > 1:
        slices = "; ".join(f"{key} {values}" for key, values in thresholds.items())
        raise SchemaError(
            f"process_labels: slices differ in hard_threshold, confidence, label_ratio or refuted_steps ({slices}): "
            "materialise process_labels again with equal ones"
        )
    hard_threshold, confidence, label_ratio, refuted_steps = next(iter(thresholds.values()), _thresholds(Settings()))
    strategies = {key: recipe["config"]["strategy"] for key, recipe in recipes.items()}
    priors = {key: Priors(**strategy["priors"]) for key, strategy in strategies.items() if "priors" in strategy}
    return LabelParameters(
        hard_threshold=hard_threshold,
        confidence=confidence,
        label_ratio=label_ratio,
        refuted_steps=refuted_steps,
        priors=priors,
    )


def _thresholds(settings: Settings) -> tuple[float, float, float | None, RefutedSteps]:
    return settings.hard_threshold, settings.confidence, settings.label_ratio, settings.refuted_steps


def with_derived_labels(rows: pl.DataFrame, parameters: LabelParameters) -> Filtered:
    """Every row of the table, with its labels."""
    return apply_rules(parameters.labelled(rows), {})


def recompute(rows: pl.DataFrame, parameters: LabelParameters) -> pl.DataFrame:
    """False equations by the steps, values and soundness by counts and priors, labels by the soundness of the rows.

    Two machines may differ in the last digits of a soundness, and no label at a threshold may turn with them. Raises
    IncompleteParameters where a row has a soundness and its slice has no priors.
    """
    unknown = set(rows.filter(pl.col("sound").is_not_null())["slice"]) - parameters.priors.keys()
    if unknown:
        raise IncompleteParameters(f"there are no priors of slice {min(unknown)}, whose rows have a soundness")
    false = [false_equations(steps, given=prompt) for prompt, steps in rows.select("prompt", "steps").iter_rows()]
    rows = rows.with_columns(pl.Series("false_equations", false, dtype=pl.List(pl.String)))
    measures = [_measures(row, parameters) for row in rows.iter_rows(named=True)]
    labels = parameters.labelled(rows.with_columns(pl.col("soft_labels").alias("values")))
    derived = ("hard_labels", "first_error", "false_equations")
    return pl.DataFrame(measures, schema=_MEASURES).with_columns(labels.select(derived))


def _measures(row: Mapping[str, Any], parameters: LabelParameters) -> dict[str, Any]:
    counts = [
        StepCounts(n_correct=right, n_rollouts=n, n_undecided=undecided)
        for right, n, undecided in zip(row["n_correct"], row["n_rollouts"], row["n_undecided"], strict=True)
    ]
    refuted = first_refuted(row["false_equations"]) if parameters.refuted_steps == "wrong" else None
    sound = None
    if row["sound"] is None:
        values = share_values(counts, refuted)
    else:
        measured = Measured.of(
            counts,
            n_right=row["n_attempts_right"],
            n_attempts=row["n_attempts"],
            priors=parameters.priors[row["slice"]],
            refuted=refuted,
        )
        values, sound = measured.values, measured.sound
    return {"soft_labels": values.mean, "values_low": values.low, "values_high": values.high, "sound": sound}


def claims(rows: pl.DataFrame, _: LabelParameters) -> Iterator[Claim]:
    """A claim for each row: the verdict on the solution's own answer."""
    return claims_of_texts(rows, text=pl.col("steps").list.join(""))


def has_judge(rows: pl.DataFrame, _: LabelParameters) -> bool:
    """Whether a judge looked at any of the rows."""
    return rows["judge"].is_not_null().any()


BALANCED: Choice[LabelParameters] = Choice(
    columns=(*PROCESS_LABELS.key, "labels"),
    reasons=lambda rows, parameters: unbalanced(rows, parameters.label_ratio),
)
CONFIGS: tuple[Config[LabelParameters], ...] = (
    Config(
        name="full",
        purpose="everything: counts, labels and provenance",
        schema=FULL,
        table="process_labels",
        derive=with_derived_labels,
        recompute=recompute,
        claims=claims,
    ),
    Config(
        name="default",
        purpose="prompt, steps and one label a step, masked where it is not sure",
        schema=STEPWISE,
        format=Format.STEPWISE,
        lost="the value of every step (`examples.prm` trains on it)",
        derive=texts_of(stepwise),
        choice=BALANCED,
    ),
    Config(
        name="truncated",
        purpose="the same up to the first wrong step, after which labels mean little",
        schema=TRUNCATED,
        format=Format.STEPWISE,
        lost="the value of every step (`examples.prm` trains on it)",
        derive=texts_of(truncated),
        choice=BALANCED,
    ),
    Config(
        name="consensus",
        purpose="of those, the solutions on whose first error, or on whose having none, the judge agrees",
        schema=TRUNCATED.published("process_labels/consensus"),
        format=Format.STEPWISE,
        lost="the value of every step (`examples.prm` trains on it)",
        derive=texts_of(consensus),
        choice=BALANCED,
        allows=has_judge,
    ),
)


def more_facts(round: Round, rows: Rows, counts: Mapping[str, int]) -> MoreFacts:
    """Planted errors found, held-out rollouts, hard problems, equations of steps, and tokens of further judges."""
    made_by = rows.only("judge", "policy")
    judges = sorted(set(made_by["judge"].drop_nulls()) - set(made_by["policy"]))
    tokens = {f"judge_{kind}": count for kind, count in round.tokens(judges).items()} if judges else {}
    held_out = held_out_figures(
        round.rows(HELD_OUT_STEPS.name).only("label", "value", "n_correct", "n_rollouts", "place")
    )
    figures: dict[str, Figures] = {
        HARD_PROBLEMS: hard_problems(round, rows, parameters_of(round).label_ratio),
        HELD_OUT: held_out,
        EQUATIONS: {"all": counts} if counts.get("checkable") else {},
    }
    return MoreFacts(
        tokens=tokens,
        audit=audit_figures(round.rows(PLANTED_ERRORS.name).only("found", "planted", "kind", "is_refuted")),
        figures={title: rows for title, rows in figures.items() if rows},
    )


def count_equations(rows: pl.DataFrame) -> dict[str, int]:
    """How many steps there are and state an equation that arithmetic decides, and how many it refutes.

    A refuted step that a rollout with the right answer came through, the solution itself included, is `rollout_right`:
    rollouts alone would call it right.
    """
    counts = dict.fromkeys(("steps", "checkable", "refuted", "rollout_right"), 0)
    columns = ("prompt", "steps", "false_equations", "n_correct", "verdict")
    for prompt, steps, false, n_correct, verdict in rows.select(columns).iter_rows():
        for index, step in enumerate(steps):
            counts["steps"] += 1
            counts["checkable"] += states_checkable(step, given=prompt + "\n" + "".join(steps[:index]))
            if false[index] is not None:
                counts["refuted"] += 1
                counts["rollout_right"] += verdict == Verdict.EQUAL.value or n_correct[index] > 0
    return counts


def audit_figures(planted_errors: pl.DataFrame) -> Figures:
    """How many planted errors the labels find, and arithmetic without a rollout, in all and by kind; empty if none."""
    if planted_errors.is_empty():
        return {}
    first_errors, planted, kinds = (planted_errors[name].to_list() for name in ("found", "planted", "kind"))
    audits = {"all": audit(first_errors, planted), **audit_by_kind(first_errors, planted, kinds)}
    refuted = Counter(planted_errors.filter("is_refuted")["kind"].to_list())
    n_refuted = {"all": refuted.total(), **refuted}
    return {kind: audited.facts() | {"refuted": n_refuted.get(kind, 0)} for kind, audited in audits.items()}


def draw_labels(rows: Rows, figure: "Figure") -> None:
    """Draw the mean soft label and the number of labelled steps by the step's position in its solution."""
    from matplotlib.ticker import MaxNLocator

    positions = by_position(rows)
    steps = figure.add_subplot()
    steps.bar(positions["position"].to_list(), positions["steps"].to_list(), color="#c9d6e3")
    steps.set_xlabel("position of the step")
    steps.set_ylabel("labelled steps")
    steps.xaxis.set_major_locator(MaxNLocator(integer=True))
    mean = steps.twinx()
    mean.plot(positions["position"].to_list(), positions["mean"].to_list(), color="#b03a2e", marker="o")
    mean.set_ylim(0, 1)
    mean.set_ylabel("mean soft label")


def by_position(rows: Rows) -> pl.DataFrame:
    """Columns `position` (from 1), `steps` and `mean` (of the soft labels)."""
    sums = pl.concat([_sums_by_position(block) for block in rows.blocks("soft_labels")])
    return (
        sums.group_by("position")
        .agg(pl.col("steps").sum(), pl.col("sum").sort().sum())
        .select("position", "steps", mean=pl.col("sum") / pl.col("steps"))
        .sort("position")
    )


def _sums_by_position(rows: pl.DataFrame) -> pl.DataFrame:
    exploded = rows.select(
        pl.int_ranges(1, pl.col("soft_labels").list.len() + 1).alias("position"), "soft_labels"
    ).explode("position", "soft_labels")
    return (
        exploded.drop_nulls()
        .filter(pl.col("position") <= _MAX_POSITIONS)
        .group_by("position")
        .agg(pl.len().alias("steps"), pl.col("soft_labels").sort().sum().alias("sum"))
    )


PICTURE = Picture(
    name="labels_by_position.png",
    caption=f"Mean soft label (line) and number of labelled steps (bars) for the first {_MAX_POSITIONS} positions",
    draw=draw_labels,
)
