"""How releases of `critical_token_pairs` are checked: weights from scores, confirmations from counts, answers of texts.

Knows the published columns; nothing of folders.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS
from releases.critical_token_pairs import DEFAULT, Export, count_tokens, exports
from releases.facts import ReleaseFacts
from releases.schemas import PublishedSchema
from releases.splits import SplitShares, split_by_problem
from releases.verification.verifier import Claim, MeasuredConfig, sides


class CriticalTokenPairsVerifier:
    """The `Verifier` of `critical_token_pairs`, and of the files beside its tables."""

    schemas: Mapping[str, PublishedSchema] = {"default": DEFAULT}
    keys: Mapping[str, tuple[str, ...]] = {"default": CRITICAL_TOKEN_PAIRS.key}
    lengths: Sequence[str] = ("chosen_token_ids", "rejected_token_ids", "critical_positions")
    further: Mapping[str, MeasuredConfig] = {}

    def shares(self, facts: ReleaseFacts) -> SplitShares:
        """The shares of the splits."""
        return Export.of(facts).shares

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """Weights, values and confirmations."""
        return Export.of(facts).recomputed(rows)

    def derived(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, Mapping[str, pl.DataFrame]]:
        """There is one config only."""
        return {}

    def attachments(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, bytes]:
        """The exports; a row that stands there twice counts once."""
        once = rows.unique(CRITICAL_TOKEN_PAIRS.key, keep="first", maintain_order=True).sort(CRITICAL_TOKEN_PAIRS.key)
        return exports(split_by_problem(once, self.shares(facts)))

    def claims(self, rows: pl.DataFrame) -> Iterator[Claim]:
        """Two a row: the chosen solution is right, the rejected one is not."""
        return sides(rows, source="source", chosen=pl.col("chosen"), rejected=pl.col("rejected"))

    def label_counts(self, rows: pl.DataFrame) -> Mapping[str, int]:
        """Tested tokens that are critical, and that are not."""
        return count_tokens(rows)
