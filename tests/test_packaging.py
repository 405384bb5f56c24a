import tomllib
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_command_that_an_installation_gives_is_there():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for target in scripts.values():
        module, _, name = target.partition(":")
        assert callable(getattr(import_module(module), name))


def test_every_package_of_the_house_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for name in ("dagster_project", "releases", "generators", "filters")
        for init in (ROOT / name).rglob("__init__.py")
    }
    assert set(settings["packages"]) == found
