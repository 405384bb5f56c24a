"""The same rows and settings give the same bytes, whoever builds the release."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from upath import UPath

from releases.registry.local import LocalRegistry
from tests.releases.conftest import true_draft_of
from tests.releases.registry.test_local import contents

BUILD = """
import sys
import polars as pl
from upath import UPath
from releases.facts import ReleaseFacts, SourceFacts
from releases.registry.local import LocalRegistry
from tests.releases.conftest import true_draft_of

facts = ReleaseFacts(
    policy="tiny",
    round="first",
    sources=[SourceFacts(name="sums", problems=16)],
    stages=[],
    tokens={kind: 1 for kind in {"generated", "prompt", "cached"}},
    settings={name: {"n": 1} for name in {"problems", "attempts", "process_labels"}},
)
LocalRegistry(UPath(sys.argv[2])).publish(true_draft_of(pl.read_parquet(sys.argv[1]), facts))
"""


def test_two_processes_with_other_hash_seeds_release_the_same_bytes(true_rows, tmp_path):
    true_rows.write_parquet(tmp_path / "rows.parquet")
    root = Path(__file__).parent.parent.parent
    builds = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD, tmp_path / "rows.parquet", tmp_path / seed],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        )
        for seed in ("1", "2")
    ]
    assert [build.wait() for build in builds] == [0, 0]
    first, second = (contents(UPath(tmp_path / seed)) for seed in ("1", "2"))
    assert first == second and len(first) == 12  # LICENSE.md too, since the source states no licence


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_the_rows_that_come_in_changes_no_byte(true_rows, facts, tmp_path, true_draft, seed):
    shuffled = true_rows.sample(fraction=1.0, shuffle=True, seed=seed)
    for name, draft in (("a", true_draft), ("b", true_draft_of(shuffled, facts()))):
        LocalRegistry(UPath(tmp_path / name)).publish(draft)
    assert contents(UPath(tmp_path / "a")) == contents(UPath(tmp_path / "b"))
