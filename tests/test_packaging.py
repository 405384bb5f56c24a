import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_package_of_the_house_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for name in ("dagster_project", "releases", "generators", "filters")
        for init in (ROOT / name).rglob("__init__.py")
    }
    assert set(settings["packages"]) == found
