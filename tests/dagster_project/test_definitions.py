import subprocess
import sys
from pathlib import Path

import dagster as dg

from dagster_project.definitions import build

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


def test_a_slice_is_a_shard_of_a_source(settings):
    assert list(settings.slices()) == ["sums-0", "sums-1"]


def test_loading_the_definitions_imports_neither_torch_nor_vllm():
    code = "import sys, dagster_project.definitions; sys.exit(any(name in sys.modules for name in ('torch', 'vllm')))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=120).returncode == 0
