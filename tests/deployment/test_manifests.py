"""The files that a deployment is made of agree with each other, and name only what the code reads."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from dagster_project.settings.file import load_settings
from tests.deployment.object_store import ObjectStore
from tests.deployment.processes import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
OBJECTS = list(filter(None, yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())))
DEPLOYMENTS = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in OBJECTS if one["kind"] == "Deployment"
}
OURS = ("webserver", "daemon", "worker")


def settings():
    return load_settings(DEPLOY / "stepmill.toml")


def names_that_are_read():
    """Environment variables that our code, Dagster's settings, or the object store's client take."""
    code = "\n".join(
        file.read_text()
        for package in ("dagster_project", "releases", "generators", "filters")
        for file in (ROOT / package).rglob("*.py")
    )
    in_dagster = re.findall(r"env: (\w+)", (DEPLOY / "dagster.yaml").read_text())
    in_settings = [settings().policy.api_key_env]
    store = ObjectStore(Path()).env  # what the main job is tested with
    return {*re.findall(r'"([A-Z][A-Z_]{5,})"', code), *in_dagster, *in_settings, *store, "DAGSTER_HOME"}


def test_every_variable_of_our_services_is_one_that_is_read():
    composed = {name for service in OURS for name in COMPOSE["services"][service]["environment"]}
    assert composed - names_that_are_read() == set()
    plain = {one["name"] for name in OURS for one in DEPLOYMENTS[name]["containers"][0]["env"]}
    secret = re.findall(r"--from-literal=(\w+)", (ROOT / "docs" / "deployment.md").read_text())
    assert plain | set(secret) == composed


def test_every_key_that_is_asked_for_is_named_in_the_docs():
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yaml").read_text()))
    told = (ROOT / "docs" / "deployment.md").read_text()
    assert asked
    assert {name for name in asked if f"{name}=" not in told} == set()


def test_every_service_volume_file_and_config_that_is_named_is_there():
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert {one["source"] for one in service.get("configs", ())} <= set(COMPOSE["configs"])
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_file()
        for name, wanted in service.get("depends_on", {}).items():
            assert wanted["condition"] != "service_healthy" or "healthcheck" in services[name]


def test_every_file_that_the_image_and_the_config_map_take_is_there():
    files = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert [name for line in files for name in line.split() if not (ROOT / name).exists()] == []
    (made,) = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())["configMapGenerator"]
    assert [name for name in made["files"] if not (DEPLOY / name).is_file()] == []
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.removesuffix("*") for name in packages} <= set(" ".join(files).split())


def test_services_ask_each_other_by_the_names_and_ports_that_there_are():
    (url,) = settings().policy.urls
    (location,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    assert (url, location["grpc_server"]["host"]) == ("http://policy:8000", "worker")
    port = str(location["grpc_server"]["port"])
    ports = {one["metadata"]["name"]: one["spec"]["ports"][0]["port"] for one in OBJECTS if one["kind"] == "Service"}
    assert (ports["policy"], str(ports["worker"])) == (8000, port)
    for command in (COMPOSE["services"]["worker"]["command"], DEPLOYMENTS["worker"]["containers"][0]["command"]):
        assert command[-2:] == ["-p", port]


@pytest.mark.parametrize(
    "arguments", [COMPOSE["services"]["policy"]["command"], DEPLOYMENTS["policy"]["containers"][0]["args"]]
)
def test_the_policys_server_serves_what_the_settings_ask_for(arguments):
    policy = settings().policy
    options = dict(pairwise(arguments))
    assert (options["--model"], options["--max-model-len"]) == (policy.model, str(policy.max_model_len))


def test_the_servers_version_is_the_one_that_is_locked():
    (locked,) = re.findall(r"^vllm==(\S+)$", (ROOT / "locks" / "gpu.txt").read_text(), re.MULTILINE)
    for image in (COMPOSE["services"]["policy"]["image"], DEPLOYMENTS["policy"]["containers"][0]["image"]):
        assert image.endswith(f":v{locked}")


def test_a_deployment_mounts_only_volumes_that_it_declares():
    for pod in DEPLOYMENTS.values():
        mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
