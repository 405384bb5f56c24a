"""A sound release of eight rows in a registry, and the changes that make a hostile one of it.

Whatever is changed, digests, sizes and `versions.json` are put right again, so that nothing else gives the change away.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from upath import UPath

DATASET, VERSION = "process_labels", "v0.1.0"
SHARD = "data/full/train-00000-of-00001.parquet"


@dataclass(frozen=True, slots=True)
class Release:
    """A release in the registry `root`."""

    root: Path

    @property
    def dataset(self) -> Path:
        """The folder of the dataset."""
        return self.root / DATASET

    @property
    def folder(self) -> Path:
        """The folder of the version."""
        return self.dataset / VERSION

    @property
    def manifest(self) -> Path:
        """The manifest's file."""
        return self.folder / "manifest.json"

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the manifest's data."""
        data = json.loads(self.manifest.read_text("utf-8"))
        change(data)
        self.write(json.dumps(data).encode())

    def replace(self, old: str, new: str) -> None:
        """Replace a text in the manifest once, as JSON that no writer of JSON would write."""
        text = self.manifest.read_text("utf-8")
        assert old in text
        self.write(text.replace(old, new, 1).encode())

    def write(self, content: bytes) -> None:
        """Write the manifest, and list its digest."""
        self.manifest.write_bytes(content)
        entry = {"version": VERSION, "round": "benchmark", "manifest": sha256(content).hexdigest()}
        (self.dataset / "versions.json").write_text(json.dumps([entry]))

    def put(self, path: str, content: bytes) -> None:
        """Write a file, and list it with its size and digest."""
        (self.folder / path).write_bytes(content)
        self.list(path, content)

    def list(self, path: str, content: bytes, *, of: str | None = None) -> None:
        """List a file with the size and digest of `content`, in place of the file `of`, by default of the same path."""
        facts = {"path": path, "size": len(content), "sha256": sha256(content).hexdigest()}

        def relist(data: dict[str, Any]) -> None:
            data["files"] = [file for file in data["files"] if file["path"] != (of or path)] + [facts]

        self.edit(relist)

    def away(self, path: str) -> Path:
        """Remove a file of the version, and give its place."""
        (self.folder / path).unlink()
        return self.folder / path


def sound_release(root: Path) -> Release:
    """Publish the sound release in an empty folder."""
    from benchmarks.labels_of_words import solutions
    from generators.process_labels.dataset import DATASET as LABELS
    from generators.process_labels.release import LabelParameters
    from generators.process_labels.table import PROCESS_LABELS
    from releases.drafting import drafted
    from releases.facts import ReleaseFacts, SourceFacts
    from releases.registry.local import LocalRegistry

    facts = ReleaseFacts(
        policy="random",
        round="benchmark",
        licence="MIT",
        sources=(SourceFacts(name="words", licence="mit", problems=2, language="en"),),
        stages=(),
    )
    parameters = LabelParameters(hard_threshold=0.0, confidence=0.94, label_ratio=None)
    rows = [row | _true(row["prompt"]) for row in solutions(8)]
    draft = drafted(LABELS, {PROCESS_LABELS.name: PROCESS_LABELS.frame(rows)}, facts, parameters)
    LocalRegistry(UPath(root)).publish(draft)
    return Release(root)


def _true(prompt: str) -> dict[str, str]:
    """What is true of a solution of random words, which has no answer."""
    from generators.problems.loading import problem_id

    return {"problem_id": problem_id(prompt, "7"), "answer": "7", "verdict": "no_answer"}


def copied(release: Release, root: Path) -> Release:
    """A copy of a release in another registry."""
    shutil.copytree(release.root, root)
    return Release(root)
