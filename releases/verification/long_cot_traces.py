"""How releases of `long_cot_traces` are checked: scores from verdicts, behaviours from thoughts, rewards from texts.

Knows the published columns; nothing of folders. What a reward model said cannot be derived, so it is taken as told.
"""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from filters.answers.verdicts import VERIFIER
from generators.long_cot_traces.schema import LONG_COT_PAIRS, LONG_COT_TRACES
from releases.facts import ReleaseFacts
from releases.long_cot_recomputation import SIDES, Export, recompute_pairs, recompute_traces, solution_of
from releases.long_cot_traces import DEFAULT, PAIRS, count_kinds
from releases.schemas import PublishedSchema
from releases.splits import SplitShares
from releases.verification.verifier import Claim, MeasuredConfig


class LongCotPairsConfig:
    """The `MeasuredConfig` of the pairs: most of their samples stand in no row of the first config."""

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """Format, score and reward of both sides, and the margin."""
        return recompute_pairs(rows, Export.of(facts))

    def claims(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Iterator[Claim]:
        """One for each well-formed side that the verifier scored."""
        export = Export.of(facts)
        for number, row in enumerate(rows.iter_rows(named=True)):
            for side in SIDES:
                solution = solution_of(row, side, export)
                if row["scored_by"] == VERIFIER and solution is not None:
                    columns, verdict = (f"{side}_verdict", None), str(row[f"{side}_verdict"])
                    yield Claim(number, columns, solution, row["answer"], row["source"], verdict, None)


class LongCotTracesVerifier:
    """The `Verifier` of `long_cot_traces`."""

    schemas: Mapping[str, PublishedSchema] = {"default": DEFAULT, "pairs": PAIRS}
    keys: Mapping[str, tuple[str, ...]] = {"default": LONG_COT_TRACES.key, "pairs": LONG_COT_PAIRS.key}
    lengths: Sequence[str] = ("internal_thoughts", "external_solution", "token_ids")
    further: Mapping[str, MeasuredConfig] = {"pairs": LongCotPairsConfig()}

    def shares(self, facts: ReleaseFacts) -> SplitShares:
        """The shares of the splits."""
        return Export.of(facts).shares

    def recomputed(self, rows: pl.DataFrame, facts: ReleaseFacts) -> pl.DataFrame:
        """Messages, score and behaviours."""
        return recompute_traces(rows, Export.of(facts))

    def derived(self, rows: pl.DataFrame, facts: ReleaseFacts) -> Mapping[str, Mapping[str, pl.DataFrame]]:
        """No config follows from another one."""
        return {}

    def claims(self, rows: pl.DataFrame) -> Iterator[Claim]:
        """One a row that the verifier scored: its solution's own answer."""
        columns = ("scored_by", "external_solution", "answer", "source", "verdict", "extracted")
        for number, (scored_by, solution, answer, source, verdict, extracted) in enumerate(
            rows.select(columns).iter_rows()
        ):
            if scored_by == VERIFIER:
                yield Claim(number, ("verdict", "extracted"), solution, answer, source, verdict, extracted)

    def label_counts(self, rows: pl.DataFrame) -> Mapping[str, int]:
        """How often the thoughts show each behaviour."""
        return count_kinds(rows)
