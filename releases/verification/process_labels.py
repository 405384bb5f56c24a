"""How releases of `process_labels` are checked: labels from counts, verdicts from texts, training configs from labels.

Knows the published columns; nothing of folders.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from generators.process_labels.labels import LABELS, count_labels, with_labels
from generators.process_labels.table import PROCESS_LABELS
from releases.errors import IncompleteManifest
from releases.facts import ReleaseFacts
from releases.process_labels import DEFAULT, TRAINING, Export, training_tables
from releases.recomputation import MEASURES
from releases.schemas import PublishedSchema
from releases.splits import SplitShares
from releases.verification.verifier import Claim, MeasuredConfig


class ProcessLabelsVerifier:
    """The `Verifier` of `process_labels`."""

    schemas: Mapping[str, PublishedSchema] = {"default": DEFAULT, **{name: one for name, (one, _) in TRAINING.items()}}
    keys: Mapping[str, tuple[str, ...]] = {"default": PROCESS_LABELS.key}
    lengths: Sequence[str] = ("steps", "token_ids")
    further: Mapping[str, MeasuredConfig] = {}

    def shares(self, facts: ReleaseFacts) -> SplitShares:
        """The shares of the splits."""
        return Export.of(facts).shares

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """Values and soundness by counts and priors, hard labels and first errors by the released soundness.

        Two machines may differ in the last digits of a soundness: no label at the edge shall turn with them.
        """
        export = Export.of(facts)
        unknown = export.slices_without_priors(rows)
        if unknown:
            raise IncompleteManifest(f"settings.export holds no priors of {', '.join(unknown)}, whose rows have some")
        values = export.recomputed(rows).select(MEASURES)
        released = rows.with_columns(pl.col("soft_labels").alias("values")).drop(LABELS)
        labels = with_labels(released, hard_threshold=export.hard_threshold, confidence=export.confidence)
        return values.with_columns(labels["hard_labels"], labels["first_error"])

    def derived(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, Mapping[str, pl.DataFrame]]:
        """The configs for training; a row that stands there twice counts once."""
        once = rows.unique(PROCESS_LABELS.key, keep="first", maintain_order=True).sort(PROCESS_LABELS.key)
        return {name: table.splits for name, table in training_tables(once, Export.of(facts)).items()}

    def claims(self, rows: pl.DataFrame) -> Iterator[Claim]:
        """One a row: the solution's own answer."""
        columns = ("steps", "answer", "source", "verdict", "extracted")
        for number, (steps, answer, source, verdict, extracted) in enumerate(rows.select(columns).iter_rows()):
            yield Claim(number, ("verdict", "extracted"), "".join(steps), answer, source, verdict, extracted)

    def label_counts(self, rows: pl.DataFrame) -> Mapping[str, int]:
        """Steps that are right, wrong and undecided."""
        return count_labels(rows)
