"""One run of a slice: makes the stage whose turn it is, and has others begun where they do not wait for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from dagster_project.failures import explained
from dagster_project.order import SliceOrder
from dagster_project.partitions import cell_of
from dagster_project.resources.judge import JudgeResource
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.reward import RewardResource
from dagster_project.resources.store import Store
from dagster_project.running.listener import Listener
from dagster_project.running.signals import hangup_as_termination
from dagster_project.settings.file import Settings
from dagster_project.slice import RunSlice
from dagster_project.slice_log import SliceLog
from dagster_project.slice_result import finished, set_aside, write
from dagster_project.workshop import Workshop
from generators.datasets import TURNS, dataset_of, skipped_between
from generators.section import merged
from generators.shown import Folder
from generators.stage import Stage


@dataclass(frozen=True, kw_only=True)
class SliceRun:
    """A run of Dagster for one slice of one round, out of the `stages` that there are, and its resources."""

    stages: Sequence[Stage[Any]]
    context: dg.AssetExecutionContext
    settings: Settings
    listener: Listener
    policy: PolicyResource
    judge: JudgeResource
    reward: RewardResource
    store: Store
    workshop: Workshop

    @property
    def selected(self) -> Collection[str]:
        """The assets that the run makes."""
        keys = self.context.run.asset_selection
        return {key.to_user_string() for key in keys} if keys else {stage.name for stage in self.stages}

    def make(self, stage: Stage[Any], changes: Mapping[str, Any]) -> dg.MaterializeResult:
        """Make the stage whose turn it is, under the section of the settings with `changes`; raises dg.Failure."""
        with explained(), hangup_as_termination():
            self._require_order(stage)
            order = self.workshop.begun(stage.name) or self._order(stage, changes)
            work = order.work
            work.log.open(self.context.log)
            if order.is_without_answers:
                result = set_aside(stage, work)
            else:
                with order.discarding():
                    output = self.workshop.make(order)
                    write(stage, work, output, {"settings": order.section.recipe(), "config": dict(output.config)})
                has_releases = dataset_of(stage.name) is not None
                extra = {"release": Folder(str(self.store.releases / stage.name))} if has_releases else {}
                result = finished(stage, work, order.section, output, extra)
            if all(check.passed or check.severity is dg.AssetCheckSeverity.WARN for check in result.check_results):
                self.workshop.finish(stage.name)
            return result

    def _order(self, stage: Stage[Any], changes: Mapping[str, Any]) -> SliceOrder:
        work = RunSlice(
            asset=stage.name,
            run_id=self.context.run.run_id,
            log=SliceLog(),
            all_settings=self.settings,
            store=self.store,
            cell=cell_of(self.context),
            policy_resource=self.policy,
            judge_resource=self.judge,
            reward_resource=self.reward,
            listener=self.listener,
            rank=TURNS.index(stage.name),
            opening=self._begin_others,
        )
        return SliceOrder(stage=stage, work=work, section=merged(self.settings.section(stage.name), changes))

    def _begin_others(self) -> None:
        selected = self.selected
        self.workshop.begin_others([stage for stage in self.stages if stage.name in selected], self._order_ahead)

    def _order_ahead(self, stage: Stage[Any]) -> SliceOrder | None:
        """The order of a stage whose turn is still to come, under what the Launchpad says about it."""
        of_run = self.context.run.run_config.get("ops", {}).get(stage.name, {})
        order = self._order(stage, of_run.get("config", {}))
        return None if order.is_without_answers else order

    def _require_order(self, stage: Stage[Any]) -> None:
        """Raise dg.Failure if the run makes a stage and a need of it, but not what puts them in order."""
        skipped = skipped_between(stage, self.selected)
        if skipped:
            raise dg.Failure(
                f"this run makes {stage.name} and tables that it depends on, but not {', '.join(skipped)} between "
                "them: select these too",
                allow_retries=False,
            )
