"""How releases of `self_correction_traces` are checked: masks from parts, every verdict from its text.

Knows the published columns; nothing of folders.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from generators.self_correction_traces.parts import derived, texts_up_to
from generators.self_correction_traces.table import SELF_CORRECTION_TRACES
from releases.facts import ReleaseFacts
from releases.schemas import PublishedSchema
from releases.self_correction_traces import DEFAULT, SFT, count_origins, sft_splits, shares_of
from releases.splits import SplitShares
from releases.verification.verifier import Claim, MeasuredConfig


class SelfCorrectionTracesVerifier:
    """The `Verifier` of `self_correction_traces`."""

    schemas: Mapping[str, PublishedSchema] = {"default": DEFAULT, "sft": SFT}
    keys: Mapping[str, tuple[str, ...]] = {"default": SELF_CORRECTION_TRACES.key}
    lengths: Sequence[str] = ("text", "token_ids", "triggers")
    further: Mapping[str, MeasuredConfig] = {}

    def shares(self, facts: ReleaseFacts) -> SplitShares:
        """The shares of the splits."""
        return shares_of(facts)

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """Text, chat and masks."""
        return derived(rows)

    def derived(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, Mapping[str, pl.DataFrame]]:
        """The config for training; a row that stands there twice counts once."""
        key = SELF_CORRECTION_TRACES.key
        once = rows.unique(key, keep="first", maintain_order=True).sort(key)
        return {"sft": sft_splits(once, shares_of(facts))}

    def claims(self, rows: pl.DataFrame) -> Iterator[Claim]:
        """One for every answer of a row: that before each trigger, and the last."""
        columns = ("attempts", "triggers", "answer", "source", "verdicts", "answers")
        for number, (attempts, triggers, gold, source, verdicts, answers) in enumerate(
            rows.select(columns).iter_rows()
        ):
            for text, verdict, answer in zip(texts_up_to(attempts, triggers), verdicts, answers, strict=True):
                yield Claim(number, ("verdicts", "answers"), text, gold, source, verdict, answer)

    def label_counts(self, rows: pl.DataFrame) -> Mapping[str, int]:
        """Rows of either origin."""
        return count_origins(rows)
