"""Releases that would write elsewhere, hang, fill the memory or speak to a terminal: each refused in one sentence."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.hostile_builder import DATASET, VERSION, copied, sound_release
from benchmarks.hostile_cases import CASES, device_case
from releases.cli import app

FINDINGS = {"half a shard", "a shard whose pages are noise", "a shard whose footer is noise"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return sound_release(tmp_path_factory.mktemp("sound") / "registry")


def told(arguments):
    """Exit code and output of a command."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def commands(release, sound, into):
    """The arguments of each command that reads the release."""
    return {
        "verify": ("verify", release.folder),
        "pull": ("pull", DATASET, "--version", VERSION, "--from", release.root, "--into", into),
        "show": ("show", release.folder, "--config", "full"),
        "diff": ("diff", sound.folder, release.folder),
    }


def everything_in(folder):
    return {path for path in Path(folder).rglob("*") if path.name != "registry"}


def test_the_sound_release_is_read_by_every_command(sound, tmp_path):
    for name, arguments in commands(sound, sound, tmp_path / "into").items():
        assert told(arguments)[0] == 0, name


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_release_is_refused_in_one_sentence_and_nothing_is_written_elsewhere(case, sound, tmp_path):
    refused(case, sound, tmp_path)


@pytest.mark.timeout(60)
@pytest.mark.skipif(device_case() is None, reason="this user may make no devices")
def test_a_device_is_not_opened(sound, tmp_path):
    refused(device_case(), sound, tmp_path)


def refused(case, sound, tmp_path):
    release = copied(sound, tmp_path / "theirs" / "registry")
    case.change(release)
    into = tmp_path / "into" / "deep" / "er"
    before = everything_in(tmp_path)
    for name, arguments in commands(release, sound, into).items():
        if name not in case.commands:
            continue
        exit_code, output = told(arguments)
        assert not re.search(r"[^\n -~…]", output), output
        if name == "verify" and case.name in FINDINGS:
            assert exit_code == 1 and "cannot be read" in output
            continue
        assert exit_code == 2 and case.says in output, (name, output)
        assert output.startswith("stepmill: ") and output.count("\n") == 1 and len(output) < 900, output
    left = everything_in(tmp_path) - before - {tmp_path / "into", into.parent, into, into / DATASET}
    assert not left
