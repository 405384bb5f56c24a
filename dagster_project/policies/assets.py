"""The assets of a loop, over rounds: the policy that a round's releases train, and its evaluation."""

import asyncio
from typing import Any

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.failures import explained
from dagster_project.partitions import ROUNDS
from dagster_project.policies.evaluating import ASSET, Evaluator
from dagster_project.policies.record import RoundPolicy, read_next, read_round
from dagster_project.policies.reporting import picture, table_of
from dagster_project.policies.rounds import rounds_of
from dagster_project.policies.training import train_next
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.running.listener import NOBODY, Listener, Table
from dagster_project.running.signals import hangup_as_termination
from dagster_project.settings.file import Settings, loop_of
from dagster_project.slice_log import SliceLog
from generators.evaluation.figures import Evaluation
from generators.models.policy_card import read_card
from generators.sampling.storage import StorageError

POLICIES = "policies"  # the group
POLICY_JOB = "policy"
NEXT_POLICY = "next_policy"
POLICY_ASSETS = (NEXT_POLICY, ASSET)


def policy_assets(settings: Settings, listener: Listener = NOBODY) -> tuple[dg.AssetsDefinition, ...]:
    """The assets `next_policy` and `policy_evaluation`, for settings with a loop."""
    return _next_policy(settings), _policy_evaluation(settings, listener)


def _next_policy(settings: Settings) -> dg.AssetsDefinition:
    loop = loop_of(settings)

    @dg.asset(
        name=NEXT_POLICY,
        description="The policy that the releases of a round train: it draws the next round of the loop.",
        partitions_def=ROUNDS,
        deps=[f"{dataset}_release" for dataset in loop.datasets],
        group_name=POLICIES,
        kinds={"pytorch"},
        pool="gpu",
        owners=settings.releases.owners,
        metadata={"settings_file": dg.MetadataValue.text(settings.read_from)},
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        with explained(), hangup_as_termination():
            first, current = _rounds(settings, store, context.partition_key)
            trained = train_next(settings, store, current, first, context.log.info)
        card = trained.card
        names = [phase["dataset"] for phase in card.phases]
        losses = {f"{number}: {name}": trained.losses[number - 1] for number, name in enumerate(names, start=1)}
        n_rows = sum(one.rows for one in card.datasets)
        return dg.MaterializeResult(
            metadata={
                "headline": f"{card.name} learnt {n_rows:,} rows in {card.steps:,} steps, from {card.start}",
                "loss": report.curves(losses, title="Loss", x="steps", y="loss"),
                "policy": card.name,
                "parent": card.parent,
                "start": card.start,
                "datasets": report.records(pl.DataFrame([_row(one) for one in card.datasets])),
                "phases": report.records(pl.DataFrame([dict(phase) for phase in card.phases])),
                "seed": card.seed,
                "dagster/row_count": n_rows,
                "dagster/uri": str(store.policies / trained.next.folder),
            },
            data_version=dg.DataVersion(card.name),
        )

    return asset


def _policy_evaluation(settings: Settings, listener: Listener) -> dg.AssetsDefinition:
    @dg.asset(
        name=ASSET,
        description="How the policies of a loop do on the evaluation problems, up to the one that a round made.",
        partitions_def=ROUNDS,
        deps=[NEXT_POLICY],
        group_name=POLICIES,
        kinds={"vllm"},
        pool="gpu",
        owners=settings.releases.owners,
        metadata={"settings_file": dg.MetadataValue.text(settings.read_from)},
    )
    def asset(context: dg.AssetExecutionContext, store: Store, policy: PolicyResource) -> dg.MaterializeResult:
        with explained(), hangup_as_termination():
            evaluations = _evaluated(context, settings, store, policy, listener)
        last = evaluations[-1]
        table = table_of(evaluations)
        return dg.MaterializeResult(
            metadata={
                "headline": dg.MetadataValue.md(table.headline),
                "figures": report.records(table.frame),
                "picture": report.picture("Figures by round", picture(evaluations)),
                "policy": last.policy,
                "dagster/row_count": len(last.problems),
                "dagster/uri": str(store.evaluation(last.policy)),
            },
            data_version=dg.DataVersion(f"{last.policy} {last.made_from}"),
        )

    return asset


def _evaluated(
    context: dg.AssetExecutionContext, settings: Settings, store: Store, resource: PolicyResource, listener: Listener
) -> list[Evaluation]:
    """The evaluations of the policies up to the one that the round made; those that are missing are made now."""
    round_key = context.partition_key
    _, current = _rounds(settings, store, round_key)
    made = read_next(store.root, round_key)
    if made is None:
        raise StorageError(f"round {round_key} has no next policy: materialise {NEXT_POLICY} of the round first")
    loop = loop_of(settings)
    evaluator = Evaluator(settings=settings, loop=loop, store=store)
    opened = rounds_of(loop, store)[: current.number]
    log, table = SliceLog(to=context.log), Table(ASSET, round_key)
    evaluations = []
    for name, folder in [*((one.policy, one.folder) for one in opened), (made.policy, made.folder)]:
        known = evaluator.stored(name)
        if known is None:
            served = resource.under(settings.policy.of_folder(store.root, folder))
            try:
                known = asyncio.run(
                    evaluator.evaluate(
                        served,
                        run_id=context.run.run_id,
                        log=log,
                        hear=lambda snapshot: listener.progressed(table, snapshot),
                    )
                )
            finally:
                served.close()
        evaluations.append(known)
    _keep_on_card(store, made.folder, evaluations)
    return evaluations


def _keep_on_card(store: Store, folder: str, evaluations: list[Evaluation]) -> None:
    """Write the figures of the policy that was made last onto its card."""
    place = store.policies / folder
    card = read_card(place)
    if card is None:
        raise StorageError(f"{place} has no card: materialise {NEXT_POLICY} of the round again")
    card.evaluated(evaluations[-1].summary(before=evaluations[-2])).write(place)


def _rounds(settings: Settings, store: Store, round_key: str) -> tuple[RoundPolicy, RoundPolicy]:
    """The records of the loop's first round and of this one; raises StorageError if the round is none of the loop's."""
    loop, current = loop_of(settings), read_round(store.root, round_key)
    if current is None or current.loop != loop.name:
        raise StorageError(
            f"round {round_key} is no round of the loop {loop.name}: open one with `stepmill loop`, or with the sensor "
            "policy_loop"
        )
    return rounds_of(loop, store)[0], current


def _row(trained_on: Any) -> dict[str, Any]:
    return {"dataset": trained_on.dataset, "version": trained_on.version, "rows": trained_on.rows}
