import subprocess
import sys

import dagster as dg

from dagster_project.definitions import build


def test_the_definitions_load(settings):
    dg.Definitions.validate_loadable(build(settings))


def test_the_asset_graph_is_what_the_readme_says(settings):
    graph = build(settings).resolve_asset_graph()
    shown = {
        key.to_user_string(): (
            graph.get(key).group_name,
            sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
        )
        for key in graph.get_all_asset_keys()
    }
    assert shown == {
        "problems": ("problems", []),
        "attempts": ("attempts", ["problems"]),
        "process_labels": ("process_labels", ["attempts", "problems"]),
        "step_preference_pairs": ("preferences", ["attempts", "problems", "process_labels"]),
        "contrastive_models": ("preferences", ["attempts", "problems"]),
        "critical_token_pairs": ("preferences", ["attempts", "contrastive_models", "problems", "process_labels"]),
        "self_correction_traces": ("traces", ["attempts", "problems", "process_labels"]),
        "long_cot_traces": ("traces", ["attempts", "problems"]),
        "long_cot_traces_release": ("releases", ["attempts", "long_cot_traces", "problems"]),
        "process_labels_release": ("releases", ["attempts", "problems", "process_labels"]),
        "step_preference_pairs_release": (
            "releases",
            ["attempts", "problems", "process_labels", "step_preference_pairs"],
        ),
        "critical_token_pairs_release": (
            "releases",
            ["attempts", "contrastive_models", "critical_token_pairs", "problems", "process_labels"],
        ),
        "self_correction_traces_release": (
            "releases",
            ["attempts", "problems", "process_labels", "self_correction_traces"],
        ),
    }


def test_a_slice_is_a_shard_of_a_source(settings):
    assert list(settings.slices()) == ["sums-0", "sums-1"]


def test_loading_the_definitions_imports_neither_torch_nor_vllm():
    code = "import sys, dagster_project.definitions; sys.exit(any(name in sys.modules for name in ('torch', 'vllm')))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=120).returncode == 0
