"""A release in the local registry and on the Hub, through the settings and the asset."""

import pytest

from dagster_project.settings import HubSettings, SettingsError, load_settings
from releases.manifest import read_manifest
from tests.hub.faults import Fault
from tests.hub.reading import versions

ID = "lab/process_labels"


@pytest.fixture
def with_hub(settings):
    return settings.model_copy(update={"hub": HubSettings(namespace="lab", collection="Reasoning data")})


def test_a_round_is_released_locally_and_on_the_hub_with_one_version_and_the_same_facts(hub, with_hub, make_round):
    told = make_round(with_hub, "r1")
    assert told["hub"] == f"{hub.url}/datasets/lab/process_labels/tree/v0.1.0"
    assert told["collection"].startswith(f"{hub.url}/collections/lab/reasoning-data")
    repository = hub.state.repository(ID)
    assert repository.private
    there = read_manifest(repository.at("v0.1.0").files["manifest.json"].content, where="the Hub")
    with open(f"{told['dagster/uri']}/manifest.json", "rb") as manifest:
        here = read_manifest(manifest.read(), where="the folder")
    assert (there.content, there.facts, there.packages) == (here.content, here.facts, here.packages)
    files = {file.path: file.sha256 for file in there.files if file.path != "README.md"}
    assert files == {file.path: file.sha256 for file in here.files if file.path != "README.md"}


def test_a_hub_that_fails_fails_the_release_and_the_next_run_brings_the_version_there(hub, with_hub, make, make_round):
    hub.faults = [Fault(f"/api/datasets/{ID}/commit/", status=403)]
    for slice_key in with_hub.slices():
        assert make(with_hub, "slice", "r1", slice_key).success
    failed = make(with_hub, "release", "r1")
    assert (
        "set HF_TOKEN to a token with write access to lab"
        in failed.failure_data_for_node("process_labels_release").error.message
    )
    told = make_round(with_hub, "r1")
    assert (told["version"], told["is_new"]) == ("v0.1.0", False)
    assert list(versions(hub.state.repository(ID))) == ["v0.1.0"]


def test_a_namespace_is_one_name(tmp_path):
    file = tmp_path / "stepmill.toml"
    source = '[[sources]]\nname = "a"\nkind = "file"\npath = "x.jsonl"\n'
    file.write_text(source + '[hub]\nnamespace = "lab/data"')
    with pytest.raises(SettingsError, match=r"hub\.namespace: String should match pattern .*, got 'lab/data'"):
        load_settings(file)
    file.write_text(source + '[hub]\nnamespace = "lab"\nprivate = false')
    assert load_settings(file).hub == HubSettings(namespace="lab", private=False)
