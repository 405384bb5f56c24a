import tomllib
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import yaml
from setuptools import find_packages

ROOT = Path(__file__).parent.parent


def test_every_command_that_an_installation_gives_is_there():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for target in scripts.values():
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(module), name))


def test_the_licence_is_that_of_its_text_and_of_the_citation():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    text = (ROOT / "LICENSE").read_bytes()
    # The digest of https://www.apache.org/licenses/LICENSE-2.0.txt.
    assert sha256(text).hexdigest() == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])
    assert citation["license"] == project["license"] and citation["version"] == project["version"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_every_package_and_every_file_that_it_reads_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = set(find_packages(str(ROOT), include=settings["packages"]["find"]["include"]))
    folders = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for name in ("dagster_project", "releases", "generators", "filters")
        for init in (ROOT / name).rglob("__init__.py")
    }
    assert packages == folders
    folders = [ROOT / name for name in ("releases", "generators")]
    files = [file for folder in folders for file in folder.rglob("*.*") if file.is_file()]
    assert {file.suffix for file in files} - {".py", ".pyc"} == {".md", ".jinja", ".css", ".js"}
