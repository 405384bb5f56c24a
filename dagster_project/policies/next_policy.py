"""The asset `next_policy`, over rounds: the policy that the releases of a round train."""

from dataclasses import asdict
from typing import Any

import dagster as dg
import polars as pl

from dagster_project import report
from dagster_project.failures import explained
from dagster_project.partitions import ROUNDS
from dagster_project.policies.names import GROUP, NEXT_POLICY
from dagster_project.policies.rounds import rounds_up_to
from dagster_project.policies.training import Trained, train_next
from dagster_project.resources.store import Store
from dagster_project.running.signals import hangup_as_termination
from dagster_project.settings.file import Settings, loop_of
from generators.training.policy_training import VERSION


def next_policy(settings: Settings) -> dg.AssetsDefinition:
    """The asset, for settings with a loop."""
    loop = loop_of(settings)

    @dg.asset(
        name=NEXT_POLICY,
        description="The policy that the releases of a round train; it draws the next round of the loop.",
        partitions_def=ROUNDS,
        deps=[f"{dataset}_release" for dataset in loop.datasets],
        group_name=GROUP,
        kinds={"pytorch"},
        pool="gpu",
        code_version=VERSION,
        owners=settings.releases.owners,
        metadata={"settings_file": dg.MetadataValue.text(settings.read_from)},
    )
    def asset(context: dg.AssetExecutionContext, store: Store) -> dg.MaterializeResult:
        with explained(), hangup_as_termination():
            rounds = rounds_up_to(context.partition_key, loop, store)
            trained = train_next(settings, store, rounds[-1], rounds[0], context.log.info)
        return dg.MaterializeResult(metadata=_metadata(trained, store), data_version=dg.DataVersion(trained.card.name))

    return asset


def _metadata(trained: Trained, store: Store) -> dict[str, Any]:
    """What the UI shows of a policy, the loss and what it learnt from first."""
    card = trained.card
    losses = {f"phase {number}": values for number, values in enumerate(trained.losses, start=1)}
    rows = sum(learnt.rows for learnt in card.datasets)
    return {
        "headline": f"{card.name} learnt from {rows:,} rows in {card.steps:,} steps",
        "loss": report.curves(losses, title="Loss", x="steps", y="loss"),
        "policy": card.name,
        "drew_the_rows": card.parent,
        "started_from": card.start,
        "datasets": report.records(pl.DataFrame([asdict(learnt) for learnt in card.datasets])),
        "phases": report.records(pl.DataFrame([dict(phase) for phase in card.phases])),
        "seed": card.seed,
        "dagster/row_count": rows,
        "dagster/uri": str(store.policies / trained.next.folder),
    }
