import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.definitions import build
from dagster_project.settings.file import SettingsError, load_settings
from generators.datasets import DATASETS, STAGES, skipped_between
from tests.dagster_project.conftest import SETTINGS

SPECS = Path(__file__).parent / "asset_specs.txt"


def test_the_definitions_load(settings):
    dg.Definitions.validate_loadable(build(settings))


def told(asset):
    """What the graph says of one asset, as lines that a person reads."""
    spec = next(iter(asset.specs))
    checks = {one.name: one.blocking for one in asset.check_specs}
    parents = sorted(parent.asset_key.to_user_string() for parent in spec.deps)
    partitions = asset.partitions_def
    multi = isinstance(partitions, dg.MultiPartitionsDefinition)
    facts = {
        "deps": ", ".join(parents),
        "group": spec.group_name,
        "kinds": ", ".join(sorted(spec.kinds)),
        "partitions": " x ".join(partitions.partition_dimension_names) if multi else partitions.name,
        "pool": ", ".join(sorted(asset.op.pools)),
        "blocking checks": ", ".join(sorted(name for name, blocks in checks.items() if blocks)),
        "warning checks": ", ".join(sorted(name for name, blocks in checks.items() if not blocks)),
        "fails when older than": str(spec.freshness_policy.fail_window.to_timedelta()) if spec.freshness_policy else "",
    }
    return "\n".join([spec.key.to_user_string(), *(f"  {name}: {fact or '-'}" for name, fact in facts.items())])


def test_the_asset_specs_are_those_of_the_file(settings):
    shown = "\n\n".join(told(asset) for asset in build(settings).assets) + "\n"
    assert shown == SPECS.read_text()


def parents_of(definitions):
    """The assets that each asset directly depends on."""
    specs = [next(iter(asset.specs)) for asset in definitions.assets]
    return {spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps} for spec in specs}


def ancestors(parents, name):
    return parents[name] | {above for parent in parents[name] for above in ancestors(parents, parent)}


def test_an_asset_comes_after_all_that_it_needs_and_no_edge_follows_from_others(settings):
    parents = parents_of(build(settings))
    needs = {stage.name: set(stage.needs) for stage in STAGES}
    needs |= {f"{dataset.name}_release": set(dataset.stages) for dataset in DATASETS}
    assert {name: ancestors(parents, name) for name in parents} == needs
    for name, direct in parents.items():
        assert not any(direct & ancestors(parents, parent) for parent in direct), name


@pytest.mark.parametrize(
    ("stage", "selected", "skipped"),
    [
        ("process_labels", {"problems", "process_labels"}, ("attempts",)),
        ("process_labels", {"attempts", "process_labels"}, ()),
        ("process_labels", {"process_labels", "long_cot_traces"}, ()),
        ("critical_token_pairs", {"problems", "attempts", "process_labels", "critical_token_pairs"}, ()),
        ("critical_token_pairs", {"attempts", "critical_token_pairs"}, ("process_labels", "contrastive_models")),
    ],
)
def test_stages_that_a_run_leaves_out_between_two_others_are_named(stage, selected, skipped):
    (chosen,) = (candidate for candidate in STAGES if candidate.name == stage)
    assert skipped_between(chosen, selected) == skipped


def test_every_check_says_what_it_checks_and_has_a_status_for_each_slice(settings):
    for asset in build(settings).assets:
        for check in asset.check_specs:
            assert check.description.endswith("."), check.name
            assert check.partitions_def == asset.partitions_def


def test_no_two_assets_are_described_alike(settings):
    described = [next(iter(asset.specs)).description for asset in build(settings).assets]
    assert len({*described}) == len(described)


def test_each_asset_names_its_owners_its_docs_its_hub_page_and_the_settings_file(tmp_path):
    file = tmp_path / "own.toml"
    sections = '[releases]\nowners = ["team:data", "ann@example.org"]\n[hub]\nnamespace = "lab"\n'
    text = SETTINGS.format(policy="") + sections
    file.write_text(text)
    settings = load_settings(file)
    definitions = build(settings)
    specs = {spec.key.to_user_string(): spec for asset in definitions.assets for spec in asset.specs}
    for spec in specs.values():
        assert list(spec.owners) == ["team:data", "ann@example.org"]
        assert spec.metadata["settings_file"].value.startswith(f"{file} (digest ")
    for dataset in DATASETS:
        for name in (dataset.name, f"{dataset.name}_release"):
            assert specs[name].metadata["hub"].value.endswith(f"/datasets/lab/{dataset.name}")
            assert specs[name].metadata["docs"].value.startswith(f"# `{dataset.name}`")
            assert "](../" not in specs[name].metadata["docs"].value
        assert f"/datasets/lab/{dataset.name})" in specs[f"{dataset.name}_release"].description
    assert all(str(file) in definitions.resolve_job_def(job).description for job in ("slice", "release"))
    file.write_text(text + "# changed\n")
    assert load_settings(file).read_from != settings.read_from


@pytest.mark.parametrize("owner", ["ann", "team:", "ann@example"])
def test_an_owner_that_dagster_cannot_show_is_refused(tmp_path, owner):
    file = tmp_path / "own.toml"
    file.write_text(SETTINGS.format(policy="") + f'[releases]\nowners = ["{owner}"]\n')
    with pytest.raises(SettingsError, match="an owner must be an e-mail address or team:name"):
        load_settings(file)


def test_a_slice_is_a_shard_of_a_source(settings):
    assert list(settings.slices()) == ["sums-0", "sums-1"]


def test_loading_the_definitions_imports_neither_torch_nor_vllm():
    code = "import sys, dagster_project.definitions; sys.exit(any(name in sys.modules for name in ('torch', 'vllm')))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=120).returncode == 0
