import tomllib
from importlib import import_module
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parent.parent


def test_every_command_that_an_installation_gives_is_there():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for target in scripts.values():
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(module), name))


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
    assert {file.suffix for file in files} - {".py", ".pyc"} == {".md", ".jinja"}
