"""`stepmill view` as a person meets it."""

import re

import pytest
from typer.testing import CliRunner

from releases.cli import app


@pytest.fixture
def view(monkeypatch, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return lambda *arguments: CliRunner().invoke(app, ["view", *map(str, arguments)])


@pytest.fixture
def release(registry, true_draft):
    return registry.publish(true_draft).path


def test_the_file_is_named_by_dataset_and_version_and_what_it_shows_is_printed(view, release, tmp_path):
    done = view(release, "--rows", 8, "--seed", 1)
    assert done.exit_code == 0
    first, second, *_ = done.output.splitlines()
    assert re.fullmatch(r"process_labels-v0\.1\.0\.html \(\d\d kB\) shows of process_labels v0\.1\.0:", first)
    assert second.endswith("8 of 16 rows, whole problems drawn by seed 1")
    assert (tmp_path / "here" / "process_labels-v0.1.0.html").read_bytes().startswith(b"<!doctype html>")


def test_one_config_is_shown_alone(view, release):
    done = view(release, "--config", "truncated", "--out", "truncated.html")
    assert done.exit_code == 0 and done.output.splitlines()[1:] == ["  truncated: all 16 rows"]


def test_its_own_file_is_written_again_and_another_one_only_by_force(view, release, tmp_path):
    file = tmp_path / "mine.html"
    assert view(release, "--out", file).exit_code == view(release, "--out", file).exit_code == 0
    file.write_text("my thesis")
    refused = view(release, "--out", file)
    assert refused.exit_code == 2 and file.read_text() == "my thesis"
    assert refused.stderr == (
        f"stepmill: {file} was not written by `stepmill view`: name another file with --out, or add --force\n"
    )
    assert view(release, "--out", file, "--force").exit_code == 0
    assert file.read_bytes().startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--config", "truncate"),
            "process_labels v0.1.0 has no config truncate; there are {configs}; did you mean truncated?",
        ),
        (("--version", "v0.2.0"), "{release} holds version v0.1.0, not v0.2.0"),
        (("--out", "."), ". is a folder: name a file with --out"),
        (
            ("--tokenizer", "no such"),
            "no tokenizer can be loaded from 'no such': name a folder written by save_pretrained, or a Hub id that "
            "this user may read",
        ),
    ],
)
def test_a_wrong_call_is_one_sentence_and_two_and_leaves_no_file(view, release, tmp_path, arguments, sentence):
    done = view(release, *arguments)
    assert done.exit_code == 2
    start, _, end = sentence.format(release=release, configs="{}").partition("{}")
    assert done.stderr.startswith(f"stepmill: {start}") and done.stderr.endswith(f"{end}\n")
    assert done.stderr.count("\n") == 1 and list((tmp_path / "here").iterdir()) == []


def test_a_folder_without_a_release_is_named(view, tmp_path):
    done = view(tmp_path / "nowhere" / "v0.1.0")
    assert done.exit_code == 2 and done.stderr.count("\n") == 1
