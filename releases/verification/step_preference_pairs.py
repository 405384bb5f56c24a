"""How releases of `step_preference_pairs` are checked: margins from counts, answers, the config `trl`.

Knows the published columns; nothing of folders.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS
from releases.errors import IncompleteManifest
from releases.facts import ReleaseFacts
from releases.schemas import PublishedSchema
from releases.splits import SplitShares
from releases.step_preference_pairs import DEFAULT, TRL, recompute, training_tables
from releases.verification.verifier import Claim, MeasuredConfig, sides


class StepPreferencePairsVerifier:
    """The `Verifier` of `step_preference_pairs`."""

    schemas: Mapping[str, PublishedSchema] = {"default": DEFAULT, "trl": TRL}
    keys: Mapping[str, tuple[str, ...]] = {"default": STEP_PREFERENCE_PAIRS.key}
    lengths: Sequence[str] = ("prefix_token_ids", "chosen_token_ids", "rejected_token_ids")
    further: Mapping[str, MeasuredConfig] = {}

    def shares(self, facts: ReleaseFacts) -> SplitShares:
        """The shares of the splits."""
        told = facts.settings.get("export", {})
        try:
            return SplitShares(validation=told["validation"], test=told["test"])
        except (KeyError, TypeError, ValueError) as bad:
            raise IncompleteManifest(f"settings.export lacks the shares of the splits: {bad!r}") from bad

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """Values, margin and its interval."""
        return recompute(rows)

    def derived(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, Mapping[str, pl.DataFrame]]:
        """The config for TRL; a row that stands there twice counts once."""
        key = STEP_PREFERENCE_PAIRS.key
        once = rows.unique(key, keep="first", maintain_order=True).sort(key)
        return {name: table.splits for name, table in training_tables(once, self.shares(facts)).items()}

    def claims(self, rows: pl.DataFrame) -> Iterator[Claim]:
        """Two a row: the whole solution by the chosen step is right, that by the rejected one is not."""
        before = pl.col("initial_reason_steps")
        return sides(
            rows,
            source="dataset",
            chosen=(before + pl.col("full_chosen")).alias("full_chosen"),
            rejected=(before + pl.col("full_rejected")).alias("full_rejected"),
        )

    def label_counts(self, rows: pl.DataFrame) -> Mapping[str, int]:
        """Pairs have no labels."""
        return {}
