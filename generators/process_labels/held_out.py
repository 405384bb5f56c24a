"""Whether the labels of a slice are true: fresh rollouts from random steps, which no label has seen.

Of all inner steps with a value, some are chosen by a hash of their place, so the choice knows nothing of outcomes. From
each, `EACH` rollouts are drawn at ledger indexes that nothing else reaches. How many of them end right is held against
what the label predicts: the mean, and a 95 % interval of that number. The number is whole, so no interval of it has
exactly 95 %; its place in the predicted distribution is therefore drawn evenly within its own share (Czado, Gneiting
and Held, "Predictive model assessment for count data", Biometrics 65, 2009, section 2). Where labels are true, places
are even, whatever the number of rollouts; where intervals are too narrow, too many places lie at the ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, comb
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from filters.answers.checker import AnswerRule
from filters.schema import Column, Schema
from generators.checks import Check
from generators.columns import ATTEMPT_KEY, PROBLEM
from generators.dataset import Figures
from generators.process_labels.choosing import Attempts
from generators.process_labels.recipe import ProcessLabelsConfig
from generators.records import Problem, StepCounts
from generators.sampling.steps import step_ends
from generators.sampling.workbench import Workbench
from generators.search.belief import INTERVAL, MIDDLES, Belief
from generators.search.rollouts import Rollouts
from generators.search.sequential_test import SequentialTest, ended
from generators.search.shares import score_interval
from generators.search.strategy import REFUTED, Strategy
from generators.search.tree import Tree

Floats = NDArray[np.float64]
Place = tuple[str, int, int]  # problem, attempt and step
FROM = 3_000_000  # the ledger index of the first; searches, planted errors and the margins of pairs stay below it
EACH = 4  # rollouts from one step
TITLE = "Labels against held-out rollouts"
NAME = "held_out_steps"
COLUMNS = (  # of labelled rows: what the choice of steps and the prediction follow from
    *(*ATTEMPT_KEY, "n_correct", "n_rollouts", "n_undecided", "n_further", "n_attempts", "n_attempts_right"),
    *("values", "sound", "stop_reasons", "false_equations"),
)
HELD_OUT_STEPS = Schema(
    name=NAME,
    columns={
        "problem_id": PROBLEM["problem_id"],
        "attempt_index": Column(pl.Int64, "The labelled solution."),
        "step": Column(pl.Int64, "The step, from whose end the rollouts start."),
        "label": Column(pl.Boolean, "Its hard label; null if not sure.", nullable=True),
        "value": Column(pl.Float64, "Its value by the labels."),
        "n_correct": Column(pl.Int64, "The held-out rollouts with the right answer."),
        "n_rollouts": Column(pl.Int64, "The held-out rollouts whose answer could be decided."),
        "place": Column(pl.Float64, "Where `n_correct` lies in the distribution that the label predicts, 0 to 1."),
    },
    key=(*ATTEMPT_KEY, "step"),
    rules={
        "n_correct: at_most_n_rollouts": pl.col("n_correct").is_between(0, pl.col("n_rollouts")),
        "place: a_share": pl.col("place").is_between(0, 1),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Draws held-out rollouts of labelled steps through one workbench."""

    bench: Workbench
    attempts: Attempts
    rule: AnswerRule
    config: ProcessLabelsConfig

    async def drawn(self, labels: pl.DataFrame, problems: Sequence[Problem], strategy: Strategy) -> pl.DataFrame:
        """Rows of `HELD_OUT_STEPS` for steps of the labelled rows (`COLUMNS` and `hard_labels`); raises EngineError.

        A solution that is no attempt, since the search wrote it, is passed over.
        """
        by_id = {problem.problem_id: problem for problem in problems}
        solutions = {(row["problem_id"], row["attempt_index"]): row for row in labels.iter_rows(named=True)}
        chosen: dict[tuple[str, int], list[int]] = {}
        for problem_id, attempt_index, step in chosen_steps(labels, self.config.settings.held_out):
            chosen.setdefault((problem_id, attempt_index), []).append(step)

        async def draw(key: tuple[str, int]) -> list[dict[str, Any]]:
            counts = await self._counts(by_id[key[0]], key[1], chosen[key])
            if not counts:
                return []
            predicted = predictions(solutions[key], strategy)
            return [held_out_row(solutions[key], step, predicted[step], n_right, n) for step, n_right, n in counts if n]

        self.bench.progress.unit = "solutions with held-out rollouts"
        done = await self.bench.run(draw, sorted(chosen))
        return HELD_OUT_STEPS.frame([row for rows in done.rows for row in rows])

    async def _counts(self, problem: Problem, index: int, steps: Sequence[int]) -> list[tuple[int, int, int]]:
        """Each step with how many of its held-out rollouts are right, and how many are decided."""
        tried = self.attempts.of(problem.problem_id)
        attempt = next((attempt for attempt in tried if attempt.attempt_index == index), None)
        if attempt is None:
            return []
        rollouts = Rollouts(
            problem=problem,
            tree=Tree(problem.problem_id, attempt.prompt_token_ids),
            sampler=self.bench.sampler,
            checker=self.bench.checker,
            rule=self.rule,
            sampling=self.config.sampling,
            max_tokens=self.config.max_tokens,
        )
        ends = step_ends(attempt.token_ids, self.bench.sampler.tokenizer)
        found = []
        for step in steps:
            drawn = await rollouts.continuations_of(attempt.token_ids[: ends[step]], start=FROM, n=EACH)
            outcomes = [continuation.outcome for continuation in drawn if continuation.outcome is not None]
            found.append((step, sum(outcomes), len(outcomes)))
        return found


def chosen_steps(labels: pl.DataFrame, share: float) -> list[Place]:
    """As many inner steps with a value as `share` of the search's rollouts pay for, those with the lowest hashes."""
    counts = zip(labels["n_rollouts"].to_list(), labels["n_further"].to_list(), strict=True)
    paid = share * sum(sum(rollouts[:-1]) - sum(further[:-1]) for rollouts, further in counts)
    places = [
        (problem_id, attempt_index, step)
        for problem_id, attempt_index, values, reasons in labels.select(
            *ATTEMPT_KEY, "values", "stop_reasons"
        ).iter_rows()
        for step in range(len(values) - 1)
        if values[step] is not None and reasons[step] != REFUTED
    ]
    return sorted(places, key=lambda place: _hash("step", place))[: ceil(paid / EACH)]


def predictions(row: Mapping[str, Any], strategy: Strategy) -> Floats:
    """The posterior of the value of each inner step before a refuted one (steps x cells of [0, 1])."""
    columns = (row["n_correct"], row["n_rollouts"], row["n_undecided"])
    counts = [
        StepCounts(n_correct=n_right, n_rollouts=n, n_undecided=undecided)
        for n_right, n, undecided in zip(*columns, strict=True)
    ]
    if isinstance(strategy, SequentialTest):
        refuted = row["stop_reasons"].index(REFUTED) if REFUTED in row["stop_reasons"] else None
        belief = Belief.of(
            ended(counts, refuted),
            n_right=row["n_attempts_right"],
            n_attempts=row["n_attempts"],
            priors=strategy.priors,
        )
        return belief.densities()
    n_right, n_wrong = (
        np.array([[count] for count in numbers[:-1]], dtype=np.float64)
        for numbers in (row["n_correct"], [n - k for k, n in zip(row["n_correct"], row["n_rollouts"], strict=True)])
    )
    logs = n_right * np.log(MIDDLES) + n_wrong * np.log1p(-MIDDLES)
    shares = np.exp(logs - logs.max(1, keepdims=True))
    return np.asarray(shares / shares.sum(1, keepdims=True))


def held_out_row(row: Mapping[str, Any], step: int, density: Floats, n_right: int, n: int) -> dict[str, Any]:
    """A row of `HELD_OUT_STEPS`: `n_right` of `n` held-out rollouts against the posterior of the step's value."""
    numbers = np.arange(n + 1)
    ways = np.array([comb(n, int(number)) for number in numbers])[:, None]
    shares = (ways * MIDDLES ** numbers[:, None] * (1 - MIDDLES) ** (n - numbers[:, None])) @ density
    within = _hash("place", (row["problem_id"], row["attempt_index"], step))
    return {
        **{name: row[name] for name in ATTEMPT_KEY},
        "step": step,
        "label": row["hard_labels"][step],
        "value": row["values"][step],
        "n_correct": n_right,
        "n_rollouts": n,
        "place": min(1.0, float(shares[:n_right].sum() + within * shares[n_right])),
    }


def held_out_figures(held: pl.DataFrame) -> Figures:
    """What the labels state and what held-out rollouts show, for all steps and by label; empty without a step.

    `inside` is the share of steps whose rollouts lie in the predicted 95 % interval, `inside_low` and `inside_high` are
    the 95 % interval of that share.
    """
    kinds = {
        "all": pl.lit(True),
        "right": pl.col("label").eq_missing(True),
        "wrong": pl.col("label").eq_missing(False),
        "not sure": pl.col("label").is_null(),
    }
    by_kind = {kind: held.filter(where) for kind, where in kinds.items()}
    return {kind: _figures(rows) for kind, rows in by_kind.items() if rows.height}


def _figures(held: pl.DataFrame) -> dict[str, float | None]:
    tail = (1 - INTERVAL) / 2
    n_inside = int(held["place"].is_between(tail, 1 - tail).sum())
    low, high = score_interval(n_inside / held.height, held.height)
    n_rollouts, n_right = int(held["n_rollouts"].sum()), int(held["n_correct"].sum())
    return {
        "steps": held.height,
        "rollouts": n_rollouts,
        "stated": float((held["value"] * held["n_rollouts"]).sum()) / n_rollouts,
        "measured": n_right / n_rollouts,
        "inside": n_inside / held.height,
        "inside_low": low,
        "inside_high": high,
    }


def labels_are_true(held: pl.DataFrame) -> Check:
    """Passes while held-out rollouts do not show that fewer than 95 % of them lie in the predicted intervals."""
    found = held_out_figures(held).get("all", {})
    high, inside = (found.get(name) or 0.0 for name in ("inside_high", "inside"))
    why = f"the rollouts of {inside:.3f} of {held.height} steps lie in the 95 % intervals that their labels predict"
    return Check(
        name="labels_are_true",
        passed=held.is_empty() or high >= INTERVAL,
        why=why if held.height else "no held-out rollout was drawn",
        remedy="Values and soundness of this slice are too sure. Raise `pilot` of [process_labels], so that more "
        "problems teach the priors, or raise `confidence`.",
        blocks=False,
        figures={name: float(value) for name, value in found.items() if value is not None},
    )


def _hash(purpose: str, place: Place) -> float:
    """An even number from 0 to 1 that follows from a place."""
    digest = blake2b(f"{purpose}/{'/'.join(map(str, place))}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
