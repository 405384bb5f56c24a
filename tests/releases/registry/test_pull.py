"""A version copied into a folder: whole, checked, once."""

from pathlib import Path

import pytest
from upath import UPath

from releases.errors import DamagedRelease, RefusedRelease, UnknownRelease, VersionTaken
from releases.registry.hub import HubRegistry
from releases.registry.pull import pull
from releases.registry.version_files import files_in
from releases.verification.verify import verify
from tests.releases.forgery import alone, with_manifest
from tests.releases.registry.test_local import contents


@pytest.fixture
def into(tmp_path):
    return UPath(tmp_path / "pulled")


def test_a_pulled_version_is_the_released_one_byte_for_byte_and_verifies(any_registry, true_draft, into):
    release = any_registry.publish(true_draft)
    pulled = pull(any_registry.files("process_labels", "v0.1.0"), into=into)
    assert pulled == (into / "process_labels" / "v0.1.0", True)
    assert contents(pulled.path) == contents(release.path)
    assert verify(pulled.path).findings == ()


def test_a_second_pull_does_nothing(registry, true_draft, into):
    registry.publish(true_draft)
    pull(registry.files("process_labels", "v0.1.0"), into=into)
    assert pull(registry.files("process_labels", "v0.1.0"), into=into).is_new is False


def test_a_file_that_is_not_what_the_manifest_says_is_named_and_nothing_is_left(registry, true_draft, into):
    picture = registry.publish(true_draft).path / "pictures" / "labels_by_position.png"
    picture.write_bytes(b"another")
    with pytest.raises(DamagedRelease, match=r"labels_by_position\.png has the SHA-256 .*, the manifest says .*: pull"):
        pull(registry.files("process_labels", "v0.1.0"), into=into)
    picture.unlink()
    with pytest.raises(DamagedRelease, match=r"labels_by_position\.png is missing"):
        pull(registry.files("process_labels", "v0.1.0"), into=into)
    assert list((into / "process_labels").iterdir()) == []


def test_what_stands_in_the_place_already_is_left_alone(registry, true_draft, into):
    registry.publish(true_draft)
    mine = into / "process_labels" / "v0.1.0" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(VersionTaken, match=r"v0\.1\.0 is there already and is not process_labels v0\.1\.0 of"):
        pull(registry.files("process_labels", "v0.1.0"), into=into)
    assert mine.read_text() == "mine"


def test_an_unknown_version_is_an_error_that_lists_those_there_are(registry, true_draft):
    registry.publish(true_draft)
    with pytest.raises(UnknownRelease, match=r"no version v9\.9\.9; there are v0\.1\.0"):
        registry.files("process_labels", "v9.9.9")


def test_a_version_on_the_hub_is_pulled_byte_for_byte(hub, true_draft, into):
    release = HubRegistry("lab").publish(true_draft)
    pulled = pull(HubRegistry("lab", reads_only=True).files("process_labels", "v0.1.0"), into=into)
    assert pulled == (into / "process_labels" / "v0.1.0", True)
    listed = HubRegistry("lab").manifest("process_labels", "v0.1.0").files
    assert contents(pulled.path).keys() == {"/manifest.json", *(f"/{file.path}" for file in listed)}
    assert contents(pulled.path)["/README.md"] == (release.path / "README.md").read_bytes()
    assert verify(pulled.path).findings == ()


@pytest.mark.parametrize("path", ["../../outside", "/outside", "data/../../outside"])
def test_a_manifest_whose_files_lie_outside_of_the_version_is_refused(registry, true_draft, into, path):
    folder = alone(registry.publish(true_draft).path, UPath(into.parent / "alone"))
    with_manifest(folder, lambda told: told["files"][0].update(path=path))
    with pytest.raises(RefusedRelease, match=rf"files\[0\]\.path is '{path}'; a path has 1 to 6 such names"):
        files_in(folder)
    assert not into.exists()


@pytest.mark.parametrize("change", [{"dataset": "../outside"}, {"version": "../v0.1.0"}])
def test_a_manifest_whose_name_lies_outside_of_the_target_is_refused(registry, true_draft, into, change):
    folder = alone(registry.publish(true_draft).path, UPath(into.parent / "alone"))
    with_manifest(folder, lambda told: told.update(change))
    with pytest.raises(RefusedRelease, match=r"is '\.\./.*'; a name has 1 to 100 letters"):
        files_in(folder)


def test_a_manifest_that_is_not_the_one_of_the_index_is_not_pulled(registry, true_draft, into):
    folder = with_manifest(registry.publish(true_draft).path, lambda told: told["facts"].update(policy="another"))
    for read in (lambda: registry.files("process_labels", "v0.1.0"), lambda: files_in(folder)):
        with pytest.raises(DamagedRelease, match=r"manifest\.json: its SHA-256 is .*versions\.json beside .*: take"):
            pull(read(), into=into)
    assert not into.exists()


@pytest.mark.parametrize("link", ["process_labels", "process_labels/v0.1.0"])
def test_a_link_in_the_target_is_not_followed(registry, true_draft, into, tmp_path, link):
    registry.publish(true_draft)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Path(into.path, link).parent.mkdir(parents=True)
    Path(into.path, link).symlink_to(elsewhere)
    with pytest.raises(RefusedRelease, match=f"{link}: it is a link; a version lies in folders that are none"):
        pull(registry.files("process_labels", "v0.1.0"), into=into)
    assert list(elsewhere.iterdir()) == []
