"""Publishing to the Hub by the real client: versions, no-ops, what is replaced, publishers at once, collections."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl
import pytest
from upath import UPath

from releases.errors import UnknownRelease, VersionTaken
from releases.registry.hub import HubRegistry
from releases.registry.local import LocalRegistry
from tests.hub.reading import versions
from tests.hub.state import Blob
from tests.releases.conftest import labels_draft

ID = "lab/process_labels"


@pytest.fixture
def registry(hub) -> HubRegistry:
    return HubRegistry("lab")


@pytest.fixture(scope="module")
def changed(table, facts):
    corrected = table(*[([0, 0, 0], [4, 4, 4]), ([0, 0], [4, 0]), ([0, 0], [4, 4]), ([0, 0], [4, 4])] * 8)
    return labels_draft(corrected, facts())


def test_a_release_is_one_commit_and_one_tag(hub, registry, draft):
    release = registry.publish(draft)
    repository = hub.state.repository(ID)
    assert [commit.title for commit in repository.commits] == ["initial commit", "process_labels v0.1.0"]
    assert repository.tags == {"v0.1.0": repository.head.oid}
    assert versions(hub.state.repository(ID)) == {"v0.1.0": draft.content}
    assert (release.dataset, release.version, release.is_new) == ("process_labels", "v0.1.0", True)
    assert release.url == f"{hub.url}/datasets/lab/process_labels/tree/v0.1.0"


def test_the_path_of_a_release_is_read_like_a_folder(hub, registry, draft):
    path = registry.publish(draft).path
    assert str(path) == "hf://datasets/lab/process_labels@v0.1.0"
    with (path / "data" / "default" / "train-00000-of-00001.parquet").open("rb") as shard:
        assert pl.read_parquet(shard).equals(draft.tables["default"].splits["train"])


def test_publishing_twice_only_reads(hub, registry, draft):
    first = registry.publish(draft)
    hub.requests.clear()
    again = registry.publish(draft)
    assert (again.version, again.is_new, again.rows) == (first.version, False, first.rows)
    assert {request.split()[0] for request in hub.requests} == {"GET"}


def test_numbers_go_as_in_a_folder(hub, registry, draft, changed, rows, facts):
    drafts = [draft, changed, labels_draft(rows, facts("second")), draft]
    assert [registry.publish(one).version for one in drafts] == ["v0.1.0", "v0.1.1", "v0.2.0", "v0.1.2"]
    assert registry.versions("process_labels") == ["v0.1.0", "v0.1.1", "v0.1.2", "v0.2.0"]
    assert registry.latest("process_labels").version == "v0.2.0"
    assert set(versions(hub.state.repository(ID))) == set(registry.versions("process_labels"))


def test_a_released_version_is_never_overwritten(hub, registry, draft, changed):
    registry.publish(draft, version="v0.3.0")
    with pytest.raises(VersionTaken, match=r"process_labels v0\.3\.0 is already in http.* never overwritten"):
        registry.publish(changed, version="v0.3.0")
    assert not registry.publish(draft, version="v0.3.0").is_new
    assert versions(hub.state.repository(ID)) == {"v0.3.0": draft.content}


def test_files_of_the_version_before_go_and_those_of_others_stay(hub, registry, draft):
    registry.publish(draft)
    hub.state.repository(ID).commit("a licence", {"LICENSE": Blob(b"MIT", False)}, [], None)
    fewer = replace(draft, tables={"full": draft.tables["full"]}, pictures=())
    registry.publish(fewer)
    names = set(hub.state.repository(ID).at("v0.1.1").files)
    assert {"LICENSE", ".gitattributes", "README.md", "manifest.json"} < names
    assert {name.split("/")[1] for name in names if "/" in name} == {"full"}
    assert "pictures/labels_by_position.png" in hub.state.repository(ID).at("v0.1.0").files


def test_what_the_hub_has_already_is_not_sent_again(hub, registry, draft):
    registry.publish(draft, version="v0.1.0")
    hub.requests.clear()
    registry.publish(draft, version="v0.2.0")
    assert [request for request in hub.requests if request.startswith("PUT")] == []


def test_a_repository_is_made_private_unless_told_otherwise(hub, draft):
    HubRegistry("lab").publish(draft)
    HubRegistry("open", private=False).publish(draft)
    private = {id: repository.private for id, repository in hub.state.repositories.items()}
    assert private == {ID: True, "open/process_labels": False}


def test_a_private_repository_is_not_there_for_who_has_no_token(registry, draft, monkeypatch):
    registry.publish(draft)
    monkeypatch.delenv("HF_TOKEN")
    assert registry.versions("process_labels") == []


def test_the_visibility_of_a_repository_that_is_there_is_left_alone(hub, draft, changed):
    HubRegistry("lab", private=False).publish(draft)
    HubRegistry("lab", private=True).publish(changed)
    assert not hub.state.repository(ID).private


def test_a_version_that_was_committed_and_not_tagged_is_tagged_before_another_draft_comes(
    hub, registry, draft, changed
):
    registry.publish(draft)
    hub.state.repository(ID).tags.clear()
    assert registry.versions("process_labels") == []
    assert registry.publish(changed).version == "v0.1.1"
    assert versions(hub.state.repository(ID)) == {"v0.1.0": draft.content, "v0.1.1": changed.content}


def test_an_untagged_version_that_somebody_changed_since_is_passed_over(hub, registry, draft, changed):
    registry.publish(draft)
    repository = hub.state.repository(ID)
    repository.tags.clear()
    repository.commit("a better card", {"README.md": Blob(b"---\n---\nbetter", False)}, [], None)
    with pytest.raises(VersionTaken):
        registry.publish(draft, version="v0.1.0")
    assert registry.publish(changed).version == "v0.2.0"
    assert versions(hub.state.repository(ID)) == {"v0.2.0": changed.content}


def test_a_tag_that_is_no_release_takes_its_number(hub, registry, draft):
    registry.publish(draft)
    repository = hub.state.repository(ID)
    repository.tag("v0.1.1", repository.commits[0].oid)
    repository.tag("v0.1.2", "v0.1.0")
    repository.tag("draft", "v0.1.0")
    fewer = replace(draft, tables={"full": draft.tables["full"]})
    assert registry.publish(fewer).version == "v0.1.3"
    with pytest.raises(UnknownRelease, match=r"has no version v0\.1\.2"):
        registry.open("process_labels", "v0.1.2")


def test_publishers_at_once_make_whole_versions_of_their_own(hub, rows, facts):
    drafts = [
        labels_draft(rows.with_columns(pl.col("n_undecided").list.eval(pl.element() + number)), facts())
        for number in range(3)
    ]
    with ThreadPoolExecutor(len(drafts)) as pool:
        releases = list(pool.map(lambda draft: HubRegistry("lab").publish(draft), drafts))
    assert all(release.is_new for release in releases)
    assert versions(hub.state.repository(ID)) == {
        release.version: draft.content for release, draft in zip(releases, drafts, strict=True)
    }


def test_of_two_publishers_of_one_version_one_is_told(hub, draft, changed):
    def publish(draft):
        try:
            return HubRegistry("lab").publish(draft, version="v1.0.0").version
        except VersionTaken:
            return "told"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(publish, [draft, changed])) == ["told", "v1.0.0"]
    assert list(versions(hub.state.repository(ID))) == ["v1.0.0"]


def test_an_unknown_version_is_an_error_that_lists_those_there_are(registry, draft):
    assert registry.latest("process_labels") is None
    with pytest.raises(UnknownRelease, match=r"there is no dataset process_labels in http.*; there are no datasets"):
        registry.open("process_labels", "v0.1.0")
    registry.publish(draft)
    with pytest.raises(UnknownRelease, match=r"dataset labels in .*/datasets/lab .*; there are process_labels$"):
        registry.open("labels", "v0.1.0")
    with pytest.raises(UnknownRelease, match=r"has no version main; there are v0\.1\.0"):
        registry.open("process_labels", "main")
    assert registry.open("process_labels", "v0.1.0").rows == registry.publish(draft).rows
    assert registry.manifest("process_labels", "v0.1.0").facts == draft.facts


def test_the_card_loads_from_the_hub_and_links_the_datasets_beside_it(hub, draft):
    registry = HubRegistry("lab", related=("process_labels", "step_preference_pairs"))
    card = (registry.publish(draft).path / "README.md").read_text()
    assert 'load_dataset("lab/process_labels", "default", split="train", revision="v0.1.0")' in card
    assert f"[step_preference_pairs]({hub.url}/datasets/lab/step_preference_pairs)." in card
    assert "Run this next to the folder" not in card


def test_a_collection_holds_each_dataset_once(hub, registry, draft):
    registry.publish(draft)
    registry.publish(replace(draft, dataset="other"))
    urls = {registry.collect(dataset, "Reasoning data") for dataset in ("process_labels", "other", "process_labels")}
    ((slug, collection),) = hub.state.collections.items()
    assert urls == {f"{hub.url}/collections/{slug}"}
    assert [(item["id"], item["type"]) for item in collection["items"]] == [
        ("lab/process_labels", "dataset"),
        ("lab/other", "dataset"),
    ]


def test_both_registries_give_a_version_the_same_data(hub, registry, draft, tmp_path):
    local = LocalRegistry(UPath(tmp_path)).publish(draft)
    registry.publish(draft, version=local.version)
    there = {path: blob.content for path, blob in hub.state.repository(ID).at(local.version).files.items()}
    here = {
        str(path)[len(str(local.path)) + 1 :]: path.read_bytes() for path in local.path.rglob("*") if path.is_file()
    }
    assert there.keys() - here.keys() == {".gitattributes"}
    assert {path for path, content in here.items() if there[path] != content} == {"README.md", "manifest.json"}
