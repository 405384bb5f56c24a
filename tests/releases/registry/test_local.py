"""Publishing: versions, no-ops, equal bytes, killed publishers and publishers at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

import polars as pl
import pytest
from upath import UPath

from generators.sampling.storage import StorageError
from releases.bundle import bundle
from releases.errors import PublishContested, UnknownRelease, VersionTaken
from releases.manifest import describe
from releases.registry.local import LocalRegistry
from releases.registry.placement import place_version
from releases.version import FIRST
from tests.releases.conftest import labels_draft


def contents(folder: UPath) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.path.removeprefix(folder.path): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def changed(table, facts):
    corrected = table(*[([0, 0, 0], [4, 4, 4]), ([0, 0], [4, 0]), ([0, 0], [4, 4]), ([0, 0], [4, 4])] * 8)
    return labels_draft(corrected, facts())


def test_the_first_release_is_v0_1_0(any_registry, draft):
    release = any_registry.publish(draft)
    assert (release.dataset, release.version, release.is_new) == ("process_labels", "v0.1.0", True)
    assert release.path == any_registry.root / "process_labels" / "v0.1.0"
    assert {config: sum(rows.values()) for config, rows in release.rows.items()} == {
        "full": 32,
        "default": 32,
        "truncated": 32,
    }


def test_publishing_twice_is_one_release(any_registry, draft):
    first = any_registry.publish(draft)
    before = contents(any_registry.root)
    again = any_registry.publish(draft)
    assert (again.version, again.is_new, again.rows) == (first.version, False, first.rows)
    assert contents(any_registry.root) == before


def test_other_token_counts_over_the_same_rows_are_no_new_release(any_registry, draft, rows, facts):
    any_registry.publish(draft)
    replayed = labels_draft(rows, facts(tokens={"generated": 0}))
    assert not any_registry.publish(replayed).is_new


def test_changed_rows_bump_the_patch_and_another_round_the_minor(any_registry, draft, changed, rows, facts):
    any_registry.publish(draft)
    assert any_registry.publish(changed).version == "v0.1.1"
    assert any_registry.publish(labels_draft(rows, facts("second"))).version == "v0.2.0"
    assert any_registry.publish(draft).version == "v0.1.2"
    assert any_registry.versions("process_labels") == ["v0.1.0", "v0.1.1", "v0.1.2", "v0.2.0"]
    assert any_registry.latest("process_labels").version == "v0.2.0"


def test_a_released_version_is_never_overwritten(any_registry, draft, changed):
    any_registry.publish(draft, version="v0.3.0")
    before = contents(any_registry.root)
    with pytest.raises(VersionTaken, match=r"process_labels v0\.3\.0 is already in .* never overwritten"):
        any_registry.publish(changed, version="v0.3.0")
    assert not any_registry.publish(draft, version="v0.3.0").is_new
    assert contents(any_registry.root) == before


def test_two_registries_hold_the_same_bytes(registry, store, draft, rows, facts):
    registry.publish(draft)
    store.publish(labels_draft(rows, facts()))
    there = {path: content for path, content in contents(store.root).items() if ".claims" not in path}
    assert contents(registry.root) == there


def test_the_manifest_names_every_file_with_its_digest(any_registry, draft):
    release = any_registry.publish(draft)
    manifest = any_registry.manifest("process_labels", release.version)
    found = contents(release.path)
    del found["/manifest.json"]
    assert {f"/{file.path}": (file.size, file.sha256) for file in manifest.files} == {
        path: (len(content), sha256(content).hexdigest()) for path, content in found.items()
    }
    assert manifest.facts == draft.facts
    assert {"polars", "datasets"} <= set(manifest.packages)


def test_what_a_killed_publisher_left_on_disk_is_not_seen(registry, draft):
    folder = registry.root / "process_labels"
    *_, manifest = bundle(draft, describe(draft, FIRST))
    half = folder / ".v0.1.0.deadbeef.tmp"
    half.mkdir(parents=True)
    (half / manifest.path).write_bytes(manifest.content)
    assert registry.versions("process_labels") == []
    assert registry.publish(draft).version == "v0.1.0"


def test_a_publisher_that_dies_between_files_leaves_nothing_on_disk(registry, draft):
    files = bundle(draft, describe(draft, FIRST))

    def until_the_second_file():
        yield next(files)
        raise KeyboardInterrupt

    folder = registry.root / "process_labels"
    with pytest.raises(KeyboardInterrupt):
        place_version(folder, "v0.1.0", until_the_second_file(), identity=b"first")
    assert list(folder.iterdir()) == []


def test_a_version_placed_but_not_indexed_is_taken_up_by_the_next_publish(any_registry, draft, changed):
    manifest = describe(draft, FIRST)
    place_version(any_registry.root / "process_labels", "v0.1.0", bundle(draft, manifest), identity=manifest.to_json())
    assert any_registry.versions("process_labels") == []
    assert any_registry.publish(changed).version == "v0.1.1"
    assert any_registry.versions("process_labels") == ["v0.1.0", "v0.1.1"]


def abandon(store, draft):
    """Claim v0.1.0 and upload all but the manifest, as a publisher does that is killed."""
    manifest = describe(draft, FIRST)
    *files, _ = bundle(draft, manifest)
    place_version(store.root / "process_labels", "v0.1.0", files, identity=manifest.to_json())


def test_an_upload_without_manifest_is_finished_by_the_same_draft(store, draft):
    abandon(store, draft)
    assert store.versions("process_labels") == []
    assert store.publish(draft).version == "v0.1.0"


def test_an_upload_without_manifest_is_left_alone_by_another_draft(store, draft, changed):
    abandon(store, draft)
    with pytest.raises(VersionTaken, match="claimed by another publisher"):
        store.publish(changed, version="v0.1.0")
    assert store.publish(changed).version == "v0.2.0"
    assert store.versions("process_labels") == ["v0.2.0"]


def test_a_publisher_that_always_loses_is_told(store, draft):
    for minor in range(1, 9):
        (store.root / "process_labels" / ".claims" / f"v0.{minor}.0").write_bytes(b"another publisher")
    with pytest.raises(PublishContested, match=r"took every version that was tried, v0\.1\.0, .* publish again"):
        store.publish(draft)


def test_publishers_at_once_make_whole_versions_of_their_own(any_registry, rows, facts):
    drafts = [
        labels_draft(rows.with_columns(pl.col("n_undecided").list.eval(pl.element() + number)), facts())
        for number in range(4)
    ]
    with ThreadPoolExecutor(len(drafts)) as pool:
        releases = list(pool.map(any_registry.publish, drafts))
    assert len({release.version for release in releases}) == len(drafts)
    assert any_registry.versions("process_labels") == sorted(release.version for release in releases)
    for draft, release in zip(drafts, releases, strict=True):
        manifest = any_registry.manifest("process_labels", release.version)
        assert manifest.content == draft.content
        assert all(
            sha256((release.path / file.path).read_bytes()).hexdigest() == file.sha256 for file in manifest.files
        )


def test_publishers_of_the_same_rows_at_once_make_one_release(registry, draft):
    with ThreadPoolExecutor(4) as pool:
        releases = list(pool.map(registry.publish, [replace(draft) for _ in range(4)]))
    assert [release.is_new for release in releases].count(True) == 1
    assert registry.versions("process_labels") == ["v0.1.0"]


def test_an_unknown_version_is_an_error_that_lists_those_there_are(any_registry, draft):
    assert any_registry.latest("process_labels") is None
    with pytest.raises(UnknownRelease, match=r"there is no dataset process_labels in .*; there are no datasets"):
        any_registry.open("process_labels", "v0.1.0")
    any_registry.publish(draft)
    with pytest.raises(UnknownRelease, match=r"has no version v9\.9\.9; there are v0\.1\.0"):
        any_registry.open("process_labels", "v9.9.9")
    assert any_registry.open("process_labels", "v0.1.0").rows == any_registry.publish(draft).rows


def test_a_damaged_index_or_manifest_is_named(registry, draft):
    release = registry.publish(draft)
    index = registry.root / "process_labels" / "versions.json"
    index.write_text("[")
    with pytest.raises(UnknownRelease, match=r"versions\.json is damaged; move it away and publish again"):
        registry.versions("process_labels")
    index.unlink()
    assert not registry.publish(draft).is_new
    (release.path / "manifest.json").write_text("{}")
    with pytest.raises(UnknownRelease, match=r"v0\.1\.0/manifest\.json is not a manifest"):
        registry.open("process_labels", "v0.1.0")


def test_a_root_that_is_a_file_is_a_clear_error(tmp_path, draft):
    (tmp_path / "root").write_text("a file")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        LocalRegistry(UPath(tmp_path / "root")).publish(draft)
