"""Writes a version in the form that a trainer reads: rows by split, settings, and a README with the command."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from upath import UPath

from releases.door.bounds import CARD_BYTES
from releases.door.plain_files import read_plain
from releases.errors import CannotExport
from releases.exports.choice import Choice
from releases.exports.folder import RECORD, write_folder
from releases.exports.rows import longest_row
from releases.exports.shapes import Shape
from releases.exports.trainer import TRAIN, Task, Trainer
from releases.licences import LICENCE_FILE
from releases.manifest import Manifest, to_json
from releases.verification.opened import OpenedRelease

_OF_THE_POLICY = {
    Shape.TOKENS: "The token ids are the policy's: no other model can be trained on them.",
    Shape.TEXT_COMPLETION: "The texts are in the policy's template: train no other model on them.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an export holds, as its export.json says."""

    trainer: str
    method: str
    dataset: str
    version: str
    content: str
    config: str
    policy: str
    licence: str | None
    rows: Mapping[str, int]
    command: str


def export(opened: OpenedRelease, trainer: Trainer, choice: Choice, *, out: Path, force: bool = False) -> Record:
    """Write the export to `out`, completely or not at all; with `force` in place of an earlier one.

    Raises CannotExport, also if `out` exists or lies among the versions of a dataset.
    """
    manifest = opened.manifest
    opened.existing_rows(choice.config.name)  # raises DamagedRelease
    parts = opened.parts[choice.config.name]
    if TRAIN not in parts:
        raise CannotExport(f"{choice.config.name} of {manifest.dataset} {manifest.version} has no rows to train on")
    shaped = {split: choice.layout.rows(part.stored) for split, part in parts.items()}
    longest = longest_row({split: part.rows for split, part in parts.items()})
    task = Task(dataset=manifest.dataset, policy=manifest.facts.policy, splits=shaped, longest=longest)
    record = Record(
        trainer=trainer.name,
        method=choice.layout.method,
        dataset=manifest.dataset,
        version=manifest.version,
        content=manifest.content,
        config=choice.config.name,
        policy=manifest.facts.policy,
        licence=manifest.facts.licence,
        rows={split: rows.height for split, rows in shaped.items()},
        command=choice.layout.command(task),
    )
    write_folder(out, _contents(opened.folder, task, trainer, choice, record), force=force)
    return record


def default_folder(manifest: Manifest, trainer: Trainer) -> Path:
    """The folder of an export that is given no other one."""
    return Path("exports") / f"{manifest.dataset}-{manifest.version}-{trainer.name}"


def _contents(
    release: UPath, task: Task, trainer: Trainer, choice: Choice, record: Record
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the bytes of every file, export.json last."""
    yield from choice.layout.write(task.splits)
    for name, text in choice.layout.files(task).items():
        yield name, text.encode()
    licence = read_plain(release, LICENCE_FILE, most=CARD_BYTES)
    if licence is not None:
        yield LICENCE_FILE, licence
    readme = _readme(trainer, choice, record, has_licence=licence is not None)
    yield "README.md", readme.encode()
    yield RECORD, to_json(asdict(record))


def _readme(trainer: Trainer, choice: Choice, record: Record, *, has_licence: bool) -> str:
    text = (files("releases.exports") / "readme.md.jinja").read_text()
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    notes = [_OF_THE_POLICY[choice.shape]] if choice.shape in _OF_THE_POLICY else []
    if choice.config.lost:
        notes.append(f"Lost in this form: {choice.config.lost}.")
    return environment.from_string(text).render(
        title=trainer.title,
        record=record,
        purpose=choice.config.purpose,
        notes=[*notes, *choice.layout.notes],
        licence_file=LICENCE_FILE if has_licence else None,
    )
