"""A release as its readers meet it: `datasets.load_dataset` by the card's own lines, and the card's metadata."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
import yaml
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard
from upath import UPath

from generators.process_labels.dataset import DATASET as LABELS
from generators.process_labels.release import FULL
from generators.process_labels.training import STEPWISE
from generators.rows import Rows
from releases.facts import SourceFacts
from releases.parquet import Bounds, shards
from releases.registry.local import LocalRegistry
from tests.releases.conftest import labels_draft

ROOT = Path(__file__).parents[2]
RESOURCES = files("datasets.utils.resources")
SIZES = json.loads((RESOURCES / "size_categories.json").read_text())
CREATORS = json.loads((RESOURCES / "creators.json").read_text())
EXPECTED = {
    "full": {
        "problem_id": "string",
        "attempt_index": "int32",
        "level": "string",
        "steps": "[string]",
        "step_ends": "[int32]",
        "n_correct": "[int32]",
        "soft_labels": "[float32]",
        "hard_labels": "[bool]",
        "first_error": "int32",
    },
    "default": {"prompt": "string", "completions": "[string]", "labels": "[int32]"},
    "truncated": {"prompt": "string", "completions": "[string]", "labels": "[int32]"},
}

READ = """
import json, sys
from datasets import List, load_dataset

def type_of(feature):
    return f"[{feature.feature.dtype}]" if isinstance(feature, List) else feature.dtype

splits = {config: load_dataset("process_labels/v0.1.0", config) for config in ("full", "default", "truncated")}
parts = {(config, split): rows for config, of in splits.items() for split, rows in of.items()}
told = [
    {"part": part, "types": {name: type_of(f) for name, f in rows.features.items()}, "rows": rows.to_list()}
    for part, rows in parts.items()
]
json.dump(told, open(sys.argv[1], "w"))
"""


@pytest.fixture
def release(registry, draft):
    return registry.publish(draft)


@pytest.fixture
def python(registry, release, tmp_path):
    """Run Python in the registry's folder, offline, with a cache of its own."""

    def run(program: str, *arguments: str) -> str:
        environment = {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin"}
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, cwd=registry.root.path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_every_split_loads_with_the_documented_types_and_rows_and_by_the_cards_lines(python, release, draft, tmp_path):
    card = (release.path / "README.md").read_text()
    lines = re.search(r"```python\n(.*?)```", card, re.DOTALL).group(1)
    assert "Step 0." in python(f"{lines}\n{READ}", str(tmp_path / "told.json"))
    told = {tuple(part["part"]): part for part in json.loads((tmp_path / "told.json").read_text())}
    frames = {(c, split): frame for c, table in draft.tables.items() for split, frame in table.splits.items()}
    assert {part: told[part]["rows"] for part in told} == {part: frame.to_dicts() for part, frame in frames.items()}
    for (config, _), part in told.items():
        assert EXPECTED[config].items() <= part["types"].items()
        assert list(part["types"]) == list(draft.tables[config].schema.columns)


def test_the_same_version_of_two_registries_loads_as_its_own_rows_each(python, draft, tmp_path):
    other = LocalRegistry(UPath(tmp_path / "other"))
    elsewhere = other.publish(replace(draft, tables={name: _first_row(table) for name, table in draft.tables.items()}))
    count = "from datasets import load_dataset; print(load_dataset({!r}, 'full', split='train').num_rows)"
    told = [python(count.format(place)) for place in ("process_labels/v0.1.0", str(elsewhere.path))]
    assert [int(line) for line in told] == [draft.tables["full"].rows["train"], 1]


def _first_row(table):
    return replace(table, splits={split: rows.head(1) for split, rows in table.splits.items()})


def test_the_card_is_one_that_the_hub_reads(registry, rows, facts):
    sources = (
        SourceFacts(name="sums", licence="apache-2.0", problems=16, language="en", hub_dataset="lab/sums"),
        SourceFacts(name="own sums", licence="Apache-2.0", problems=16),
    )
    draft = labels_draft(rows, facts(sources=sources))
    card = DatasetCard.load(Path(registry.publish(draft).path.path) / "README.md")
    assert card.data.to_dict() == {
        "pretty_name": "Process labels by rollouts",
        "license": "apache-2.0",
        "language": ["en"],
        "source_datasets": ["lab/sums"],
        "size_categories": ["n<1K"],
        "task_categories": ["text-classification"],
        "tags": ["stepmill", *draft.card.tags],
        "annotations_creators": ["machine-generated"],
        "configs": [
            {
                "config_name": "default",
                "default": True,
                "description": f"{draft.tables['default'].purpose} (rows {draft.content[:16]})",
                "data_files": [
                    {"split": "train", "path": "data/default/train-*.parquet"},
                    {"split": "test", "path": "data/default/test-*.parquet"},
                ],
            },
            {
                "config_name": "full",
                "description": f"{draft.tables['full'].purpose} (rows {draft.content[:16]})",
                "data_files": [
                    {"split": "train", "path": "data/full/train-*.parquet"},
                    {"split": "test", "path": "data/full/test-*.parquet"},
                ],
            },
            {
                "config_name": "truncated",
                "description": f"{draft.tables['truncated'].purpose} (rows {draft.content[:16]})",
                "data_files": [
                    {"split": "train", "path": "data/truncated/train-*.parquet"},
                    {"split": "test", "path": "data/truncated/test-*.parquet"},
                ],
            },
        ],
    }


def test_the_card_tells_columns_yields_labels_picture_and_papers(release):
    card = (release.path / "README.md").read_text()
    for name, column in (*FULL.columns.items(), *STEPWISE.columns.items()):
        assert f"| `{name}` | {column.words} |" in card
    for line in (
        "| sums | apache-2.0 | use and pass on | 32 |",
        "| problems | 32 | 2 duplicate |",
        "| release: default | 32 | 0 |",
        "| release: truncated | 32 | 0 |",
        "| split | right | wrong | undecided |",
        "(pictures/labels_by_position.png)",
        "arXiv:2312.08935",
    ):
        assert line in card
    assert (release.path / "pictures" / "labels_by_position.png").read_bytes().startswith(b"\x89PNG")


def test_the_card_goes_from_summary_to_settings_and_shows_rows_before_columns(release):
    card = (release.path / "README.md").read_text()
    headings = re.findall(r"^#{1,2} (.+)$", card, re.MULTILINE)
    assert headings[0] == "Process labels by rollouts, v0.1.0"
    shown = ["Load it", "Example rows", "Columns", "How the rows were made", "Labels", "Known limits", "Cite"]
    assert headings[1:] == shown
    assert card.endswith("</details>\n") and card.index("<details>") > card.index("@software{stepmill,")


def test_the_card_shows_three_rows_in_short_columns_and_cuts_long_values(registry, rows, facts):
    prompts = rows.with_columns(prompt=pl.lit("```\n~~~~\n" + "many words " * 60))
    card = (registry.publish(labels_draft(prompts, facts())).path / "README.md").read_text()
    part = card.split("## Example rows\n")[1].split("\n## Columns")[0]
    assert part.count("### Row") == 3
    for column in LABELS.sample_columns:
        assert part.count(f"**{column}**") == 3
    assert "~~~~~text\n```\n~~~~\nmany words" in part and " …\n~~~~~" in part
    assert max(map(len, part.splitlines())) < 310


def test_the_cards_metadata_hold_what_datasets_and_the_hub_accept(release, draft):
    data = DatasetCard.load(Path(release.path.path) / "README.md").data
    assert MetadataConfigs.from_dataset_card_data(data).get_default_config_name() == "default"
    for name, known in (("size_categories", SIZES), ("annotations_creators", CREATORS["annotations"])):
        assert set(getattr(data, name)) <= set(known)
    assert data.language is None and data.source_datasets is None


def test_the_card_cites_stepmill_as_the_repository_does(release):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    card = (release.path / "README.md").read_text()
    (author,) = citation["authors"]
    assert f"title   = {{{citation['title']}}}," in card
    assert f"author  = {{{{{author['name']}}}}}," in card
    assert f"license = {{{citation['license']}}}," in card
    assert f"version = {{{citation['version']}}}," in card


def test_a_large_split_is_cut_into_numbered_shards(draft):
    frame = draft.tables["default"].splits["train"].head(7)
    files = dict(shards(Rows.of(frame), STEPWISE, split="train", bounds=Bounds(shard_rows=3)))
    assert list(files) == [f"train-0000{number}-of-00003.parquet" for number in range(3)]
    assert pl.concat([pl.read_parquet(content) for content in files.values()]).equals(frame)


def test_long_lists_of_the_settings_are_left_to_the_manifest(true_draft, registry):
    release = registry.publish(true_draft)
    card = (release.path / "README.md").read_text()
    assert '"base": "40 items, in manifest.json"' in card
    assert (
        registry.manifest("process_labels", "v0.1.0").facts.settings["export"]["priors"]["sums-0"]["base"][39] == 0.025
    )


def test_the_card_shows_the_audit_of_planted_errors(rows, facts, registry):
    figures = {"n": 20, "exact": 15, "precision": 0.75, "mean_distance": None}
    release = registry.publish(labels_draft(rows, facts(audit={"all": figures, "number": figures})))
    card = (release.path / "README.md").read_text()
    assert "| error | n | exact | precision | mean distance |" in card
    assert "| all | 20 | 15 | 0.75 | – |" in card
