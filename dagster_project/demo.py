"""`make demo`: a whole round in one process. Afterwards the Dagster UI shows every stage of it.

After a crash, run it again: it continues from the ledger.

Exit code 0: every dataset was released, or had no rows. 1: a stage or a release crashed. 2: a failed check blocks a
dataset; the others were released.
"""

import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from dagster_project.definitions import defs
from dagster_project.partitions import ROUNDS
from dagster_project.resources.store import Store
from dagster_project.round import StoredRound
from dagster_project.scorecard import FailedCheck, Standing, standing
from dagster_project.settings.file import Settings, load_settings
from generators.dataset import Dataset
from generators.datasets import DATASETS, STAGES
from releases.errors import NothingToRelease

ROUND = "demo"
CRASHED, BLOCKED = 1, 2
CHECKS_FAILED = "DagsterAssetCheckFailedError"
FAILURE = "dagster._core.definitions.events.Failure: "
QUIET = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}


@dataclass(kw_only=True)
class Runs:
    """The runs of one process: the metadata of every table by name, and the steps that crashed."""

    definitions: dg.Definitions
    instance: dg.DagsterInstance
    tables: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    crashed: list[str] = field(default_factory=list)

    def run(self, job: str, key: str, only: Iterable[str] | None = None) -> None:
        """Run a job, all of it or some assets only, and print why its steps crashed."""
        result = self.definitions.resolve_job_def(job).execute_in_process(
            partition_key=key,
            instance=self.instance,
            asset_selection=None if only is None else [dg.AssetKey(name) for name in only],
            raise_on_error=False,
            run_config=QUIET,
        )
        for event in result.get_asset_materialization_events():
            materialization = event.materialization
            name = f"{materialization.asset_key.to_user_string()} [{materialization.partition}]"
            self.tables[name] = {entry: value.value for entry, value in materialization.metadata.items()}
        failures = result.get_step_failure_events()
        for failure in failures:
            error = failure.step_failure_data.error
            if error and error.cls_name == CHECKS_FAILED:
                continue  # the scorecard has the sentences of the checks
            print(f"\n{failure.step_key} failed: {_sentence(failure)}", file=sys.stderr)
            if not had_no_rows(failure):
                self.crashed.append(str(failure.step_key))
        if not result.success and not failures:
            print(f"\nThe job {job} failed: see the log above", file=sys.stderr)
            self.crashed.append(job)


def main() -> int:
    """Make and release a round, print its tables and what is wrong with it, and return the exit code."""
    instance = dg.DagsterInstance.get()
    return make_round(load_settings(), Runs(definitions=defs, instance=instance))


def make_round(settings: Settings, runs: Runs) -> int:
    """Make every slice, release each dataset that no check and no crash keeps back, and print a report."""
    started = time.monotonic()
    runs.instance.add_dynamic_partitions(str(ROUNDS.name), [ROUND])
    for slice_key in settings.slices():
        runs.run("slice", dg.MultiPartitionKey({"round": ROUND, "slice": slice_key}))
        if runs.crashed:
            break
    stored = StoredRound(settings=settings, store=Store(data_root=settings.data_root), key=ROUND)
    state = standing(stored.store, stored.cells, [stage.name for stage in STAGES])
    blocked = [dataset.name for dataset in DATASETS if state.of(dataset.stages).failed]
    ready = [dataset for dataset in DATASETS if _is_ready(dataset, state, runs.crashed)]
    empty = [dataset.name for dataset in ready if stored.table(dataset.name).is_empty()]
    released = [f"{dataset.name}_release" for dataset in ready if dataset.name not in empty]
    unfinished = [dataset.name for dataset in DATASETS if dataset not in ready and dataset.name not in blocked]
    if released:
        runs.run("release", ROUND, released)
    lines = [summary(runs.tables, seconds=time.monotonic() - started), *warnings(state)]
    lines += [*map(stored.why_empty, empty), *blocks(state)]
    if unfinished:
        lines.append(f"Not finished: {', '.join(unfinished)}. Run it again; it continues from the ledger.")
    print("\n".join(lines))
    return CRASHED if runs.crashed or unfinished else BLOCKED if blocked else 0


def _sentence(failure: dg.DagsterEvent) -> str:
    """The sentence of a failure; the message of any other exception as Python prints it."""
    error = failure.step_failure_data.error
    if error is None:
        return "see the log above"
    raised = error if error.message.startswith(FAILURE) else error.cause or error
    return raised.message.removeprefix(FAILURE).strip()


def _is_ready(dataset: Dataset[Any], state: Standing, crashed: Iterable[str]) -> bool:
    return state.of(dataset.stages).is_ready and not set(crashed).intersection(dataset.stages)


def had_no_rows(failure: dg.DagsterEvent) -> bool:
    """Whether a step failed only because there was no row to release; a small policy may yield none."""
    error = failure.step_failure_data.error
    return bool(error and error.cause and error.cause.cls_name == NothingToRelease.__name__)


def warnings(state: Standing) -> list[str]:
    """Every failed check that blocks nothing, with its remedy."""
    return [line for failure in state.warned for line in _lines("Warning", failure)]


def blocks(state: Standing) -> list[str]:
    """Every failed check that blocks, with its remedy and the datasets that it keeps back."""
    lines: list[str] = []
    for failure in state.failed:
        kept_back = [dataset.name for dataset in DATASETS if failure.stage in dataset.stages]
        lines += [*_lines("Blocked", failure), f"  not released: {', '.join(kept_back)}"]
    return lines


def _lines(kind: str, failure: FailedCheck) -> list[str]:
    remedy = failure.check.remedy or "Materialise the slice again: an earlier stepmill made it."
    return [f"{kind}: {failure.stage}, slice {failure.slice}: {failure.check.why}", f"  remedy: {remedy}"]


def summary(events: Mapping[str, Mapping[str, Any]], *, seconds: float) -> str:
    """Every table with its rows, tokens, speed and path."""
    lines = [f"\nMade in {seconds:.0f} s:"]
    for name, metadata in events.items():
        lines.append(f"  {name}: {metadata['dagster/row_count']} rows at {metadata['dagster/uri']}")
        if "hub" in metadata:
            lines.append(f"    on the Hub at {metadata['hub']}")
        if "tokens_generated" in metadata:
            lines.append(
                f"    {metadata['rollouts_drawn']} rollouts drawn, {metadata['rollouts_from_ledger']} from the ledger, "
                f"{metadata['tokens_generated']} tokens generated at {metadata['tokens_per_second']} a second"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
