"""README and docs: generated pages are current, commands run as written, and the page on adding a dataset works."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project import reference

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?P<marker><!-- not run: [^\n]* -->\n)?```bash\n(?P<lines>.*?)```", re.DOTALL)
PROJECT = ("dagster_project", "releases", "generators", "filters", "benchmarks", "examples", "tests", "docs")
RELEASES = "needs the demo's releases"


def commands():
    """Every command of README and docs that needs neither a GPU nor the Hub nor much time."""
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text()):
            marker = block["marker"] or ""
            if not marker or f"{RELEASES} -->" in marker:
                for line in block["lines"].strip().splitlines():
                    yield pytest.param(line, id=f"{page.name}: {line[:60]}")


@pytest.fixture(scope="module")
def project(tmp_path_factory, world):
    """The project beside a data root that holds the releases of a simulated round."""
    folder = tmp_path_factory.mktemp("project")
    for entry in (*PROJECT, "pyproject.toml", "stepmill.toml", "Makefile"):
        (folder / entry).symlink_to(ROOT / entry)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "data").symlink_to(world.settings.data_root)
    return folder


@pytest.mark.parametrize("command", list(commands()))
def test_a_command_runs_as_written(project, command):
    done = subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("page", list(reference.pages()), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_generated_page_is_current(page):
    assert page.read_text() == reference.pages()[page], "renew it with `make docs`"


def test_every_link_between_pages_leads_somewhere():
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_every_folder_of_the_readmes_tree_exists():
    tree = (ROOT / "README.md").read_text().split("## Project tree")[1].split("```")[1]
    folders = [line.split()[0] for line in tree.splitlines() if line and not line.startswith(" ") and "/" in line]
    assert folders and [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_a_dataset_is_added_as_the_page_says(tmp_path):
    """One more dataset, out of the page's own blocks, goes through the conformance suite and lint unchanged."""
    page = (ROOT / "docs" / "add_a_dataset.md").read_text()
    for name in PROJECT:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "stepmill.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    room = tmp_path / "generators" / "first_right"
    room.mkdir()
    (room / "__init__.py").touch()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (card,) = re.findall(r"```markdown\n(.*?)```", page, re.DOTALL)
    assert sum(bool(line.strip()) for line in code.splitlines()) < 60
    (room / "dataset.py").write_text(code)
    (room / "card.md").write_text(card)
    for patch in re.findall(r"```diff\n(.*?)```", page, re.DOTALL):
        applied = subprocess.run(
            ["git", "apply", "--unidiff-zero", "-"], cwd=tmp_path, input=patch, text=True, capture_output=True
        )
        assert applied.returncode == 0, applied.stderr
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/datasets", "-k", "first_right"]
    tested = subprocess.run(suite, cwd=tmp_path, capture_output=True, text=True)
    assert tested.returncode == 0 and re.search(r"\b[1-9][0-9] passed", tested.stdout), tested.stdout[-3000:]
    lint = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    linted = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout[-2000:]
