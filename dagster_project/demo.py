"""`make demo`: a whole round in one process. Afterwards the Dagster UI shows every stage of it.

After a crash, run it again: it continues from the ledger.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg

from dagster_project.definitions import defs
from dagster_project.partitions import ROUNDS
from dagster_project.settings.file import load_settings
from releases.errors import NothingToRelease

ROUND = "demo"
FAILURE = "dagster._core.definitions.events.Failure: "
QUIET = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}


def main() -> int:
    """Materialise one round and print its tables; 1 if a run failed for another reason than a lack of rows."""
    started = time.monotonic()
    settings = load_settings()
    instance = dg.DagsterInstance.get()
    instance.add_dynamic_partitions(str(ROUNDS.name), [ROUND])
    events: dict[str, Mapping[str, Any]] = {}
    for slice_key in settings.slices():
        key = dg.MultiPartitionKey({"round": ROUND, "slice": slice_key})
        if not _run("slice", key, instance, events):
            return 1
    released = _run("release", ROUND, instance, events)
    print(summary(events, seconds=time.monotonic() - started))
    return 0 if released else 1


def _run(job: str, key: str, instance: dg.DagsterInstance, events: dict[str, Mapping[str, Any]]) -> bool:
    result = defs.resolve_job_def(job).execute_in_process(
        partition_key=key, instance=instance, raise_on_error=False, run_config=QUIET
    )
    for event in result.get_asset_materialization_events():
        materialization = event.materialization
        name = f"{materialization.asset_key.to_user_string()} [{materialization.partition}]"
        events[name] = {entry: value.value for entry, value in materialization.metadata.items()}
    failures = result.get_step_failure_events()
    for failure in failures:
        error = failure.step_failure_data.error
        message = error.message.removeprefix(FAILURE).strip() if error else "see the log above"
        print(f"\n{failure.step_key} failed: {message}", file=sys.stderr)
    return result.success or (bool(failures) and all(map(had_no_rows, failures)))


def had_no_rows(failure: dg.DagsterEvent) -> bool:
    """Whether a step failed only because there was no row to release; a small policy may yield none."""
    error = failure.step_failure_data.error
    return bool(error and error.cause and error.cause.cls_name == NothingToRelease.__name__)


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
