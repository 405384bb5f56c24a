"""Everything that Dagster loads: assets over rounds x slices, their resources, and the jobs that make them."""

import dagster as dg

from dagster_project.partitions import grid
from dagster_project.policies.names import GROUP, POLICY_JOB
from dagster_project.policies.next_policy import next_policy
from dagster_project.policies.policy_evaluation import policy_evaluation
from dagster_project.policies.sensor import policy_loop
from dagster_project.release_asset import release_asset
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.rounds import weekly_round
from dagster_project.running.listener import NOBODY, Listener
from dagster_project.sensors import automatic_publishing, round_of_a_new_policy
from dagster_project.settings.file import Settings, load_settings
from dagster_project.slice_asset import slice_asset
from dagster_project.workshop import workshop
from generators.datasets import DATASETS, STAGES, dataset_of


def build(settings: Settings, listener: Listener = NOBODY) -> dg.Definitions:
    """The definitions of one settings file; `listener` hears how far each table is that this process makes."""
    store = Store(data_root=settings.data_root, ledger_wait_s=settings.ledger_wait_s)
    cells = grid(list(settings.slices()))
    not_of_a_slice = dg.AssetSelection.groups("releases", GROUP)
    jobs = [
        dg.define_asset_job(
            "slice",
            selection=dg.AssetSelection.all() - not_of_a_slice,
            description=f"Makes every table of one slice, by the settings in {settings.read_from}.",
        ),
        dg.define_asset_job(
            "release",
            selection=dg.AssetSelection.groups("releases"),
            description=f"Releases the datasets of a round, by the settings in {settings.read_from}.",
        ),
    ]
    if settings.loop is not None:
        jobs.append(
            dg.define_asset_job(
                POLICY_JOB,
                selection=dg.AssetSelection.groups(GROUP),
                description=f"Trains and evaluates the next policy, by the settings in {settings.read_from}.",
            )
        )
    return dg.Definitions(
        assets=[
            *(
                slice_asset(stage, settings, cells, dataset_of(stage.name), stages=STAGES, listener=listener)
                for stage in STAGES
            ),
            *(release_asset(dataset, settings) for dataset in DATASETS),
            *((next_policy(settings), policy_evaluation(settings, listener)) if settings.loop is not None else ()),
        ],
        resources={
            "store": store,
            "policy": PolicyResource(
                settings=settings.policy,
                log_folder=str(store.log_folder),
                weights_folder=str(store.root / "weights"),
                data_root=settings.data_root,
            ),
            "judge": JudgeResource(settings=settings.judge),
            "reward": RewardResource(settings=settings.reward),
            "workshop": workshop,
        },
        jobs=jobs,
        schedules=[weekly_round(settings, store)],
        sensors=[
            round_of_a_new_policy(settings, store),
            automatic_publishing(settings, store),
            *([policy_loop(settings, store, jobs)] if settings.loop is not None else ()),
        ],
        executor=dg.in_process_executor,
    )


defs = build(load_settings())
