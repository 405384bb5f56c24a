"""What of a row is shown: the panels that a config has columns for, short facts, and tokens as their texts."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from filters.schema import Column
from generators.dataset import Dataset
from generators.engine.tokenizer import Tokenizer
from generators.view import OF_TRAINERS, Learnt, Pair, Panel, Steps, Tokens
from releases.viewing.tokens import Tokenizers, pieces

PROBLEM_TEXTS = ("prompt", "answer")  # drawn above all panels where a config has them
_TRUTH = {1: True, 0: False}  # of a step's label, as a trainer reads it or as a boolean


def panels_of(dataset: Dataset[Any], columns: frozenset[str]) -> list[Panel]:
    """The panels of a dataset that a config with these columns has, or those of the shape that a trainer reads."""
    for declared in (dataset.view.panels, OF_TRAINERS):
        if found := [panel for panel in (one.within(columns) for one in declared) if panel is not None]:
            return found
    return []


def drawn_columns(panels: Sequence[Panel]) -> set[str]:
    """Every column that a panel draws."""
    return {name for panel in panels for name in panel.columns()}


def facts_of(dataset: Dataset[Any], schema: Mapping[str, Column], drawn: Collection[str]) -> list[str]:
    """The short columns that are shown beside the problem."""
    names = dataset.view.facts or dataset.sample_columns
    known = [name for name in names if name in schema and name not in drawn and name not in PROBLEM_TEXTS]
    return [name for name in known if not schema[name].dtype.is_nested()]


def show_values(values: dict[str, list[Any]], panels: Sequence[Panel], tokenizers: Tokenizers, policy: str) -> None:
    """Put the texts of tokens in place of their ids where they are known; a pair's columns are cut to the solution.

    Positions then count from the solution's beginning, and labels say whether a token is learnt, or whether a step is
    right; None where a trainer's label is masked.
    """
    for panel in panels:
        if isinstance(panel, Steps) and panel.labels is not None:
            values[panel.labels] = [labels and list(map(_TRUTH.get, labels)) for labels in values[panel.labels]]
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
