"""The rows of one config as a page holds them: what a browser reads first, and blocks of rows that it reads later."""

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from filters.schema import Column, SchemaError
from releases.errors import DamagedRelease
from releases.verification.opened import OpenedRelease
from releases.viewing.cells import cells, filter_of
from releases.viewing.sampling import share_shown, shown_rows
from releases.viewing.shown import PROBLEM_TEXTS, drawn_columns, facts_of, panels_of, show_values
from releases.viewing.tokens import Tokenizers

ROWS_PER_BLOCK = 50
SPLIT = "split"
_SPLIT = Column(pl.String, "The split that the row is in.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One config: its description as JSON data, and its rows in compressed blocks."""

    head: Mapping[str, Any]
    blocks: tuple[str, ...]


def sheet(release: OpenedRelease, config: str, *, n: int, seed: int, tokenizers: Tokenizers) -> Sheet:
    """The sheet of a config with at most `n` rows; raises UnknownConfig and DamagedRelease."""
    rows = release.existing_rows(config)
    if SPLIT not in rows.columns:
        splits = [name for name, part in release.parts[config].items() for _ in range(part.rows.height)]
        rows = rows.with_columns(pl.Series(SPLIT, splits, dtype=pl.String))
    schema = {**release.schema(config).columns, SPLIT: _SPLIT}
    numbers, are_whole = shown_rows(rows, n=n, seed=seed)
    shown = rows[numbers]
    _require_sound(release, config, shown.select(list(release.schema(config).columns)))
    panels = panels_of(release.dataset, frozenset(schema))
    drawn = drawn_columns(panels)
    kept = [name for name, column in schema.items() if name in drawn or not column.tokenwise]
    values = {name: cells(shown[name]) for name in kept}
    show_values(values, panels, tokenizers, release.manifest.facts.policy)
    head = {
        "name": config,
        "purpose": next(declared.purpose for declared in release.dataset.configs if declared.name == config),
        "says": share_shown(shown.height, rows.height, are_whole=are_whole, seed=seed),
        "numbers": numbers,
        "columns": [
            {"name": name, "meaning": schema[name].meaning, "filter": filter_of(shown[name], schema[name])}
            for name in kept
        ],
        "tokenwise": [name for name in kept if schema[name].tokenwise],
        "panels": [panel.to_json() for panel in panels],
        "problem": PROBLEM_TEXTS,
        "facts": facts_of(release.dataset, schema, drawn),
        "blockSize": ROWS_PER_BLOCK,
    }
    columns = list(values.values())
    starts = range(0, shown.height, ROWS_PER_BLOCK)
    return Sheet(
        head=head, blocks=tuple(packed([cut[start : start + ROWS_PER_BLOCK] for cut in columns]) for start in starts)
    )


def _require_sound(release: OpenedRelease, config: str, rows: pl.DataFrame) -> None:
    """Raise DamagedRelease if a row breaks a rule that its drawing relies on."""
    try:
        release.schema(config).validate(rows)
    except SchemaError as bad:
        name = f"{release.manifest.dataset} {release.manifest.version}"
        raise DamagedRelease(f"{name} has rows that cannot be drawn ({bad}): see `stepmill verify`") from bad


def packed(data: Any) -> str:
    """JSON data, compressed, in letters that stand in HTML as they are."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return b64encode(gzip.compress(text.encode(), mtime=0)).decode()
