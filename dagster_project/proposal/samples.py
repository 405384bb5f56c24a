"""A sample of the rows that a settings file is proposed for, from a file or from a dataset on the Hub."""

import os
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from generators.problems.files import FileProblems
from generators.problems.rows import SUFFIXES, suffix_of
from generators.problems.source import SourceError

SAMPLED = 200
_GLOB = re.compile(r"[*?\[]")
_PREFERRED = {"config": ("default", "main"), "split": ("train",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Some rows, how many there are in all (None if unknown), and the fields of the settings that name their source.

    `licence` and `language` are what the card of a Hub dataset says.
    """

    label: str
    name: str
    rows: tuple[Mapping[str, Any], ...]
    total: int | None
    fields: Mapping[str, str]
    licence: str | None = None
    language: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns in the order of the rows."""
        return list(dict.fromkeys(name for row in self.rows for name in row))


def sample_of(source: str, *, beside: Path) -> Sample:
    """A sample of a file or of a Hub dataset; paths become relative to the folder `beside`. Raises SourceError."""
    if suffix_of(source) or _GLOB.search(source) or Path(source).is_dir():
        return _of_file(source, beside)
    if "/" in source and not Path(source).exists() and re.fullmatch(r"[\w.-]+/[\w.-]+", source):
        return _of_hub(source)
    fault = "has another suffix" if Path(source).exists() else "does not exist, nor is it the id of a Hub dataset"
    raise SourceError(
        f"{source} {fault}: name a {', '.join(SUFFIXES)} file, a folder or a glob of them, or a Hub dataset as org/name"
    )


def _of_file(source: str, beside: Path) -> Sample:
    name = name_of(source)
    file = FileProblems(name=name, path=source)
    readable = [entry.fields is not None for entry in file.entries()]
    places = [place for place, is_read in enumerate(readable) if is_read]
    if not places:
        first = next(file.entries())
        raise SourceError(f"problem file {source} has no readable row ({first.reason}): mend the file")
    chosen = places if len(places) <= SAMPLED else random.Random(0).sample(places, SAMPLED)
    found = {place: entry.fields for place, entry in enumerate(file.entries()) if place in set(chosen)}
    rows = tuple(fields for place in chosen if (fields := found[place]) is not None)
    path = source if "://" in source else os.path.relpath(Path(source).expanduser().resolve(), beside.resolve())
    return Sample(
        label=source,
        name=name,
        rows=rows,
        total=len(readable),
        fields={"kind": "file", "path": path},
    )


def _of_hub(dataset: str) -> Sample:
    import httpx2  # the HTTP client of huggingface_hub
    from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset
    from datasets.exceptions import DatasetGenerationError
    from huggingface_hub import HfApi

    try:
        revision = HfApi().dataset_info(dataset).sha
        config = _preferred("config", get_dataset_config_names(dataset, revision=revision))
        split = _preferred("split", get_dataset_split_names(dataset, config, revision=revision))
        stream = load_dataset(dataset, config, split=split, revision=revision, streaming=True)
        rows = tuple(islice(stream, SAMPLED))
    except (OSError, ValueError, DatasetGenerationError, httpx2.HTTPError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise SourceError(
            f"the Hub dataset {dataset} cannot be read ({reason}): check its id, and the network or token that it needs"
        ) from error
    splits = stream.info.splits or {}
    total = splits[split].num_examples if split in splits else None
    licence, language = _card(dataset, revision)
    fields = {"kind": "hub", "dataset": dataset, "config": config, "split": split, "revision": str(revision)}
    return Sample(
        label=f"{dataset} on the Hub",
        name=name_of(dataset),
        rows=rows,
        total=total or None,
        fields=fields,
        licence=licence,
        language=language,
    )


def _card(dataset: str, revision: str | None) -> tuple[str | None, str | None]:
    """Licence and language as the card says, None where it says none or several."""
    from huggingface_hub import DatasetCard, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        card = DatasetCard.load(hf_hub_download(dataset, "README.md", repo_type="dataset", revision=revision))
    except EntryNotFoundError:
        return None, None
    data = card.data.to_dict()
    licence, language = (_only(data.get(name)) for name in ("license", "language"))
    return licence, language


def _only(value: Any) -> str | None:
    values = value if isinstance(value, list) else [value]
    return str(values[0]) if len(values) == 1 and values[0] else None


def _preferred(what: str, names: Sequence[str]) -> str:
    return next((name for name in _PREFERRED[what] if name in names), names[0])


def name_of(source: str) -> str:
    """The name of a file without its suffix, of a folder or of a Hub dataset, as one word."""
    suffix = suffix_of(source)
    last = source.rstrip("/").removesuffix(suffix or "").rpartition("/")
    stem = (
        last[0].rpartition("/")[2] if _GLOB.search(last[2]) else last[2]
    )  # files of a glob are named for their folder
    return re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_") or "problems"
