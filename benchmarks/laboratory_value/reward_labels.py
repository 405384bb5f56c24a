"""Solutions with labels of every kind, each kind with as many rollouts as the released labels took.

All kinds share the attempts of the round. What is left of the budget goes into rollouts from the ends of steps, or, for
outcome labels, into attempts at further problems.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from benchmarks.laboratory_value.problems import truth_of
from benchmarks.laboratory_value.reward_model import Labelled
from benchmarks.laboratory_value.rounds import ATTEMPTS, Round, slice_of
from benchmarks.laboratory_value.sections import sections
from generators.attempts.table import attempts_of
from generators.engine.tokenizer import Tokenizer
from generators.models.policy import Policy
from generators.process_labels.labels import with_labels
from generators.process_labels.settings import Settings
from generators.records import Attempt
from generators.sampling.steps import step_ends

PROCESS_LABELS = "process_labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Another way to spend the rollouts: changes of the stage's settings, and about how many a problem takes."""

    name: str
    changes: Mapping[str, Any]
    rollouts: Callable[[float], float]  # of a problem, by the number of steps of its solutions


WAYS: Mapping[str, Way] = {
    way.name: way
    for way in (
        Way(
            name="eight_rollouts",
            changes={"strategy": "exhaustive", "rollouts_per_step": 8},
            rollouts=lambda steps: 2 * 8 * (steps - 1),
        ),
        Way(
            name="one_rollout",
            changes={"strategy": "exhaustive", "rollouts_per_step": 1, "solutions_per_problem": 8},
            rollouts=lambda steps: 3 * (steps - 1),  # of eight attempts, three or four differ
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labelled solutions, and the rollouts that labelled them beside the round's attempts."""

    items: tuple[Labelled, ...]
    rollouts: int


def released(round: Round, *, column: str) -> Labels:
    """The released labels: `hard_labels`, `soft_labels` (step values) or `sound` (that nothing is wrong so far)."""
    rows = _with_labels(round.table(PROCESS_LABELS))
    return Labels(items=tuple(_of_row(row, row[column]) for row in rows), rollouts=rollouts_of(rows))


def true_labels(round: Round, tokenizer: Tokenizer) -> Labels:
    """The truth of the same solutions: whether right lines still lead from each step to the right answer."""
    labels = released(round, column="hard_labels")
    items = tuple(replace(item, labels=tuple(map(float, true_steps(item, tokenizer)))) for item in labels.items)
    return Labels(items=items, rollouts=labels.rollouts)


def true_steps(item: Labelled, tokenizer: Tokenizer) -> list[bool]:
    """For each step of a solution, whether right lines still lead from it to the right answer."""
    prompt, solution = (
        tokenizer.decode(list(ids)) for ids in (item.token_ids[: item.start], item.token_ids[item.start :])
    )
    return [step.is_sound for step in truth_of(prompt, solution).steps]


def shares_met(labels: Labels, tokenizer: Tokenizer) -> dict[str, float]:
    """`labelled`: the share of steps with a label; `true`: the share of those that say, rounded, what is true."""
    pairs = [
        (label, truth)
        for item in labels.items
        for label, truth in zip(item.labels, true_steps(item, tokenizer), strict=True)
    ]
    known = [(label > 0.5) == truth for label, truth in pairs if label is not None]
    return {"labelled": len(known) / max(1, len(pairs)), "true": sum(known) / max(1, len(known))}


def otherwise(round: Round, policy: Policy, way: Way, *, seed: int, budget: int, column: str) -> Labels:
    """Labels of another way, of as many solutions as the budget pays.

    The round's attempts come first, in a random order; attempts at further problems are paid for.
    """
    rows = labelled(round, policy, way, seed=seed, budget=budget)
    ids = set(round.table(ATTEMPTS)["problem_id"])
    order = [row for row in rows if row["problem_id"] in ids]
    random.Random(seed).shuffle(order)
    further = [row for row in rows if row["problem_id"] not in ids]
    affordable, spent, paid = list[dict[str, Any]](), 0, set[str]()
    for row in (*order, *further):
        attempted = row["n_attempts"] if row["problem_id"] not in ids | paid else 0
        spent += attempted + rollouts_of([row])
        if spent > budget:
            break
        paid.add(row["problem_id"])
        affordable.append(row)
    return Labels(items=tuple(_of_row(row, row[column]) for row in affordable), rollouts=min(spent, budget))


def outcomes(round: Round, tokenizer: Tokenizer, *, budget: int) -> Labels:
    """Every attempt of the round and `budget` further ones, each step with the outcome of its solution."""
    further = round.further().head(budget)
    attempts = [
        one for table in (round.table(ATTEMPTS), further) for group in attempts_of(table).values() for one in group
    ]
    items = [
        of_attempt(attempt, tokenizer, float(attempt.verdict.is_right))
        for attempt in attempts
        if attempt.finish_reason == "eos" and not attempt.verdict.is_undecided
    ]
    return Labels(items=tuple(items), rollouts=further.height)


def labelled(round: Round, policy: Policy, way: Way, *, seed: int, budget: int) -> list[dict[str, Any]]:
    """Rows of the stage with the settings of a way, of somewhat more problems than the budget pays; kept."""
    folder = round.folder / f"labelled-{way.name}"
    attempts = pl.concat([round.table(ATTEMPTS), round.further()])
    ids = attempts["problem_id"].unique(maintain_order=True).to_list()
    settings = of_labels().model_copy(update=dict(way.changes))
    steps = round.table(PROCESS_LABELS)["steps"].list.len().mean()
    assert isinstance(steps, float)
    n_problems = min(len(ids), 1 + int(1.3 * budget / way.rollouts(steps)))
    one = slice_of(policy, seed=seed, problems=range(n_problems), folder=folder)
    one.rollouts = round.folder / "round"  # what the released labels drew serves here, too
    if not one.has_table(PROCESS_LABELS):
        attempts.filter(pl.col("problem_id").is_in(ids[:n_problems])).write_parquet(folder / f"{ATTEMPTS}.parquet")
        one.recipes[ATTEMPTS] = round.recipe(ATTEMPTS)
        asyncio.run(one.make(PROCESS_LABELS, settings))
    return _with_labels(one.table(PROCESS_LABELS))


def of_labels() -> Settings:
    """The settings of the released labels."""
    section = sections()[PROCESS_LABELS]
    assert isinstance(section, Settings)
    return section


def _with_labels(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows with the labels that a release derives from them."""
    settings = of_labels()
    derived = with_labels(
        rows,
        hard_threshold=settings.hard_threshold,
        confidence=settings.confidence,
        refuted_steps=settings.refuted_steps,
    )
    return list(derived.iter_rows(named=True))


def rollouts_of(rows: Iterable[Mapping[str, Any]]) -> int:
    """The rollouts of labelled solutions: a node that they share counts once, and a last step has none."""
    spent: dict[tuple[str, str], int] = {}
    for row in rows:
        drawn = zip(row["node_ids"][:-1], row["n_rollouts"], row["n_undecided"], strict=False)
        spent |= {(row["problem_id"], node): decided + undecided for node, decided, undecided in drawn}
    return sum(spent.values())


def _of_row(row: Mapping[str, Any], labels: Sequence[bool | float | None]) -> Labelled:
    start = len(row["prompt_token_ids"])
    return Labelled(
        token_ids=(*row["prompt_token_ids"], *row["token_ids"]),
        start=start,
        ends=tuple(start + end for end in row["step_ends"]),
        labels=tuple(None if label is None else float(label) for label in labels),
    )


def of_attempt(attempt: Attempt, tokenizer: Tokenizer, label: float | None = None) -> Labelled:
    """An attempt with one label on all of its steps."""
    start, ends = len(attempt.prompt_token_ids), step_ends(attempt.token_ids, tokenizer)
    return Labelled(
        token_ids=(*attempt.prompt_token_ids, *attempt.token_ids),
        start=start,
        ends=tuple(start + end for end in ends),
        labels=(label,) * len(ends),
    )
