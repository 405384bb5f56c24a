"""The dataset `critical_token_pairs`: its published columns, and how rows of the asset become a draft of a release.

Knows the asset's columns, and how weights and confirmations follow from scores and counts; nothing of folders,
versions or cards.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from filters.rules import apply_rules
from filters.schema import SchemaError
from generators.critical_token_pairs.recipe import chosen_weights, rejected_weights
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS
from generators.critical_token_pairs.tokens.confirmation import Confirmation
from generators.records import StepCounts
from generators.search.priors import Priors
from releases.critical_token_pairs_about import ABOUT
from releases.draft import Draft, Table
from releases.errors import IncompleteManifest, NothingToRelease
from releases.facts import ReleaseFacts, StageFacts
from releases.pictures import picture_of_scores
from releases.recomputation import close
from releases.schemas import PublishedSchema, measured_columns
from releases.splits import SplitShares, split_by_problem

DERIVED = (
    *("chosen_weights", "rejected_weights", "critical_token_ids", "critical_scores"),
    *("critical_value_with", "critical_value_without", "critical_confirmed"),
)

DEFAULT = PublishedSchema(
    name="critical_token_pairs/default",
    columns=measured_columns(CRITICAL_TOKEN_PAIRS, CRITICAL_TOKEN_PAIRS.meanings),
    rules=CRITICAL_TOKEN_PAIRS.rules,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What confirmations follow from besides counts, and how problems are split; `priors` are by slice."""

    priors: Mapping[str, Priors] = field(default_factory=dict)
    confirmation: Confirmation = field(default_factory=Confirmation)
    shares: SplitShares = field(default_factory=SplitShares)

    def recomputed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The columns `DERIVED`, one row for each of `rows`; raises IncompleteManifest where a slice has no priors."""
        unknown = sorted(set(rows["slice"]) - self.priors.keys())
        if unknown:
            raise IncompleteManifest(f"settings.export holds no priors of {', '.join(unknown)}, whose rows need some")
        schema = {name: rows.schema[name] for name in DERIVED}
        return pl.DataFrame([self._derived(row) for row in rows.iter_rows(named=True)], schema=schema)

    def facts(self) -> dict[str, Any]:
        """What the manifest keeps."""
        test = self.confirmation
        return {
            "priors": {key: priors.plain() for key, priors in sorted(self.priors.items())},
            "confirmation": {"never": test.never, "least": test.least, "confidence": test.confidence},
            "validation": self.shares.validation,
            "test": self.shares.test,
        }

    @classmethod
    def of(cls, facts: ReleaseFacts) -> "Export":
        """What `facts()` gave to the manifest, read back; raises IncompleteManifest."""
        told = dict(facts.settings.get("export", {}))
        try:
            return cls(
                priors={key: Priors(**plain) for key, plain in told["priors"].items()},
                confirmation=Confirmation(**told["confirmation"]),
                shares=SplitShares(validation=told["validation"], test=told["test"]),
            )
        except (KeyError, TypeError, ValueError) as bad:
            raise IncompleteManifest(f"settings.export lacks what tokens are confirmed with: {bad!r}") from bad

    def _derived(self, row: Mapping[str, Any]) -> dict[str, list[Any]]:
        ids, scores, positions = row["rejected_token_ids"], row["rejected_scores"], row["critical_positions"]
        arms = {
            arm: list(zip(row[f"critical_n_{arm}_correct"], row[f"critical_n_{arm}"], strict=True))
            for arm in ("with", "without")
        }
        return {
            "chosen_weights": chosen_weights(len(row["chosen_token_ids"]), row["response_start"]),
            "rejected_weights": rejected_weights(scores, row["response_start"]),
            "critical_token_ids": [ids[position] for position in positions],
            "critical_scores": [scores[position] for position in positions],
            **{f"critical_value_{arm}": [k / n if n else None for k, n in seen] for arm, seen in arms.items()},
            "critical_confirmed": [
                self._confirmed(row, position, behind, without)
                for position, behind, without in zip(positions, arms["with"], arms["without"], strict=True)
            ],
        }

    def _confirmed(
        self, row: Mapping[str, Any], position: int, behind: tuple[int, int], without: tuple[int, int]
    ) -> bool:
        attempts = StepCounts(n_correct=row["n_attempts_right"], n_rollouts=row["n_attempts"], n_undecided=0)
        start = row["response_start"]
        length = len(row["rejected_token_ids"]) - start
        arms = self.confirmation.arms(position - start, length, priors=self.priors[row["slice"]], attempts=attempts)
        for arm, (right, n) in ((arms.with_token, behind), (arms.without_token, without)):
            for place in range(n):
                arm.tell(place < right)
        return self.confirmation.reason(arms) is None


def build_critical_token_pairs(rows: pl.DataFrame, facts: ReleaseFacts, export: Export) -> Draft:
    """Validate the asset's rows, derive weights and confirmations again and lay them out in splits and exports.

    Raises NothingToRelease when there are no rows, and SchemaError when they break the asset's schema or do not follow
    from their scores and counts.
    """
    if rows.is_empty():
        raise NothingToRelease(
            "critical_token_pairs: there are no rows to release: a pair needs a problem with a right attempt and a "
            "wrong one that has an answer; raise attempts.n or attempts.temperature, or look at what the asset dropped "
            "for which reason"
        )
    checked = _checked(CRITICAL_TOKEN_PAIRS.validate(rows).sort(CRITICAL_TOKEN_PAIRS.key), export)
    stable = apply_rules(checked, {"unstable_tokens": pl.col("is_stable")})
    splits = {split: DEFAULT.validate(part) for split, part in split_by_problem(checked, export.shares).items()}
    stages = (
        StageFacts(name="release: default", kept=checked.height),
        StageFacts(name="release: exports", kept=stable.kept.height, dropped=stable.counts()),
    )
    purpose = "everything: both solutions in tokens with scores and weights, tested tokens, provenance"
    settings = {**facts.settings, "export": export.facts()}
    return Draft(
        about=ABOUT,
        tables={"default": Table(schema=DEFAULT, purpose=purpose, splits=splits)},
        facts=replace(facts, stages=(*facts.stages, *stages), settings=settings),
        label_counts={split: count_tokens(part) for split, part in splits.items()},
        pictures=(picture_of_scores(checked),),
        example='print(rows[0]["rejected"], rows[0]["critical_positions"], rows[0]["critical_confirmed"])',
        attachments=exports(splits),
    )


def count_tokens(rows: pl.DataFrame) -> dict[str, int]:
    """How many tested tokens are critical, and how many are not."""
    confirmed = rows["critical_confirmed"].explode().drop_nulls()
    n_critical = int(confirmed.sum())
    return {"critical": n_critical, "not_critical": len(confirmed) - n_critical}


def exports(splits: Mapping[str, pl.DataFrame]) -> dict[str, bytes]:
    """The stable rows of each split as the paper's own trainer reads them: JSON, a dict of lists.

    `ce_prob` has the scores of tokens 2 to T of the tokenised prompt and response, without the end-of-text token;
    `response_start_idx` is the place in it of the response's first token, whose text is `text`.
    """
    files = {}
    for split, rows in splits.items():
        stable = rows.filter("is_stable")
        if stable.height:
            told = {
                "prompt": stable["templated_prompt"].to_list(),
                "chosen": stable["chosen"].to_list(),
                "rejected": stable["rejected"].to_list(),
                "prob_result": [
                    {"pos": _scored(row, "chosen"), "neg": _scored(row, "rejected")}
                    for row in stable.iter_rows(named=True)
                ],
            }
            files[f"exports/{split}.CE_scored.json"] = (json.dumps(told, ensure_ascii=False) + "\n").encode()
    return files


def _scored(row: Mapping[str, Any], side: str) -> dict[str, Any]:
    return {
        "ce_prob": row[f"{side}_scores"][1:-1],
        "response_start_idx": row["response_start"] - 1,
        "text": row[side],
    }


def differing(rows: pl.DataFrame, export: Export) -> list[int]:
    """The numbers of the rows in which a column of `DERIVED` is not what follows from the others."""
    pairs = zip(rows.select(DERIVED).rows(), export.recomputed(rows).rows(), strict=True)
    return [number for number, (told, anew) in enumerate(pairs) if not close(told, anew)]


def _checked(rows: pl.DataFrame, export: Export) -> pl.DataFrame:
    wrong = differing(rows, export)
    if wrong:
        row = rows.row(wrong[0], named=True)
        raise SchemaError(
            f"critical_token_pairs: weights, values or confirmations do not follow from scores and counts in "
            f"{len(wrong)} of {rows.height} rows, first problem {row['problem_id']}: materialise critical_token_pairs "
            "again"
        )
    return rows
