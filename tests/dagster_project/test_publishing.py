"""A release in the local registry and on the Hub, through the settings and the asset."""

import json
import shutil
import subprocess
import sys

import pytest

from dagster_project.settings.file import HubSettings, SettingsError, load_settings
from generators.datasets import DATASETS, dataset_of
from releases.manifest import read_manifest
from tests.dagster_project.conftest import metadata_of
from tests.hub.faults import Fault
from tests.hub.reading import versions

NAMES = [dataset.name for dataset in DATASETS]
ID = "lab/process_labels"


HUB = HubSettings(namespace="lab", collection="Reasoning data")


@pytest.fixture
def with_hub(settings):
    return settings.model_copy(update={"hub": HUB})


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


LOAD = """
import json, sys
from datasets import load_dataset

told = {
    f"{dataset} {version} {config}/{split}": rows.num_rows
    for dataset, version, config in json.loads(sys.argv[1])
    for split, rows in load_dataset(f"lab/{dataset}", config, revision=version).items()
}
json.dump(told, open(sys.argv[2], "w"))
"""


@pytest.mark.timeout(900)
def test_five_datasets_of_two_rounds_are_on_the_hub_and_every_config_of_both_versions_loads(
    hub, copied_world, make, tmp_path, monkeypatch
):
    settings = copied_world.model_copy(update={"hub": HUB})
    shutil.rmtree(f"{settings.data_root}/releases")
    expected = {}
    for round_key, version in (("r1", "v0.1.0"), ("r2", "v0.2.0")):
        released = make(settings, "release", round_key)
        assert released.success
        for dataset in NAMES:
            told = metadata_of(released, f"{dataset}_release")
            assert (told["version"], told["hub"]) == (version, f"{hub.url}/datasets/lab/{dataset}/tree/{version}")
            for record in told["rows"].records:
                expected[f"{dataset} {version} {record.data['what']}"] = record.data["rows"]
    for dataset in NAMES:
        assert list(versions(hub.state.repository(f"lab/{dataset}"))) == ["v0.1.0", "v0.2.0"]
    card = hub.state.repository(ID).at("v0.2.0").files["README.md"].content.decode()
    assert "## What changed since v0.1.0" in card and '| `round` | "r1" | "r2" |' in card

    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    asked = sorted({(*name.split(" ")[:2], name.split(" ")[2].split("/")[0]) for name in expected})
    command = [sys.executable, "-W", "ignore", "-c", LOAD, json.dumps(asked), str(tmp_path / "told.json")]
    loaded = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads((tmp_path / "told.json").read_text()) == expected
    assert {name.split(" ")[0] for name in expected} == set(NAMES)


def test_a_hub_that_fails_fails_the_release_and_the_next_run_brings_the_version_there(hub, with_hub, make):
    hub.faults = [Fault(f"/api/datasets/{ID}/commit/", status=403)]
    for slice_key in with_hub.slices():
        assert make(with_hub, "slice", "r1", slice_key, only=dataset_of("process_labels").stages).success
    failed = make(with_hub, "release", "r1", only=["process_labels_release"])
    assert (
        "set HF_TOKEN to a token with write access to lab"
        in failed.failure_data_for_node("process_labels_release").error.message
    )
    released = make(with_hub, "release", "r1", only=["process_labels_release"])
    told = metadata_of(released, "process_labels_release")
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
