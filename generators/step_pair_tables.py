"""Located errors and step pairs as table rows, and back.

Knows no files. The tables are declared in `filters.schemas`.
"""

from collections.abc import Iterable

import polars as pl

from filters.schemas import STEP_PREFERENCE_PAIRS
from generators.records import LocatedError, StepPair
from generators.tables import Provenance


def errors_of(frame: pl.DataFrame) -> dict[str, list[LocatedError]]:
    """The located errors of a table by problem id, in the order of their attempts."""
    by_problem: dict[str, list[LocatedError]] = {}
    for row in frame.sort("problem_id", "attempt_index").select(LocatedError.__slots__).iter_rows(named=True):
        row["token_ids"] = tuple(row["token_ids"])
        row["prompt_token_ids"] = tuple(row["prompt_token_ids"])
        by_problem.setdefault(row["problem_id"], []).append(LocatedError(**row))
    return by_problem


def step_pairs_table(pairs: Iterable[StepPair], localiser: str, provenance: Provenance) -> pl.DataFrame:
    """The `step_preference_pairs` table of one slice."""
    rows = []
    for pair in pairs:
        better, worse = pair.margin.chosen, pair.margin.rejected
        rows.append(
            {
                "dataset": pair.problem.source,
                "prompt": pair.problem.prompt,
                "initial_reason_steps": pair.initial_reason_steps,
                "chosen": pair.chosen.text,
                "rejected": pair.rejected.text,
                "full_chosen": pair.chosen.full_text,
                "full_rejected": pair.rejected.full_text,
                "answer": pair.problem.answer,
                "problem_id": pair.problem.problem_id,
                "attempt_index": pair.error.attempt_index,
                "step_index": pair.error.step_index,
                "chosen_index": pair.chosen_index,
                "margin": pair.margin.value,
                "margin_low": pair.margin.low,
                "margin_high": pair.margin.high,
                "chosen_value": better.value,
                "rejected_value": worse.value,
                "chosen_n_correct": better.counts.n_correct,
                "chosen_n_rollouts": better.counts.n_rollouts,
                "rejected_n_correct": worse.counts.n_correct,
                "rejected_n_rollouts": worse.counts.n_rollouts,
                "n_rollouts": better.counts.n_rollouts + worse.counts.n_rollouts,
                "is_final_step": pair.chosen.is_final,
                "rejected_is_final_step": pair.rejected.is_final,
                "prefix_token_ids": pair.prefix_token_ids,
                "chosen_token_ids": pair.chosen.token_ids,
                "rejected_token_ids": pair.rejected.token_ids,
                "templated_prompt": pair.templated_prompt,
                "is_stable": pair.is_stable,
                "pass_rate": pair.error.pass_rate,
                "localiser": localiser,
                **provenance,
            }
        )
    return STEP_PREFERENCE_PAIRS.frame(rows)
