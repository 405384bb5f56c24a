"""The asset `policy_evaluation`, over rounds: how the policies of a loop do, up to the one that a round made."""

import asyncio
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dagster as dg

from dagster_project import report
from dagster_project.failures import explained
from dagster_project.partitions import ROUNDS
from dagster_project.policies.evaluating import Evaluator
from dagster_project.policies.names import GROUP, NEXT_POLICY, POLICY_EVALUATION
from dagster_project.policies.record import read_next
from dagster_project.policies.reporting import curves_of, picture, table_of
from dagster_project.policies.rounds import rounds_up_to
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.running.listener import NOBODY, Listener, Table
from dagster_project.running.signals import hangup_as_termination
from dagster_project.settings.file import Settings, loop_of
from dagster_project.slice_log import SliceLog
from generators.evaluation.figures import PASS_AT_1, Evaluation
from generators.evaluation.recipe import VERSION
from generators.models.policy_card import read_card
from generators.sampling.progress import Snapshot
from generators.sampling.storage import StorageError

CHECK = "no_worse_than_before"
DRAWN = ("rollouts_drawn", "rollouts_from_ledger", "tokens_generated")


def policy_evaluation(settings: Settings, listener: Listener = NOBODY) -> dg.AssetsDefinition:
    """The asset, for settings with a loop; `listener` hears how far an evaluation is."""

    @dg.asset(
        name=POLICY_EVALUATION,
        description="How the policies of a loop do on the evaluation problems, up to the one that a round made.",
        partitions_def=ROUNDS,
        deps=[NEXT_POLICY],
        group_name=GROUP,
        kinds={"vllm"},
        pool="gpu",
        code_version=VERSION,
        check_specs=[_check_spec()],
        owners=settings.releases.owners,
        metadata={"settings_file": dg.MetadataValue.text(settings.read_from)},
    )
    def asset(context: dg.AssetExecutionContext, store: Store, policy: PolicyResource) -> dg.MaterializeResult:
        table = Table(POLICY_EVALUATION, context.partition_key)
        work = _Work(
            settings=settings,
            store=store,
            policy=policy,
            run_id=context.run.run_id,
            log=SliceLog(to=context.log),
            hear=lambda snapshot: listener.progressed(table, snapshot),
            drawn=Counter(dict.fromkeys(DRAWN, 0)),
        )
        with explained(), hangup_as_termination():
            evaluations = work.evaluations(context.partition_key)
        return _result(evaluations, work, str(store.evaluation(evaluations[-1].policy)))

    return asset


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One run of the asset, and what it has drawn so far."""

    settings: Settings
    store: Store
    policy: PolicyResource
    run_id: str
    log: SliceLog
    hear: Callable[[Snapshot], None]
    drawn: Counter[str]

    def evaluations(self, round_key: str) -> list[Evaluation]:
        """Those of all policies up to the one that the round made, which gets its own onto its card.

        Missing ones are made. Raises EngineError, SourceError and StorageError.
        """
        loop = loop_of(self.settings)
        rounds = rounds_up_to(round_key, loop, self.store)
        made = read_next(self.store.root, round_key)
        if made is None:
            raise StorageError(f"round {round_key} has no next policy: materialise {NEXT_POLICY} of the round first")
        evaluator = Evaluator(settings=self.settings, loop=loop, store=self.store)
        policies = [*((drawing.policy, drawing.folder) for drawing in rounds), (made.policy, made.folder)]
        found = [evaluator.stored(name) or self._evaluated(evaluator, folder) for name, folder in policies]
        folder = self.store.policies / made.folder
        card = read_card(folder)
        if card is None:
            raise StorageError(f"{folder} has no card: materialise {NEXT_POLICY} of the round again")
        card.evaluated(found[-1].summary(before=found[-2])).write(folder)
        return found

    def _evaluated(self, evaluator: Evaluator, folder: str | None) -> Evaluation:
        """The evaluation of the policy in a folder, or of that of the settings, on a server of its own."""
        served = self.policy.under(self.settings.policy.of_folder(self.store.root, folder))
        try:
            evaluation, usage = asyncio.run(
                evaluator.evaluate(served, run_id=self.run_id, log=self.log, hear=self.hear)
            )
        finally:
            served.close()
        self.drawn.update({name: int(usage[name]) for name in DRAWN})
        return evaluation


def _result(evaluations: Sequence[Evaluation], work: _Work, place: str) -> dg.MaterializeResult:
    last, before = evaluations[-1], evaluations[-2]
    table = table_of(evaluations)
    gain = last.less(before)[PASS_AT_1]
    check = dg.AssetCheckResult(
        check_name=CHECK,
        passed=gain.high >= 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"pass@1 less that of the policy before is {gain}"
        + ("" if gain.high >= 0 else ". Lower learning_rate or steps of [[loop.training]], or raise its likelihood."),
    )
    return dg.MaterializeResult(
        metadata={
            "headline": table.headline,
            "by_round": report.curves(curves_of(evaluations), title="By round", x="policy after round", y="share"),
            "figures": report.records(table.frame),
            "picture": report.picture("Figures by round, with 95 % intervals", picture(evaluations)),
            "policy": last.policy,
            **work.drawn,
            "dagster/row_count": len(last.problems),
            "dagster/uri": place,
        },
        check_results=[check],
        data_version=dg.DataVersion(f"{last.policy} {last.made_from}"),
    )


def _check_spec() -> dg.AssetCheckSpec:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # as in dagster_project.checks
        return dg.AssetCheckSpec(
            CHECK,
            asset=POLICY_EVALUATION,
            description="The policy's pass@1 is not below that of the policy before with its whole interval.",
            partitions_def=ROUNDS,
        )
