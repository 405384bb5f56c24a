from types import SimpleNamespace

import dagster as dg
import pytest

from dagster_project.definitions import build
from dagster_project.resources.store import Store
from dagster_project.settings.file import load_settings
from generators.datasets import dataset_of

# A dozen problems are what they are: only tests of the checks themselves hold them to a bound.
LENIENT = """
[checks]
least_right = 0.0
most_right = 1.0
least_label = 0.0
max_no_answer_share = 1.0

[checks.least_yield]
attempts = 0
"""
SETTINGS = (
    f'data_root = "data"\n{LENIENT}'
    + """
[policy]
model = "simulated"
{policy}

[[sources]]
kind = "simulated"
name = "sums"
size = 12
min_steps = 3
max_steps = 5
shards = 2

[attempts]
n = 4
max_tokens = 400

[process_labels]
rollouts_per_step = 4
cap = 16
pilot = 4
audit = 4

[critical_token_pairs]
search_cap = 32
cap = 32
budget = 64

[long_cot_traces]
n = 4
examples = "short"
max_tokens = 400
"""
)


@pytest.fixture
def settings(tmp_path):
    """Settings over the simulated policy, with their data root below the test's folder."""
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.format(policy=""))
    return load_settings(file)


@pytest.fixture
def make():
    """Runs one job of some settings for one partition, all of it or some assets only; gives Dagster's result."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield runner(instance)


def runner(instance):
    """What `make` is, over an instance of the caller's own."""

    def run(settings, job, round_key, slice_key=None, run_config=None, only=None):
        instance.add_dynamic_partitions("rounds", [round_key])
        keys = {"round": round_key, "slice": slice_key}
        return (
            build(settings)
            .resolve_job_def(job)
            .execute_in_process(
                partition_key=dg.MultiPartitionKey(keys) if slice_key else round_key,
                instance=instance,
                run_config=run_config,
                asset_selection=[dg.AssetKey(name) for name in only] if only else None,
                raise_on_error=False,
            )
        )

    return run


def rounds_in(folder, rounds, *changes):
    """Some rounds of all datasets, made and released: settings, store, and the results by round and by slice or job."""
    text = SETTINGS.format(policy="")
    for old, new in changes:
        text = text.replace(old, new)
    (folder / "stepmill.toml").write_text(text)
    settings = load_settings(folder / "stepmill.toml")
    results = {}
    with dg.DagsterInstance.ephemeral() as instance:
        make = runner(instance)
        for key in rounds:
            for slice_key in settings.slices():
                results[key, slice_key] = make(settings, "slice", key, slice_key)
            results[key, "release"] = make(settings, "release", key)
    return SimpleNamespace(settings=settings, store=Store(data_root=settings.data_root), results=results)


@pytest.fixture
def make_round(make):
    """Makes what one dataset needs of every slice of a round and releases it; gives the release's metadata."""

    def run(settings, round_key, dataset="process_labels"):
        for slice_key in settings.slices():
            assert make(settings, "slice", round_key, slice_key, only=dataset_of(dataset).stages).success
        released = make(settings, "release", round_key, only=[f"{dataset}_release"])
        assert released.success
        return metadata_of(released, f"{dataset}_release")

    return run


def metadata_of(result, asset):
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}
