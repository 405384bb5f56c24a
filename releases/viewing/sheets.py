"""The rows of one config as a page holds them: what a browser reads first, and blocks of rows that it reads later."""

import gzip
import json
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from filters.schema import Column
from generators.dataset import Dataset
from generators.engine.tokenizer import Tokenizer
from generators.view import OF_TRAINERS, Learnt, Pair, Panel, Tokens
from releases.verification.opened import OpenedRelease
from releases.viewing.cells import cells, filter_of
from releases.viewing.sampling import share_shown, shown_rows
from releases.viewing.tokens import Tokenizers, pieces

ROWS_PER_BLOCK = 50
SPLIT = "split"
PROBLEM_TEXTS = ("prompt", "answer")  # drawn above all panels where a config has them
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
    panels = panels_of(release.dataset, frozenset(schema))
    drawn = {name for panel in panels for name in panel.columns()}
    kept = [name for name, column in schema.items() if name in drawn or not column.tokenwise]
    values = {name: cells(shown[name]) for name in kept}
    _show_tokens(values, panels, tokenizers, release.manifest.facts.policy)
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
        "facts": _facts(release, schema, drawn),
        "blockSize": ROWS_PER_BLOCK,
    }
    columns = list(values.values())
    starts = range(0, shown.height, ROWS_PER_BLOCK)
    return Sheet(
        head=head, blocks=tuple(packed([cut[start : start + ROWS_PER_BLOCK] for cut in columns]) for start in starts)
    )


def panels_of(dataset: Dataset[Any], columns: frozenset[str]) -> list[Panel]:
    """The panels of a dataset that a config with these columns has, or those of the shape that a trainer reads."""
    for declared in (dataset.view.panels, OF_TRAINERS):
        if found := [panel for panel in (one.within(columns) for one in declared) if panel is not None]:
            return found
    return []


def packed(data: Any) -> str:
    """JSON data, compressed, in letters that stand in HTML as they are."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _show_tokens(values: dict[str, list[Any]], panels: Sequence[Panel], tokenizers: Tokenizers, policy: str) -> None:
    """Put the texts of tokens in place of their ids where they are known; a pair's columns are cut to the solution.

    Positions then count from the solution's beginning, and labels say whether a token is learnt.
    """
    for panel in panels:
        if isinstance(panel, Learnt):
            _show_learnt(values, panel, tokenizers(policy))
        for side in (panel.chosen, panel.rejected) if isinstance(panel, Pair) else ():
            if side.tokens is not None:
                for row in range(len(values[side.text])):
                    _show_solution(values, row, side.text, side.tokens, tokenizers)


def _show_learnt(values: dict[str, list[Any]], panel: Learnt, tokenizer: Tokenizer | None) -> None:
    rows = list(zip(values[panel.ids], values[panel.labels], strict=True))
    values[panel.labels] = [[label == token_id for token_id, label in zip(*row, strict=True)] for row in rows]
    if tokenizer is not None:
        values[panel.ids] = [pieces(tokenizer, ids) for ids, _ in rows]


def _show_solution(values: dict[str, list[Any]], row: int, text: str, tokens: Tokens, tokenizers: Tokenizers) -> None:
    start = values[tokens.start][row]
    ids = values[tokens.ids][row][start:]
    tokenizer = tokenizers(values[tokens.tokenizer][row])
    texts = tokenizer and pieces(tokenizer, ids, values[text][row])
    values[tokens.ids][row] = texts or ids
    values[tokens.weights][row] = [round(weight, 3) for weight in values[tokens.weights][row][start:]]
    if tokens.tested is not None:
        positions = values[tokens.tested.positions]
        positions[row] = [position - start for position in positions[row]]


def _facts(release: OpenedRelease, schema: Mapping[str, Column], drawn: Collection[str]) -> list[str]:
    """The short columns that are shown beside the problem."""
    names = release.dataset.view.facts or release.dataset.sample_columns
    known = [name for name in names if name in schema and name not in drawn and name not in PROBLEM_TEXTS]
    return [name for name in known if not schema[name].dtype.is_nested()]
