"""The store: every path below the data root, which is a local folder or an object-store URL.

`tables/<table>/<round>/<slice>.parquet` with its dropped rows, recipe, cost and scorecard beside it;
`sources/<source>/<key>/`; `ledger/<policy>/<round>/<slice>/`; `adapters/<content key>/`;
`releases/<dataset>/<version>/`; `policies/<folder>/`, `rounds/<round>.*.json` and `evaluations/<policy>.json` of loops;
`logs/`.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from dagster_project.partitions import Cell
from dagster_project.policies.record import POLICIES
from dagster_project.resources.logs import private_logs
from generators.blocks import StoredTable, place
from generators.sampling.ledger import Ledger, Terms, shared
from generators.sampling.storage import (
    StorageError,
    explained,
    is_local,
    read_parquet,
    remove,
    write_bytes,
    write_parquet,
)

SET_ASIDE = "set_aside"  # in the recipe of a slice without answers to verify


class Store(dg.ConfigurableResource):
    """Where tables, ledger, releases and logs are kept."""

    data_root: str
    ledger_wait_s: float = Terms().wait_s

    @property
    def root(self) -> UPath:
        """The data root as a path."""
        return UPath(self.data_root)

    def table(self, name: str, cell: Cell) -> UPath:
        """A table of one slice."""
        return self._file(name, cell, "parquet")

    def dropped(self, name: str, cell: Cell) -> UPath:
        """The rows that were dropped on the way to a table, with a column `reason`."""
        return self._file(name, cell, "dropped.parquet")

    def rounds(self, name: str = "problems") -> list[str]:
        """The rounds that have a table, sorted by name."""
        folder = self.root / "tables" / name
        return sorted(round_.name for round_ in folder.iterdir() if round_.is_dir()) if folder.exists() else []

    def write_recipe(self, stage: str, cell: Cell, recipe: dict[str, Any]) -> None:
        """Write the recipe of a table before the table, and delete the scorecard of the previous one."""
        remove(self.scorecard(stage, cell))
        write_bytes(self._recipe(stage, cell), json.dumps(recipe, sort_keys=True, indent=2).encode())

    def read_recipe(self, stage: str, cell: Cell) -> dict[str, Any]:
        """The recipe of a table: `settings` and `config`, or why the slice was set aside. Empty if there is none."""
        path = self._recipe(stage, cell)
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def scorecard(self, stage: str, cell: Cell) -> UPath:
        """The results of a table's checks, and the figures that rounds are compared by."""
        return self._file(stage, cell, "scorecard.json")

    def cost(self, stage: str, cell: Cell) -> UPath:
        """What a table has cost so far."""
        return self._file(stage, cell, "cost.json")

    def _recipe(self, stage: str, cell: Cell) -> UPath:
        return self._file(stage, cell, "recipe.json")

    def _file(self, name: str, cell: Cell, suffix: str) -> UPath:
        return self.root / "tables" / name / cell.round / f"{cell.slice}.{suffix}"

    def write(self, path: UPath, table: pl.DataFrame | StoredTable) -> None:
        """Write a whole table, or give one that was written block by block its name; raises StorageError."""
        if isinstance(table, StoredTable):
            place(table, path)
        else:
            write_parquet(path, table)

    def read(self, path: UPath) -> pl.DataFrame:
        """Read a table; raises StorageError if it does not exist."""
        return read_parquet(path)

    def ledger_folder(self, policy: str, cell: Cell) -> UPath:
        """The folder with the rollouts of one policy, round and slice."""
        return self.root / "ledger" / policy / cell.round / cell.slice

    def ledger_folders(self, round_key: str) -> list[UPath]:
        """The ledgers of a round, `*` for all rounds, sorted by path; raises StorageError."""
        ledgers = self.root / "ledger"
        with explained(ledgers, "list"):
            return sorted(ledgers.glob(f"*/{round_key}/*"), key=str) if ledgers.exists() else []

    def ledger(
        self, policy: str, cell: Cell, *, run: str = "", say: Callable[[str], None] = lambda line: None
    ) -> AbstractContextManager[Ledger]:
        """The ledger of one policy, round and slice, opened for a run; on entering, raises LedgerHeld."""
        terms = Terms(wait_s=self.ledger_wait_s)
        return shared(self.ledger_folder(policy, cell), lambda folder: Ledger(folder, terms=terms, run=run, say=say))

    @property
    def adapters(self) -> UPath:
        """The folder of trained adapters."""
        return self.root / "adapters"

    @property
    def policies(self) -> Path:
        """The folder of trained policies; raises StorageError if that is no local folder."""
        if not is_local(self.root):
            raise StorageError(
                f"data_root is {self.root}, and policies are trained and served from local files: set data_root to a "
                "local folder to run a loop"
            )
        return Path(self.root.path) / POLICIES

    def evaluation(self, policy: str) -> UPath:
        """What a policy did with the evaluation problems."""
        return self.root / "evaluations" / f"{policy}.json"

    @property
    def releases(self) -> UPath:
        """The root of the local registry."""
        return self.root / "releases"

    @property
    def log_folder(self) -> Path:
        """A local folder for the logs of servers: below the data root, or a private one if that is remote."""
        return Path(self.root.path) / "logs" if is_local(self.root) else private_logs()
