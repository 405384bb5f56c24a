"""What a release of critical-token pairs publishes: columns, what follows from them, files for the paper's trainer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from filters.rules import apply_rules
from filters.schema import SchemaError
from generators.critical_token_pairs.contrast import contrast_figures
from generators.critical_token_pairs.folds import fold_of
from generators.critical_token_pairs.recipe import chosen_weights, rejected_weights
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS
from generators.critical_token_pairs.tokens.confirmation import Criterion
from generators.dataset import (
    Claim,
    Config,
    IncompleteParameters,
    MoreFacts,
    Parameters,
    Picture,
    Round,
    StageFacts,
    claims_of_sides,
)
from generators.problems.chats import preferences
from generators.records import StepCounts
from generators.rows import Rows
from generators.search.priors import Priors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DERIVED = (
    *("chosen_weights", "rejected_weights", "critical_token_ids", "critical_scores"),
    *("critical_value_with", "critical_value_without", "critical_confirmed", "fold"),
)
CONTRAST = "The contrast on solutions that the models never saw"
FULL = CRITICAL_TOKEN_PAIRS.published("critical_token_pairs/full")
_SCORED = ("chosen", "rejected", "chosen_scores", "rejected_scores")
_BINS = [edge / 20 for edge in range(21)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalTokenParameters(Parameters):
    """What confirmations and weights follow from besides counts and log ratios.

    These are the priors of each slice and the criterion, and the temperature of each slice that has rows.
    """

    priors: Mapping[str, Priors]
    temperatures: Mapping[str, float]
    criterion: Criterion

    def to_json(self) -> dict[str, Any]:
        """The parameters as JSON data."""
        return {
            "priors": {key: priors.to_json() for key, priors in sorted(self.priors.items())},
            "temperatures": dict(sorted(self.temperatures.items())),
            "confirmation": asdict(self.criterion),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError, TypeError or ValueError."""
        return cls(
            priors={key: Priors(**priors) for key, priors in data["priors"].items()},
            temperatures=dict(data["temperatures"]),
            criterion=Criterion(**data["confirmation"]),
        )


def parameters_of(round: Round) -> CriticalTokenParameters:
    """The parameters from the recipes of the slices; raises SchemaError if slices have different criteria."""
    configs = {key: recipe["config"] for key, recipe in round.recipes("critical_token_pairs").items()}
    criteria = {Criterion(**config["confirmation"]) for config in configs.values()}
    if len(criteria) > 1:
        raise SchemaError(
            f"critical_token_pairs: slices of round {round.key} differ in never, least or confidence: materialise them "
            "again with the same settings"
        )
    old = sorted(key for key, config in configs.items() if "weights_temperature" not in config)
    if old:
        raise SchemaError(
            f"critical_token_pairs: the recipe of {', '.join(old)} has no weights_temperature, as an older stepmill "
            "wrote it: materialise contrastive_models and critical_token_pairs again"
        )
    temperatures = {key: config["weights_temperature"] for key, config in configs.items()}
    return CriticalTokenParameters(
        priors={key: Priors(**config["priors"]) for key, config in configs.items()},
        temperatures={key: temperature for key, temperature in temperatures.items() if temperature is not None},
        criterion=criteria.pop(),
    )


def recompute(rows: pl.DataFrame, parameters: CriticalTokenParameters) -> pl.DataFrame:
    """The columns `DERIVED` of every row; raises IncompleteParameters if a slice has no priors or no temperature."""
    for what, of_slices in (("priors", parameters.priors), ("temperatures", parameters.temperatures)):
        unknown = sorted(set(rows["slice"]) - of_slices.keys())
        if unknown:
            raise IncompleteParameters(f"settings.export holds no {what} of {', '.join(unknown)}, whose rows need them")
    schema = {name: rows.schema[name] for name in DERIVED}
    return pl.DataFrame([_derived(row, parameters) for row in rows.iter_rows(named=True)], schema=schema)


def _derived(row: Mapping[str, Any], parameters: CriticalTokenParameters) -> dict[str, Any]:
    ids, scores, positions = row["rejected_token_ids"], row["rejected_scores"], row["critical_positions"]
    counts = {
        arm: list(zip(row[f"critical_n_{arm}_correct"], row[f"critical_n_{arm}"], strict=True))
        for arm in ("with", "without")
    }
    return {
        "chosen_weights": chosen_weights(len(row["chosen_token_ids"]), row["response_start"]),
        "rejected_weights": rejected_weights(
            row["rejected_log_ratios"], row["response_start"], temperature=parameters.temperatures[row["slice"]]
        ),
        "fold": fold_of(row["problem_id"]),
        "critical_token_ids": [ids[position] for position in positions],
        "critical_scores": [scores[position] for position in positions],
        **{f"critical_value_{arm}": [k / n if n else None for k, n in tested] for arm, tested in counts.items()},
        "critical_confirmed": [
            _is_confirmed(row, position, with_token, without_token, parameters)
            for position, with_token, without_token in zip(positions, counts["with"], counts["without"], strict=True)
        ],
    }


def _is_confirmed(
    row: Mapping[str, Any],
    position: int,
    with_token: tuple[int, int],
    without_token: tuple[int, int],
    parameters: CriticalTokenParameters,
) -> bool:
    """Whether the right and all rollouts with and without a token confirm it."""
    start, priors = row["response_start"], parameters.priors[row["slice"]]
    length = len(row["rejected_token_ids"]) - start
    attempts = StepCounts(n_correct=row["n_attempts_right"], n_rollouts=row["n_attempts"], n_undecided=0)
    arms = parameters.criterion.arms(position - start, length, priors=priors, attempts=attempts)
    for arm, (n_right, n) in ((arms.with_token, with_token), (arms.without_token, without_token)):
        for index in range(n):
            arm.add(index < n_right)
    return parameters.criterion.confirms(arms)


def claims(rows: pl.DataFrame, _: Parameters) -> Iterator[Claim]:
    """Two claims a row: the chosen solution is right, the rejected one is not."""
    return claims_of_sides(rows, source="source", chosen=pl.col("chosen"), rejected=pl.col("rejected"))


CONFIGS: tuple[Config[CriticalTokenParameters], ...] = (
    Config(
        name="full",
        purpose="everything: both solutions in tokens with scores and weights, tested tokens, provenance",
        schema=FULL,
        table="critical_token_pairs",
        recompute=recompute,
        claims=claims,
    ),
    replace(
        preferences(
            "critical_token_pairs",
            purpose="the right and the wrong solution as chats, for DPO without weights",
            chosen=pl.col("chosen"),
            rejected=pl.col("rejected"),
        ),
        lost="the weight of every token (`examples.cdpo` trains with it)",
    ),
)


def count_tokens(rows: pl.DataFrame) -> dict[str, int]:
    """The numbers of tested tokens that are critical and that are not."""
    confirmed = rows["critical_confirmed"].explode().drop_nulls()
    n_critical = int(confirmed.sum())
    return {"critical": n_critical, "not_critical": len(confirmed) - n_critical}


def more_facts(_: Round, rows: Rows, counts: Mapping[str, int]) -> MoreFacts:
    """The numbers of rows that the exports keep and drop, and what the contrast is worth out of sample."""
    stable = apply_rules(rows.only("is_stable"), {"unstable_tokens": pl.col("is_stable")})
    return MoreFacts(
        stages=(StageFacts(name="release: exports", kept=stable.kept.height, dropped=stable.counts()),),
        figures={CONTRAST: {"all": figures}} if (figures := contrast_figures(counts)) else {},
    )


def exports(splits: Mapping[str, Rows], _: Parameters) -> dict[str, bytes]:
    """The stable rows of each split in the format of the paper's own trainer: JSON, a dict of lists.

    `ce_prob` has the scores of tokens 2 to T of the tokenised prompt and response, without the end-of-text token.
    `response_start_idx` is the index in it of the response's first token; `text` is the response.
    """
    files = {}
    for split, rows in splits.items():
        if rows.only("is_stable")["is_stable"].any():
            columns = (f"{json.dumps(name)}: [{', '.join(items)}]" for name, items in _columns(rows))
            files[f"exports/{split}.CE_scored.json"] = f"{{{', '.join(columns)}}}\n".encode()
    return files


def _columns(rows: Rows) -> Iterator[tuple[str, Iterator[str]]]:
    """The names of the columns of a file, with their items as JSON, which are read block by block."""
    for name, source in (("prompt", "templated_prompt"), ("chosen", "chosen"), ("rejected", "rejected")):
        values = (value for block in rows.blocks(source, "is_stable") for value in block.filter("is_stable")[source])
        yield name, (json.dumps(value, ensure_ascii=False) for value in values)
    yield (
        "prob_result",
        (
            json.dumps({"pos": _scored(row, "chosen"), "neg": _scored(row, "rejected")}, ensure_ascii=False)
            for block in rows.blocks(
                "chosen", "rejected", "chosen_scores", "rejected_scores", "response_start", "is_stable"
            )
            for row in block.filter("is_stable").iter_rows(named=True)
        ),
    )


def _scored(row: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {
        "ce_prob": row[f"{side}_scores"][1:-1],
        "response_start_idx": row["response_start"] - 1,
        "text": row[side],
    }


def draw_scores(rows: Rows, figure: "Figure") -> None:
    """Draw how many tokens of either solution there are by their contrastive score."""
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    for side, colour in (("rejected", "#b03a2e"), ("chosen", "#2e7d4f")):
        axes.stairs(counted_scores(rows, side), _BINS, linewidth=2, color=colour, label=side)
    axes.set_xlabel("contrastive score")
    axes.set_ylabel("tokens")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()


def counted_scores(rows: Rows, side: str) -> list[int]:
    """How many tokens of one side's responses have a score in each of the bins."""
    counts = np.zeros(len(_BINS) - 1, dtype=np.int64)
    of_response = pl.col(f"{side}_scores").list.slice(pl.col("response_start")).explode()
    for block in rows.blocks(f"{side}_scores", "response_start"):
        counts += np.histogram(block.select(of_response.drop_nulls()).to_series().to_numpy(), bins=_BINS)[0]
    return counts.tolist()


PICTURE = Picture(name="scores.png", caption="Tokens of either solution by their score", draw=draw_scores)
