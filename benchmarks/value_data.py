"""What `benchmarks.data_value` trains on and asks: rows of the releases of one registry, and problems held out of them.

Knows the releases' columns; nothing of training or serving.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from datasets import Dataset
from upath import UPath

from examples.common import IGNORED, load_release
from generators.records import Problem
from releases.errors import UnknownRelease
from releases.manifest import Manifest
from releases.registry.local import LocalRegistry

RIGHT_ATTEMPTS = "right_attempts"


@dataclass(frozen=True, slots=True)
class Registry:
    """The latest versions below a registry's root, a local folder."""

    root: Path

    def manifest(self, dataset: str) -> Manifest | None:
        """The manifest of the latest version, or None where there is none."""
        registry = LocalRegistry(UPath(self.root))
        latest = registry.latest(dataset)
        return registry.manifest(dataset, latest.version) if latest else None

    def folder(self, dataset: str) -> Path:
        """The folder of the latest version; raises UnknownRelease where there is none."""
        manifest = self.manifest(dataset)
        if manifest is None:
            raise UnknownRelease(f"{self.root} has no version of {dataset}: release a round with rows of it first")
        return self.root / dataset / manifest.version

    def train(self, dataset: str, config: str) -> Dataset | None:
        """The split `train` of a config of the latest version, or None where there is none."""
        if self.manifest(dataset) is None:
            return None
        return load_release(str(self.folder(dataset)), config).get("train")

    def trained_on(self, datasets: Collection[str]) -> pl.DataFrame:
        """Id and prompt of every problem in a split `train`, as far as configs name them."""
        found = []
        for dataset in datasets:
            for path in sorted(self.folder(dataset).glob("data/*/train-*.parquet")):
                columns: list[str] = [name for name in ("problem_id", "prompt") if name in pl.read_parquet_schema(path)]
                rows = pl.read_parquet(path, columns=columns) if columns else pl.DataFrame()
                found.append(rows.select(pl.col(name) for name in columns if rows[name].dtype == pl.String))
        return pl.concat(found, how="diagonal").unique() if found else pl.DataFrame()


def held_out(problems: Sequence[Problem], trained_on: pl.DataFrame, *, n: int) -> list[Problem]:
    """The first `n` of `problems`; raises ValueError where one is in a train split, by its id or by its prompt's words.

    Too few are an error too.
    """
    ids, prompts = (_texts(trained_on, column) for column in ("problem_id", "prompt"))
    spelt = set(map(words, prompts))
    both = [one for one in problems if one.problem_id in ids or words(one.prompt) in spelt]
    if both:
        raise ValueError(
            f"{len(both)} of {len(problems)} evaluation problems are in a train split, first {both[0].prompt!r}: name "
            "the settings that the releases were made with, whose evaluation sets their problems do not repeat"
        )
    if len(problems) < n:
        raise ValueError(f"problems must be at most the {len(problems)} of the evaluation sets, got {n}")
    return list(problems[:n])


def _texts(frame: pl.DataFrame, column: str) -> set[str]:
    return set(frame[column].drop_nulls()) if column in frame.columns else set()


def words(prompt: str) -> str:
    """A prompt without regard to case and white space."""
    return " ".join(prompt.lower().split())


def right_attempts(labels: Dataset | None, pairs: Dataset | None) -> Dataset:
    """The right attempts that stand in process labels and critical-token pairs, each once, the prompt without loss."""
    found: dict[tuple[int, ...], int] = {}
    for row in labels or ():
        if row["verdict"] == "equal":
            found[(*row["prompt_token_ids"], *row["token_ids"])] = len(row["prompt_token_ids"])
    for row in pairs or ():
        found[tuple(row["chosen_token_ids"])] = row["response_start"]
    rows = [
        {"input_ids": list(ids), "labels": [IGNORED] * start + list(ids[start:])}
        for ids, start in sorted(found.items())
    ]
    return Dataset.from_list(rows)


def drawn(rows: Dataset, *, n: int, seed: int) -> Dataset:
    """`n` rows in an order that follows from the seed; all where there are fewer."""
    return rows.shuffle(seed=seed).select(range(min(n, len(rows))))


def one_law(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the attempts behind a release were drawn (`sampling`, `max_tokens`), by its settings; raises ValueError."""
    law: Mapping[str, Any] = facts.get("attempts", {})
    if not {"sampling", "max_tokens"} <= law.keys():
        raise ValueError("the release was made of slices with different attempts, and no one law continues them all")
    return law
