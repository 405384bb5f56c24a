"""Every slice of one round as its tables hold it: `generators.dataset.Round`, and the facts of a release.

It imports no Dagster itself; store and settings do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from dagster_project.partitions import Cell, round_seed
from dagster_project.resources.store import SET_ASIDE, Store
from dagster_project.scorecard import finished_recipe, read_cost, standing
from dagster_project.settings.file import Settings
from filters.rules import most_frequent, reason_counts
from generators.blocks import StoredTable
from generators.dataset import IN_TWO_SLICES, Dataset, MoreFacts, StageFacts
from generators.datasets import STAGES, schema_of
from generators.rows import Rows
from generators.sampling.ledger import totals
from releases.errors import RoundNotReady
from releases.facts import ReleaseFacts, SourceFacts
from releases.problem_ranges import in_ranges

NO_POLICY = "none"  # where none of the problems could be attempted


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredRound:
    """The tables, dropped rows, recipes and ledgers of a round; tables are read slice by slice, as often as asked."""

    settings: Settings
    store: Store
    key: str
    _counted: dict[tuple[str, str], int] = field(default_factory=dict, init=False)

    @cached_property
    def cells(self) -> list[Cell]:
        """The cells of the round, one for each slice."""
        return [Cell(round=self.key, slice=slice_key) for slice_key in self.settings.slices()]

    def slices(self, dataset: Dataset[Any]) -> Iterator[dict[str, pl.DataFrame]]:
        """The tables that a dataset publishes, slice by slice in the order of its rows.

        A large slice comes in parts. A problem that two slices share counts for the first. Rows of a table without a
        slice of their own may stand anywhere in the order, so such tables come whole.
        """
        names = list(dict.fromkeys(name for config in dataset.measured for name in config.tables))
        if all("slice" in dataset.table_schema(config).columns for config in dataset.measured):
            for cell in sorted(self.cells, key=lambda cell: cell.slice):
                yield from in_ranges({name: self._slice(name, cell) for name in names})
        else:
            yield {name: self.rows(name).only() for name in names}

    def rows(self, name: str) -> Rows:
        """The rows of a table, slice by slice; a problem that two slices share counts for the first."""
        return Rows.chained([self._slice(name, cell) for cell in self.cells])

    def recipes(self, stage: str) -> dict[str, dict[str, Any]]:
        """The recipes of a stage by slice, without the slices that it set aside; raises StorageError."""
        drawn = [cell for cell in self.cells if SET_ASIDE not in self.store.read_recipe(stage, cell)]
        return {cell.slice: finished_recipe(self.store, stage, cell) for cell in drawn}

    def repeated(self, name: str) -> int:
        """How many rows of a table a release leaves out because an earlier slice has their problem."""
        return self._heights(name)[1]

    def tokens(self, policies: Sequence[str]) -> dict[str, int]:
        """The tokens in the ledgers of some policies, by kind."""
        return totals([self.store.ledger_folder(policy, cell) for policy in policies for cell in self.cells])

    def drawn(self, stage: str) -> dict[str, int]:
        """The rollouts and the generated tokens that a stage drew itself; empty for one that draws none."""
        costs = [cost for cell in self.cells if (cost := read_cost(self.store, stage, cell)) is not None]
        drawn = {"rollouts": sum(cost.rollouts for cost in costs), "generated": sum(cost.tokens for cost in costs)}
        return drawn if any(drawn.values()) else {}

    def stage_facts(self, stage: str) -> StageFacts:
        """How many rows a stage kept, and how many it dropped for each reason."""
        dropped = pl.concat([self.store.read(self.store.dropped(stage, c)).select("reason") for c in self.cells])
        height, repeated = self._heights(stage)
        reasons = reason_counts(dropped) | ({IN_TWO_SLICES: repeated} if repeated else {})
        return StageFacts(name=stage, kept=height, dropped=reasons)

    def require_ready(self, stages: Sequence[str]) -> None:
        """Raise RoundNotReady if a slice of `stages` is unfinished, or failed a check that blocks."""
        state = standing(self.store, self.cells, stages)
        if not state.is_ready:
            wrong = [*(f"{table} is not finished" for table in state.unmade), *map(str, state.failed)]
            raise RoundNotReady(
                f"round {self.key} cannot be released: {'; '.join(wrong)}. Mend the cause, or the bounds in "
                "[checks] of the settings, and materialise these slices again"
            )

    def why_empty(self, dataset: str) -> str:
        """Why a round has no row of a dataset to release, and what to change."""
        reasons = most_frequent(self.stage_facts(dataset).dropped)
        return (
            f"{dataset}: round {self.key} has no row to release; the asset dropped {reasons}. Its page in the UI says "
            f"what each means; change [{dataset}] of the settings, the problems or the policy, and materialise it again"
        )

    def facts(self, dataset: Dataset[Any], rows: Rows, more: MoreFacts) -> ReleaseFacts:
        """The facts of the round that manifest and card state."""
        policies = sorted(rows.only("policy")["policy"].drop_nulls().unique().to_list())
        per_source = (
            rows.only(dataset.source, "problem_id")
            .group_by(dataset.source)
            .agg(pl.col("problem_id").n_unique())
            .sort(dataset.source)
        )
        sources = {source.name: source for source in self.settings.sources}
        facts = ReleaseFacts(
            policy=", ".join(policies) or NO_POLICY,
            round=self.key,
            sources=[
                SourceFacts(
                    name=name,
                    licence=sources[name].licence,
                    problems=n,
                    answer_rule=sources[name].answer_rule,
                    language=sources[name].language,
                    hub_dataset=sources[name].hub_dataset,
                )
                for name, n in per_source.iter_rows()
            ],
            policy_licence=self.settings.policy.stated_licence if _holds_rollouts(dataset) else None,
            stages=[*map(self.stage_facts, dataset.stages), *more.stages],
            drawn=self.drawn(dataset.stage.name),
            tokens={**self.tokens(policies), **more.tokens},
            settings={stage: _agreed(self.recipes(stage)) for stage in dataset.stages},
            seeds={"round": round_seed(self.key)},
            audit=more.audit,
            figures=more.figures,
            licences=self.settings.releases.licences,
        )
        return replace(facts, licence=facts.joint_licence)

    @cached_property
    def _repeats(self) -> dict[str, list[str]]:
        """By slice the problems that an earlier slice has too: the same content under another source's name."""
        seen: set[str] = set()
        repeats = {}
        for cell in self.cells:
            problems = self._table("problems", cell).frame(["problem_id"])["problem_id"].to_list()
            repeats[cell.slice] = [problem for problem in problems if problem in seen]
            seen.update(problems)
        return repeats

    def _heights(self, name: str) -> tuple[int, int]:
        """How many rows there are, and how many an earlier slice has already."""
        kept = sum(self._slice(name, cell).height for cell in self.cells)
        return kept, sum(self._table(name, cell).height for cell in self.cells) - kept

    def _table(self, name: str, cell: Cell) -> StoredTable:
        return StoredTable(self.store.table(name, cell), schema_of(name))

    def _slice(self, name: str, cell: Cell) -> Rows:
        """The rows of one slice whose problems no earlier slice has, in the order and blocks of their file."""
        repeats = self._repeats[cell.slice]
        key = name, cell.slice
        if key not in self._counted:
            table = self._table(name, cell)
            ids = table.pieces(["problem_id"]) if repeats else ()
            repeated = sum(int(block["problem_id"].is_in(repeats).sum()) for block in ids)
            self._counted[key] = table.height - repeated

        def read(columns: Sequence[str] | None) -> Iterator[pl.DataFrame]:
            wanted = list(dict.fromkeys([*columns, "problem_id"])) if columns else []
            for block in self._table(name, cell).pieces(wanted):
                rows = block.filter(~pl.col("problem_id").is_in(repeats)) if repeats else block
                yield rows.select(columns) if columns else rows

        return Rows(read, self._counted[key])


def _holds_rollouts(dataset: Dataset[Any]) -> bool:
    """Whether its table is made of what the policy wrote; tables that a release joins to it are only about that."""
    stages = (dataset.stage.name, *dataset.stage.needs)
    return any(stage.samples for stage in STAGES if stage.name in stages)


def _agreed(by_slice: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The recipe of a stage; a part in which slices differ is given `by_slice`. Empty where every slice skipped it."""
    parts = dict.fromkeys(part for recipe in by_slice.values() for part in recipe)
    values = {part: {key: recipe.get(part) for key, recipe in by_slice.items()} for part in parts}
    return {part: _one_or_all(of_slices) for part, of_slices in values.items()}


def _one_or_all(of_slices: dict[str, Any]) -> Any:
    first, *others = of_slices.values()
    return first if all(other == first for other in others) else {"by_slice": of_slices}
