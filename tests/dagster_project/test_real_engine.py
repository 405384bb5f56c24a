import subprocess
import sys

import polars as pl
import pytest

from dagster_project.settings.file import load_settings
from generators.process_labels.dataset import DATASET
from tests.dagster_project.conftest import LENIENT, metadata_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]  # five datasets, by a model that writes in real time

SETTINGS = (
    """
data_root = "data"

[policy]
model = "{model}"
tokenizer = "embedded"
urls = ["{url}"]
api_key_env = "KEY_OF_THE_TEST"

[[sources]]
kind = "procedural"
name = "chain_sum"
task = "chain_sum"
size = 3
seed = 7
levels = {{ min_terms = 2, max_terms = 3, min_digits = 1, max_digits = 1 }}
worked_examples = "chain_sum"

[attempts]
n = 4
temperature = 0.7
max_tokens = 80

[process_labels]
cap = 8
audit = 2

[step_preference_pairs]
candidates = 2
cap = 4

[self_correction_traces]
samples = 1
max_triggers = 1

[contrastive_models]
weights = "embedded"

[critical_token_pairs]
search_cap = 4
cap = 4
budget = 8

[long_cot_traces]
n = 2
examples = "short"
max_tokens = 80
"""
    + LENIENT
)

LOAD = """
from datasets import load_dataset

rows = load_dataset({path!r}, "default")
for split in rows.values():
    for row in split:
        assert row["prompt"] and len(row["completions"]) == len(row["labels"]) >= 2
print(sum(split.num_rows for split in rows.values()))
"""


def test_the_real_model_makes_a_release_that_loads_and_a_second_run_asks_it_nothing(
    tmp_path, policy_server, make, monkeypatch
):
    monkeypatch.setenv("KEY_OF_THE_TEST", policy_server.api_key)
    (tmp_path / "stepmill.toml").write_text(SETTINGS.format(model=policy_server.model_name, url=policy_server.url))
    settings = load_settings(tmp_path / "stepmill.toml")
    assert make(settings, "slice", "r1", "chain_sum-0").success
    released = metadata_of(make(settings, "release", "r1", only=["process_labels_release"]), "process_labels_release")
    rows = pl.read_parquet(tmp_path / "data/tables/process_labels/r1/chain_sum-0.parquet")
    assert rows.height > 0
    for row in rows.iter_rows(named=True):
        assert row["step_ends"][-1] == len(row["token_ids"])
        assert all(right <= drawn for right, drawn in zip(row["n_correct"], row["n_rollouts"], strict=True))

    made_again = []
    for _ in range(2):  # the first of them takes in all evidence
        again = make(settings, "slice", "r1", "chain_sum-0", only=DATASET.stages)
        assert [metadata_of(again, asset)["tokens_generated"] for asset in ("attempts", "process_labels")] == [0, 0]
        made_again.append(pl.read_parquet(tmp_path / "data/tables/process_labels/r1/chain_sum-0.parquet"))
    second, third = made_again
    assert second["token_ids"].equals(rows["token_ids"])
    assert third.equals(second)

    code = LOAD.format(path=released["dagster/uri"])
    loaded = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert int(loaded.stdout.split()[-1]) > 0
