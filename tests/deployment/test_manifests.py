"""The files that a deployment is made of agree with each other, and name only what the code reads."""

import re
import shutil
import subprocess
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from benchmarks.router_affinity import DEPLOYED
from dagster_project.settings.file import load_settings
from tests.deployment.object_store import ObjectStore
from tests.deployment.processes import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
KUSTOMIZATION = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
OBJECTS = [one for file in KUSTOMIZATION["resources"] for one in yaml.safe_load_all((DEPLOY / file).read_text()) if one]
DEPLOYMENTS = {
    one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in OBJECTS if one["kind"] == "Deployment"
}
INSTANCE = yaml.safe_load((DEPLOY / "kubernetes" / "dagster.yaml").read_text())
LAUNCHER = INSTANCE["run_launcher"]["config"]
COMPOSED, OURS = ("webserver", "daemon", "worker"), ("webserver", "daemon", "code")


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
    composed = {name for service in COMPOSED for name in COMPOSE["services"][service]["environment"]}
    assert composed - names_that_are_read() == set()
    plain = {one["name"] for name in OURS for one in DEPLOYMENTS[name]["containers"][0]["env"]}
    secret = re.findall(r"--from-literal=(\w+)", (ROOT / "docs" / "deployment.md").read_text())
    assert (plain | set(secret)) - {"DAGSTER_CURRENT_IMAGE"} == composed
    of_runs = {one.split("=")[0] for one in LAUNCHER["env_vars"]} | set(secret)
    assert of_runs | {"DAGSTER_HOME"} == composed
    in_ray = yaml.safe_load((DEPLOY / "ray" / "dagster.yaml").read_text())["run_launcher"]["config"]["ray"]
    assert set(in_ray["env_vars"]) <= composed


def test_no_secret_is_handed_on_in_a_ray_jobs_environment_which_ray_and_dagster_show():
    in_ray = yaml.safe_load((DEPLOY / "ray" / "dagster.yaml").read_text())["run_launcher"]["config"]["ray"]
    assert [name for name in in_ray["env_vars"] if re.search("KEY|TOKEN|SECRET|PASSWORD|POSTGRES", name)] == []


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
    (made,) = KUSTOMIZATION["configMapGenerator"]
    assert [name for name in made["files"] if not (DEPLOY / name.split("=")[-1]).is_file()] == []
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {name.removesuffix("*") for name in packages} <= set(" ".join(files).split())


def test_services_ask_each_other_by_the_names_and_ports_that_there_are():
    (url,) = settings().policy.urls
    ports = {one["metadata"]["name"]: one["spec"]["ports"][0]["port"] for one in OBJECTS if one["kind"] == "Service"}
    assert (url, ports["policy"]) == ("http://policy:8000", 8000)
    commands = {
        ("workspace.yaml", "worker"): COMPOSE["services"]["worker"]["command"],
        ("kubernetes/workspace.yaml", "code"): DEPLOYMENTS["code"]["containers"][0]["command"],
    }
    for (file, host), command in commands.items():
        (location,) = yaml.safe_load((DEPLOY / file).read_text())["load_from"]
        assert location["grpc_server"]["host"] == host
        assert command[-2:] == ["-p", str(location["grpc_server"]["port"])]
    assert ports["code"] == 4000


def test_the_policys_service_is_the_router_which_finds_the_policys_pods_by_their_label():
    (service,) = (one for one in OBJECTS if one["kind"] == "Service" and one["metadata"]["name"] == "policy")
    assert service["spec"]["selector"] == {"app": "router"}
    arguments = DEPLOYMENTS["router"]["containers"][0]["args"]
    assert set(DEPLOYED) <= set(arguments)  # those that the cache hits in docs/deployment.md were measured with
    options = dict(one.removeprefix("--").split("=", 1) for one in arguments[1:])
    assert options["selector"] == "app=policy"
    assert options["service-discovery-namespace"] == KUSTOMIZATION["namespace"] == LAUNCHER["job_namespace"]
    (port,) = DEPLOYMENTS["policy"]["containers"][0]["ports"]
    assert options["service-discovery-port"] == str(port["containerPort"])


def test_the_routers_version_is_the_one_that_the_extra_has():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (wanted,) = (one.split("==")[1] for one in extras["router"] if one.startswith("vllm-router=="))
    assert f"vllm-router=={wanted}" in (DEPLOY / "router.Dockerfile").read_text()
    assert DEPLOYMENTS["router"]["containers"][0]["image"] == f"stepmill-router:{wanted}"


@pytest.mark.parametrize(
    "arguments", [COMPOSE["services"]["policy"]["command"], DEPLOYMENTS["policy"]["containers"][0]["args"]]
)
def test_the_policys_server_serves_what_the_settings_ask_for(arguments):
    policy = settings().policy
    options = dict(pairwise(arguments))
    assert (options["--model"], options["--max-model-len"]) == (policy.model, str(policy.max_model_len))


def test_the_servers_version_is_the_one_that_is_locked():
    (locked,) = re.findall(r"^vllm==(\S+)", (ROOT / "locks" / "gpu.txt").read_text(), re.MULTILINE)
    for image in (COMPOSE["services"]["policy"]["image"], DEPLOYMENTS["policy"]["containers"][0]["image"]):
        assert image.endswith(f":v{locked}")


def test_a_deployment_mounts_only_volumes_that_it_declares():
    for pod in DEPLOYMENTS.values():
        mounted = {mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in LAUNCHER["volume_mounts"]} == {one["name"] for one in LAUNCHER["volumes"]}
    claims = {one["metadata"]["name"] for one in OBJECTS if one["kind"] == "PersistentVolumeClaim"}
    volumes = [volume for pod in DEPLOYMENTS.values() for volume in pod["volumes"]] + LAUNCHER["volumes"]
    assert {one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one} == claims


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_pod_is_bounded_watched_pinned_and_nobodys_root(name):
    pod = DEPLOYMENTS[name]
    (container,) = pod["containers"]
    for kind in ("requests", "limits"):
        assert {"cpu", "memory"} <= set(container["resources"][kind])
    assert "livenessProbe" in container
    assert "ports" not in container or {"startupProbe", "readinessProbe"} <= set(container)
    tag = container["image"].rpartition(":")[2]
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume)


def test_every_image_that_is_pulled_has_a_version_and_ours_runs_as_a_user():
    for service in COMPOSE["services"].values():
        assert service["image"] == "stepmill" or re.search(r":v?\d", service["image"])
    for file in ("Dockerfile", "router.Dockerfile"):
        assert re.search(r"^USER \d+$", (DEPLOY / file).read_text(), re.MULTILINE)


def test_the_policy_keeps_its_weights_on_a_disk():
    (container,) = DEPLOYMENTS["policy"]["containers"]
    home = next(one["value"] for one in container["env"] if one["name"] == "HF_HOME")
    assert home in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("folder", ["kubernetes", "ray"])
def test_dagster_takes_the_instance_with_its_run_launcher(folder, monkeypatch):
    pytest.importorskip({"kubernetes": "dagster_k8s", "ray": "dagster_ray"}[folder])
    from dagster._core.instance.config import dagster_instance_config
    from dagster._serdes import class_from_code_pointer

    monkeypatch.setenv("RAY_DASHBOARD_URL", "http://ray-head:8265")
    config, _ = dagster_instance_config(str(DEPLOY / folder))
    launcher = config["run_launcher"]
    kind = class_from_code_pointer(launcher["module"], launcher["class"])
    from dagster._config import process_config, resolve_to_config_type

    taken = process_config(resolve_to_config_type(kind.config_type()), launcher["config"])
    assert taken.success, taken.errors


KUBECTL = shutil.which("kubectl")


def built(folder):
    return subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
@pytest.mark.parametrize("version", ["1.30", "1.33", "1.37"])
def test_kubernetes_takes_every_object(version):
    validate = pytest.importorskip("kubernetes_validate").validate
    for one in yaml.safe_load_all(built(DEPLOY)):
        validate(one, version, strict=True)


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
def test_runs_are_started_from_the_image_that_the_kustomization_names(tmp_path):
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    file = tmp_path / "deploy" / "kustomization.yaml"
    named = [{"name": "stepmill", "newName": "registry.example/stepmill", "newTag": "9.9.9"}]
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"images": named}))
    code = next(
        one
        for one in yaml.safe_load_all(built(tmp_path / "deploy"))
        if one["kind"] == "Deployment" and one["metadata"]["name"] == "code"
    )
    (container,) = code["spec"]["template"]["spec"]["containers"]
    images = {one["value"] for one in container["env"] if one["name"] == "DAGSTER_CURRENT_IMAGE"}
    assert images == {container["image"]} == {"registry.example/stepmill:9.9.9"}
