"""Everything that Dagster loads: assets over rounds x slices, their resources, and the jobs that make them."""

import dagster as dg

from dagster_project.assets.attempts import attempts
from dagster_project.assets.contrastive_models import contrastive_models
from dagster_project.assets.critical_token_pairs import critical_token_pairs
from dagster_project.assets.critical_token_pairs_release import critical_token_pairs_release
from dagster_project.assets.long_cot_traces import long_cot_traces
from dagster_project.assets.long_cot_traces_release import long_cot_traces_release
from dagster_project.assets.problems import problems
from dagster_project.assets.process_labels import process_labels
from dagster_project.assets.process_labels_release import process_labels_release
from dagster_project.assets.self_correction_traces import self_correction_traces
from dagster_project.assets.self_correction_traces_release import self_correction_traces_release
from dagster_project.assets.step_preference_pairs import step_preference_pairs
from dagster_project.assets.step_preference_pairs_release import step_preference_pairs_release
from dagster_project.automatic_publishing import automatic_publishing
from dagster_project.partitions import grid
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.round_openers import round_of_a_new_policy, weekly_round
from dagster_project.settings.file import Settings, load_settings


def build(settings: Settings) -> dg.Definitions:
    """The definitions of one settings file."""
    store = Store(data_root=settings.data_root)
    cells = grid(list(settings.slices()))
    return dg.Definitions(
        assets=[
            problems(settings, cells),
            attempts(settings, cells),
            process_labels(settings, cells),
            step_preference_pairs(settings, cells),
            contrastive_models(settings, cells),
            critical_token_pairs(settings, cells),
            self_correction_traces(settings, cells),
            long_cot_traces(settings, cells),
            process_labels_release(settings),
            step_preference_pairs_release(settings),
            critical_token_pairs_release(settings),
            self_correction_traces_release(settings),
            long_cot_traces_release(settings),
        ],
        resources={
            "store": store,
            "policy": PolicyResource(settings=settings.policy, log_folder=str(store.log_folder)),
            "judge": JudgeResource(settings=settings.judge),
            "reward": RewardResource(settings=settings.reward),
        },
        jobs=[
            dg.define_asset_job("slice", selection=dg.AssetSelection.all() - dg.AssetSelection.groups("releases")),
            dg.define_asset_job("release", selection=dg.AssetSelection.groups("releases")),
        ],
        schedules=[weekly_round(settings, store)],
        sensors=[round_of_a_new_policy(settings, store), automatic_publishing(settings, store)],
        executor=dg.in_process_executor,
    )


defs = build(load_settings())
