"""The store: every path, below one data root (a local folder or an object-store URL).

Knows no table's meaning. `tables/<asset>/<round>/<slice>.parquet`, with what was dropped, its recipe, its cost and
its scorecard beside it, `ledger/<policy>/<round>/<slice>/`, `adapters/<content key>/`, `releases/<dataset>/<version>/`,
`logs/`.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from dagster_project.partitions import Cell
from generators.sampling.ledger import Ledger
from generators.sampling.storage import is_local, read_parquet, remove, write_bytes, write_parquet


class Store(dg.ConfigurableResource):
    """Where tables, ledger, releases and logs are kept."""

    data_root: str

    @property
    def root(self) -> UPath:
        """The data root as a path."""
        return UPath(self.data_root)

    def table(self, asset: str, cell: Cell) -> UPath:
        """The table of one asset and partition."""
        return self.root / "tables" / asset / cell.round / f"{cell.slice}.parquet"

    def dropped(self, asset: str, cell: Cell) -> UPath:
        """What was dropped on the way to that table, with a `reason` column."""
        return self.root / "tables" / asset / cell.round / f"{cell.slice}.dropped.parquet"

    def rounds(self, asset: str = "problems") -> list[str]:
        """The rounds of which an asset has a table, in the order of their names."""
        folder = self.root / "tables" / asset
        return sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.exists() else []

    def contamination(self, cell: Cell) -> UPath:
        """The problems of a cell that repeat an evaluation item, with both texts side by side."""
        return self.root / "tables" / "problems" / cell.round / f"{cell.slice}.contamination.parquet"

    def audit(self, cell: Cell) -> UPath:
        """What the process labels found of the errors that were planted for them."""
        return self.root / "tables" / "process_labels" / cell.round / f"{cell.slice}.audit.parquet"

    def write_recipe(self, asset: str, cell: Cell, recipe: dict[str, Any]) -> None:
        """Keep what a table is about to be made with; the scorecard of what stood there is void from here on."""
        remove(self.scorecard(asset, cell))
        write_bytes(self._recipe(asset, cell), json.dumps(recipe, sort_keys=True, indent=2).encode())

    def read_recipe(self, asset: str, cell: Cell) -> dict[str, Any]:
        """What a table was made with; empty when it takes no settings."""
        path = self._recipe(asset, cell)
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def scorecard(self, asset: str, cell: Cell) -> UPath:
        """What the checks said of a table, and the figures that rounds are compared by."""
        return self.root / "tables" / asset / cell.round / f"{cell.slice}.scorecard.json"

    def cost(self, asset: str, cell: Cell) -> UPath:
        """What a table cost so far."""
        return self.root / "tables" / asset / cell.round / f"{cell.slice}.cost.json"

    def _recipe(self, asset: str, cell: Cell) -> UPath:
        return self.root / "tables" / asset / cell.round / f"{cell.slice}.recipe.json"

    def write(self, path: UPath, frame: pl.DataFrame) -> None:
        """Write a table whole; raises StorageError."""
        write_parquet(path, frame)

    def read(self, path: UPath) -> pl.DataFrame:
        """Read a table; raises StorageError when it was never made."""
        return read_parquet(path)

    def ledger_folder(self, policy: str, cell: Cell) -> UPath:
        """Where the rollouts of one policy, round and slice are."""
        return self.root / "ledger" / policy / cell.round / cell.slice

    def ledger(self, policy: str, cell: Cell) -> Ledger:
        """The ledger of one policy, round and slice, opened for reading and writing."""
        return Ledger(self.ledger_folder(policy, cell))

    @property
    def adapters(self) -> UPath:
        """Where the adapters of the contrastive models are kept."""
        return self.root / "adapters"

    @property
    def releases(self) -> UPath:
        """The root of the local registry."""
        return self.root / "releases"

    @property
    def log_folder(self) -> Path:
        """A local folder for the logs of processes: below the data root, or a temporary one when that is remote."""
        folder = Path(self.root.path) if is_local(self.root) else Path(tempfile.gettempdir()) / "stepmill"
        return folder / "logs"
