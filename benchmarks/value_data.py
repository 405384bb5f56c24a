"""The data of `benchmarks.data_value`: rows of one registry's releases, and problems held out from them."""

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
    """The latest versions in a local registry."""

    root: Path

    def manifest(self, dataset: str) -> Manifest | None:
        """The manifest of the latest version, or None if there is none."""
        registry = LocalRegistry(UPath(self.root))
        latest = registry.latest(dataset)
        return registry.manifest(dataset, latest.version) if latest else None

    def folder(self, dataset: str) -> Path:
        """The folder of the latest version; raises UnknownRelease if there is none."""
        manifest = self.manifest(dataset)
        if manifest is None:
            raise UnknownRelease(f"{self.root} has no version of {dataset}: release a round with rows of it first")
        return self.root / dataset / manifest.version

    def train(self, dataset: str, config: str) -> Dataset | None:
        """The split `train` of a config of the latest version, or None if there is none."""
        if self.manifest(dataset) is None:
            return None
        return load_release(str(self.folder(dataset)), config).get("train")

    def trained_on(self, datasets: Collection[str]) -> pl.DataFrame:
        """Id and prompt of every problem in a split `train`, as far as the configs have these columns."""
        frames = []
        for dataset in datasets:
            for path in sorted(self.folder(dataset).glob("data/*/train-*.parquet")):
                columns: list[str] = [name for name in ("problem_id", "prompt") if name in pl.read_parquet_schema(path)]
                rows = pl.read_parquet(path, columns=columns) if columns else pl.DataFrame()
                frames.append(rows.select(pl.col(name) for name in columns if rows[name].dtype == pl.String))
        return pl.concat(frames, how="diagonal").unique() if frames else pl.DataFrame()


def held_out(problems: Sequence[Problem], trained_on: pl.DataFrame, *, n: int) -> list[Problem]:
    """The first `n` of `problems`.

    Raises ValueError if a problem is in a train split, by its id or its prompt's words, or if there are fewer.
    """
    ids, prompts = (_texts(trained_on, column) for column in ("problem_id", "prompt"))
    known = set(map(words, prompts))
    leaked = [problem for problem in problems if problem.problem_id in ids or words(problem.prompt) in known]
    if leaked:
        raise ValueError(
            f"{len(leaked)} of {len(problems)} evaluation problems are in a train split, first {leaked[0].prompt!r}: "
            "name the settings that made the releases, whose evaluation sets share no problem with them"
        )
    if len(problems) < n:
        raise ValueError(f"problems must be at most the {len(problems)} of the evaluation sets, got {n}")
    return list(problems[:n])


def _texts(frame: pl.DataFrame, column: str) -> set[str]:
    return set(frame[column].drop_nulls()) if column in frame.columns else set()


def words(prompt: str) -> str:
    """The prompt in lower case with normalized white space."""
    return " ".join(prompt.lower().split())


def right_attempts(labels: Dataset | None, pairs: Dataset | None) -> Dataset:
    """The distinct right attempts in process labels and critical-token pairs, with the prompt masked in `labels`."""
    prompt_lengths: dict[tuple[int, ...], int] = {}
    for row in labels or ():
        if row["verdict"] == "equal":
            prompt_lengths[(*row["prompt_token_ids"], *row["token_ids"])] = len(row["prompt_token_ids"])
    for row in pairs or ():
        prompt_lengths[tuple(row["chosen_token_ids"])] = row["response_start"]
    rows = [
        {"input_ids": list(ids), "labels": [IGNORED] * start + list(ids[start:])}
        for ids, start in sorted(prompt_lengths.items())
    ]
    return Dataset.from_list(rows)


def drawn(rows: Dataset, *, n: int, seed: int) -> Dataset:
    """`n` rows in an order determined by the seed, or all if there are fewer."""
    return rows.shuffle(seed=seed).select(range(min(n, len(rows))))


def attempts_config(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """How a release's attempts were drawn (`sampling`, `max_tokens`), from its settings; raises ValueError."""
    config: Mapping[str, Any] = settings.get("attempts", {}).get("config", {})
    if not {"sampling", "max_tokens"} <= config.keys():
        raise ValueError("the slices of the release drew their attempts differently, so no sampling continues them all")
    return config
