"""Measures how hostile releases are refused: seconds and memory of each command on each, in a process of its own.

The releases are those of `benchmarks.hostile_cases`. `seconds` is from the start of the command to its end, `cpu_s`
what it and the process that reads Parquet used, `mb` the most memory of the one and of the other, added. A case counts
as refused if every command that it names says one sentence and ends with 2, or lists it as a finding, and nothing was
written beside the target. The last line is JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.hostile_builder import DATASET, VERSION, Release, copied, sound_release
from benchmarks.hostile_cases import CASES, Case, device_case

_PATIENCE_S = 60
_PROGRAM = "from benchmarks.measured_command import measured; measured()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One command on one release."""

    case: str
    command: str
    is_refused: bool
    seconds: float
    cpu_s: float
    mb: float
    said: str


def main(only: Sequence[str]) -> dict[str, object]:
    """The figures over all cases whose names have one of some texts in them."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        sound = sound_release(Path(folder) / "sound")
        cases = [*CASES, *filter(None, [device_case()])]
        for number, case in enumerate(case for case in cases if any(text in case.name for text in only)):
            release = copied(sound, Path(folder) / str(number) / "registry")
            case.change(release)
            for one in _of(case, release, sound, Path(folder) / str(number)):
                figures.append(one)
                print(
                    f"{one.case:38} {one.command:7} {one.seconds:6.2f} s {one.cpu_s:5.2f} s {one.mb:4.0f} MB {one.said}"
                )
    cases_refused = {one.case for one in figures} - {one.case for one in figures if not one.is_refused}
    return {
        "refused": len(cases_refused),
        "of": len({one.case for one in figures}),
        "commands": len(figures),
        "slowest_s": max(one.seconds for one in figures),
        "slowest_cpu_s": max(one.cpu_s for one in figures),
        "largest_mb": max(one.mb for one in figures),
        "slowest": asdict(max(figures, key=lambda one: one.seconds)),
        "largest": asdict(max(figures, key=lambda one: one.mb)),
    }


def _of(case: Case, release: Release, sound: Release, folder: Path) -> Iterator[Measured]:
    into = folder / "into"
    arguments = {
        "verify": ["verify", release.folder],
        "pull": ["pull", DATASET, "--version", VERSION, "--from", release.root, "--into", into],
        "show": ["show", release.folder, "--config", "full"],
        "diff": ["diff", sound.folder, release.folder],
    }
    before = set(folder.rglob("*"))
    for command in case.commands:
        target = folder.parent / "took.json"
        target.unlink(missing_ok=True)
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(target), *map(str, arguments[command])],
            capture_output=True,
            timeout=_PATIENCE_S,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        seconds = time.monotonic() - start
        took = json.loads(target.read_text())
        said = done.stderr.decode().strip() or done.stdout.decode().split("\n")[0]
        elsewhere = {path for path in folder.rglob("*") if not path.is_relative_to(into)} - before
        is_refusal = done.returncode == 2 and "\n" not in said and said.startswith("stepmill: ") and case.says in said
        is_finding = command == "verify" and done.returncode == 1 and "cannot be read" in done.stdout.decode()
        yield Measured(
            case=case.name,
            command=command,
            is_refused=(is_refusal or is_finding) and not elsewhere,
            seconds=round(seconds, 2),
            cpu_s=round(took["cpu_s"], 2),
            mb=round(took["mb"]),
            said=said,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], help="measure the cases whose names have one of these texts")
    print(json.dumps(main(parser.parse_args().only)))
