"""The data of one seed: a round that the stages make, and what each of its tables cost by the ledger.

A second slice holds attempts at further problems, which cost as much as the whole round: what a user who only keeps
right attempts would have for the same tokens.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, Self

import polars as pl
from upath import UPath

from benchmarks.engine_slice import EngineSlice
from benchmarks.kept import kept
from benchmarks.laboratory_value.engine import CONTEXT, engine_of
from benchmarks.laboratory_value.problems import of_round
from benchmarks.laboratory_value.sections import sections, source
from generators.datasets import STAGES
from generators.models.policy import Policy
from generators.problems.table import PROBLEMS
from generators.sampling.ledger.totals import totals
from generators.sampling.storage import write_parquet

VERSION = 1  # increase when a change here changes the tables
ATTEMPTS = "attempts"
FURTHER = "further"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What was generated for a table, beyond what the tables before it had generated."""

    rollouts: int
    tokens: int

    def __add__(self, other: Self) -> "Cost":
        return Cost(rollouts=self.rollouts + other.rollouts, tokens=self.tokens + other.tokens)

    def __sub__(self, other: Self) -> "Cost":
        return Cost(rollouts=self.rollouts - other.rollouts, tokens=self.tokens - other.tokens)

    def to_json(self) -> dict[str, int]:
        """The cost as JSON data."""
        return {"rollouts": self.rollouts, "tokens": self.tokens}


NOTHING = Cost(rollouts=0, tokens=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The tables of a seed, in `folder`, and the cost of each stage."""

    folder: Path
    costs: Mapping[str, Cost]

    def table(self, name: str) -> pl.DataFrame:
        """A table of the round."""
        return pl.read_parquet(self.folder / "round" / f"{name}.parquet")

    def further(self) -> pl.DataFrame:
        """Attempts at further problems, in the order of the problems."""
        return pl.read_parquet(self.folder / FURTHER / "attempts.parquet")

    def recipe(self, stage: str) -> Mapping[str, Any]:
        """The recipe of a stage."""
        recipes: dict[str, Mapping[str, Any]] = json.loads((self.folder / "recipes.json").read_text())
        return recipes[stage]

    def cost(self, stage: str) -> Cost:
        """The cost of a table with all that it needs."""
        needs = next(each.needs for each in STAGES if each.name == stage)
        return sum((self.costs[name] for name in (*needs, stage) if name in self.costs), NOTHING)

    @property
    def whole(self) -> Cost:
        """The cost of all tables together."""
        return sum(self.costs.values(), NOTHING)


def round_of(policy: Policy, *, seed: int, problems: int, folder: Path) -> Round:
    """The round of a seed, made now or read back; an interrupted one resumes from its ledger."""
    content = {
        "version": VERSION,
        "policy": policy.name,
        "seed": seed,
        "problems": problems,
        "settings": {name: section.recipe() for name, section in sections().items()},
        "stages": {stage.name: stage.version for stage in STAGES},
    }
    made: dict[str, Any] = kept(folder, f"round-{seed}", content, lambda into: _make(policy, seed, problems, into))
    return Round(folder=Path(made["folder"]), costs={name: Cost(**cost) for name, cost in made["costs"].items()})


def _make(policy: Policy, seed: int, problems: int, into: Path) -> dict[str, Any]:
    one = slice_of(policy, seed=seed, problems=range(problems), folder=into / "round")
    problems_table = PROBLEMS.frame([asdict(problem) for problem in one.problems()])
    write_parquet(UPath(one.folder / f"{PROBLEMS.name}.parquet"), problems_table)
    costs = {}
    before = NOTHING
    for stage in STAGES:
        if stage.name in sections():
            after = Cost(**kept(into, f"spent-{stage.name}", {}, partial(_spent_after, one, stage.name)))
            if stage.name not in one.recipes:  # made by an interrupted call: what it drew is in the ledger
                asyncio.run(one.make(stage.name, sections()[stage.name]))
            costs[stage.name], before = after - before, after
    (into / "recipes.json").write_text(json.dumps(one.recipes))
    of_attempts = costs[ATTEMPTS]
    more = ceil(1.05 * (before.tokens - of_attempts.tokens) / of_attempts.tokens * problems)
    further = slice_of(policy, seed=seed, problems=range(problems, problems + more), folder=into / FURTHER)
    asyncio.run(further.make(ATTEMPTS, sections()[ATTEMPTS]))
    return {"folder": str(into), "costs": {name: cost.to_json() for name, cost in costs.items()}}


def _spent_after(one: EngineSlice, stage: str, _: Path) -> dict[str, int]:
    """What the ledger holds once a stage is made."""
    asyncio.run(one.make(stage, sections()[stage]))
    spent = totals([one.ledger])
    return {"rollouts": spent["rollouts"], "tokens": spent["generated"]}


def slice_of(policy: Policy, *, seed: int, problems: range, folder: Path) -> EngineSlice:
    """A slice of the problems of a seed with these numbers, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return EngineSlice(
        serving=partial(engine_of, policy),
        policy=policy,
        questions=of_round(problems.stop, seed)[problems.start :],
        folder=folder,
        source=source(),
        seed=seed,
        key=f"laboratory-{seed}",
        context=CONTEXT,
    )
