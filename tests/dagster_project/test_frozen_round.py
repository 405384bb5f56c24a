"""One simulated round of every dataset against a stored one: the policy gets the same requests, and rows are equal.

Everything is read from the data root, so that code can move without a change here. Where a difference is meant, store
the round again and look at what git shows of it: `pytest tests/dagster_project/test_frozen_round.py --renew-frozen`.

Floats stand beside the digests and are compared with a tolerance: numpy rounds some of those that process labels hold
differently from one kind of CPU to another. For the same reason this dataset's own content digest is not stored.
"""

import json
import math
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from dagster_project.settings.file import load_settings
from tests.dagster_project.conftest import SETTINGS, runner

STORED = Path(__file__).with_name("frozen_round.json")
ROUND = "frozen"
SECTIONS = ("contents", "released", "tables", "ledger", "recipes", "costs")
DATASETS = {
    "process_labels": {"full", "default", "truncated"},
    "step_preference_pairs": {"full", "default", "steps"},
    "critical_token_pairs": {"full", "default"},
    "self_correction_traces": {"full", "default", "tokens", "messages"},
    "long_cot_traces": {"full", "default", "messages", "full_pairs", "pairs"},
    "short_right": {"full", "default", "control", "longer_right", "longer_wrong"},
    "problems": {"full", "default"},
    "attempts": {"full", "default", "unpaired"},
    "contrast_pairs": {"full", "default"},
    "coverage": {"full", "default"},
}
VARIES_BY_CPU = "process_labels"


@pytest.fixture(scope="module")
def current(tmp_path_factory):
    """What a round of all datasets on two slices leaves on disk, by section."""
    folder = tmp_path_factory.mktemp("frozen")
    (folder / "stepmill.toml").write_text(SETTINGS.format(policy="").replace("size = 12", "size = 48"))
    settings = load_settings(folder / "stepmill.toml")
    with dg.DagsterInstance.ephemeral() as instance:
        make = runner(instance)
        for slice_key in settings.slices():
            assert make(settings, "slice", ROUND, slice_key).success
        assert make(settings, "release", ROUND).success
    return sections(Path(settings.data_root))


@pytest.fixture(scope="module")
def stored(request, current):
    """The stored round; with `--renew-frozen` it is stored first."""
    if request.config.getoption("--renew-frozen"):
        STORED.write_text(json.dumps(current, indent=1, sort_keys=True) + "\n")
    return json.loads(STORED.read_text())


@pytest.mark.parametrize("section", SECTIONS)
def test_a_simulated_round_is_the_stored_one(section, current, stored):
    lines = differences(stored[section], current[section])
    assert not lines, f"{len(lines)} differences in {section}:\n" + "\n".join(lines)


def test_the_stored_round_has_rows_of_every_dataset_and_config(stored):
    rows = {
        dataset: {config for config, splits in configs.items() if sum(split["rows"] for split in splits.values())}
        for dataset, configs in stored["released"].items()
    }
    assert rows == DATASETS


def test_a_difference_is_a_line_with_its_path_and_both_values():
    assert differences({"a": {"b": 1, "c": 0.5}}, {"a": {"b": 2, "c": 0.5 + 1e-9, "d": []}}) == [
        "a.b: stored 1, now 2",
        "a.d: stored absent, now []",
    ]
    assert differences({"a": [1, 0.5]}, {"a": [1, 0.6]}) == ["a.1: stored 0.5, now 0.6"]


def sections(root: Path) -> dict[str, dict[str, Any]]:
    """What the data root holds of the round, by section."""
    manifests = {path.parent: json.loads(path.read_text()) for path in sorted(root.glob("releases/*/*/manifest.json"))}
    return {
        "contents": {
            manifest["dataset"]: manifest["content"]
            for manifest in manifests.values()
            if manifest["dataset"] != VARIES_BY_CPU
        },
        "released": {manifest["dataset"]: released(version) for version, manifest in manifests.items()},
        "tables": {
            folder.parent.name: {path.stem: summary(pl.read_parquet(path)) for path in sorted(folder.glob("*.parquet"))}
            for folder in sorted(root.glob(f"tables/*/{ROUND}"))
        },
        "ledger": {
            policy.name: {folder.name: rollouts(folder) for folder in sorted((policy / ROUND).iterdir())}
            for policy in sorted(root.glob("ledger/*"))
        },
        "recipes": beside_the_tables(root, "recipe"),
        # "seconds" is how long the stage took.
        "costs": {
            stage: {key: {name: n for name, n in cost.items() if name != "seconds"} for key, cost in by_slice.items()}
            for stage, by_slice in beside_the_tables(root, "cost").items()
        },
    }


def released(version: Path) -> dict[str, dict[str, Any]]:
    """The rows of one release, by config and split."""
    shards: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(version.glob("data/*/*.parquet")):
        shards.setdefault(path.parent.name, {}).setdefault(path.name.split("-")[0], []).append(path)
    return {
        config: {split: summary(pl.read_parquet(paths)) for split, paths in splits.items()}
        for config, splits in shards.items()
    }


def beside_the_tables(root: Path, kind: str) -> dict[str, dict[str, Any]]:
    """The JSON files of one kind, by stage and slice."""
    return {
        folder.parent.name: {
            path.name.removesuffix(f".{kind}.json"): json.loads(path.read_text())
            for path in sorted(folder.glob(f"*.{kind}.json"))
        }
        for folder in sorted(root.glob(f"tables/*/{ROUND}"))
        if any(folder.glob(f"*.{kind}.json"))
    }


def summary(frame: pl.DataFrame) -> dict[str, Any]:
    """The number of rows, a digest of everything but floats, and the sum of each column that holds floats."""
    text = frame.select(sorted(frame.columns)).write_json()
    types = {name: str(frame.schema[name]) for name in sorted(frame.columns)}
    exact = json.dumps([types, json.loads(text, parse_float=lambda _: "float")])
    sums = {name: math.fsum(floats(frame[name].to_list())) for name in types if "Float" in types[name]}
    return {"rows": frame.height, "sha256": sha256(exact.encode()).hexdigest(), "sums": sums}


def floats(value: Any) -> Iterator[float]:
    """The floats in a value, however deep they stand."""
    match value:
        case float():
            yield value
        case list():
            for part in value:
                yield from floats(part)
        case dict():
            yield from floats(list(value.values()))


def rollouts(folder: Path) -> dict[str, Any]:
    """The number of different rollouts in a ledger folder and a digest of their keys: how parts split them may vary."""
    keys = pl.read_parquet(folder / "*.parquet", columns=["key", "index"]).unique().sort("key", "index")
    return {"rollouts": keys.height, "sha256": sha256(keys.write_ndjson().encode()).hexdigest()}


def differences(stored: Any, current: Any) -> list[str]:
    """A line for each value that differs, with its path; floats may differ by rounding."""
    before, after = dict(leaves(stored)), dict(leaves(current))
    return [
        f"{path}: stored {before.get(path, 'absent')}, now {after.get(path, 'absent')}"
        for path in sorted(before.keys() | after.keys())
        if not alike(before.get(path, "absent"), after.get(path, "absent"))
    ]


def alike(stored: Any, current: Any) -> bool:
    """Whether two values are the same, floats up to rounding."""
    if isinstance(stored, float) and isinstance(current, float):
        return math.isclose(stored, current, rel_tol=1e-6, abs_tol=1e-6)
    return bool(stored == current) and type(stored) is type(current)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no container, or an empty one, with its path."""
    parts = value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
    if not parts:
        yield path, value
    for name, part in parts.items():
        yield from leaves(part, f"{path}.{name}" if path else str(name))
