"""Hands the runs of a round to a Dagster that is running, and follows their events in the instance that both share."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.error import URLError
from urllib.request import Request, urlopen

import dagster as dg

from dagster_project.settings.file import Settings

EVERY_S = 1.0
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_LOCATIONS = """
query Locations {
  repositoriesOrError {
    ... on RepositoryConnection { nodes { name location { name } pipelines { name } } }
  }
}
"""
_PARTITIONS = """
query Partitions {
  assetNodeOrError(assetKey: { path: ["problems"] }) {
    ... on AssetNode { partitionKeysByDimension { name partitionKeys } }
  }
}
"""
_LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on InvalidSubsetError { message }
  }
}
"""


class CannotLaunch(Exception):
    """The running Dagster cannot make this round; the message says why and what to do."""


class Webserver(Protocol):
    """What is asked of a running Dagster."""

    @property
    def url(self) -> str: ...

    def partitions(self) -> Mapping[str, Sequence[str]]:
        """The keys that the assets have: of `round`, and of `slice`."""
        ...

    def launch(self, job: str, tags: Mapping[str, str], assets: Sequence[str]) -> str:
        """Launch some assets of a job, and give the id of the run."""
        ...


@dataclass(frozen=True, slots=True)
class GraphQL:
    """The webserver at an address such as http://localhost:3000."""

    url: str

    def partitions(self) -> Mapping[str, Sequence[str]]:
        """As `Webserver.partitions`."""
        node = self._ask(_PARTITIONS)["assetNodeOrError"]
        return {one["name"]: one["partitionKeys"] for one in node.get("partitionKeysByDimension", ())}

    def launch(self, job: str, tags: Mapping[str, str], assets: Sequence[str]) -> str:
        """As `Webserver.launch`."""
        nodes = self._ask(_LOCATIONS)["repositoriesOrError"].get("nodes", ())
        owner = next((node for node in nodes if any(one["name"] == job for one in node["pipelines"])), None)
        if owner is None:
            raise CannotLaunch(f"the Dagster at {self.url} has no job {job}: does it load dagster_project.definitions?")
        params = {
            "selector": {
                "repositoryLocationName": owner["location"]["name"],
                "repositoryName": owner["name"],
                "pipelineName": job,
                "assetSelection": [{"path": [name]} for name in assets],
            },
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        answer = self._ask(_LAUNCH, params=params)["launchPipelineExecution"]
        if answer["__typename"] != "LaunchRunSuccess":
            why = answer.get("message") or answer.get("errors") or answer["__typename"]
            raise CannotLaunch(f"the Dagster at {self.url} refused the run of {job}: {why}")
        return str(answer["run"]["runId"])

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of one answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        try:
            request = Request(f"{self.url.rstrip('/')}/graphql", body, {"Content-Type": "application/json"})
            with urlopen(request, timeout=60) as response:
                answer = json.load(response)
        except (URLError, TimeoutError, ValueError) as unreachable:
            raise CannotLaunch(
                f"no Dagster answers at {self.url} ({unreachable}): start one with `make ui`, or leave out --launch"
            ) from unreachable
        if "errors" in answer:
            raise CannotLaunch(f"the Dagster at {self.url} did not understand: {answer['errors'][0]['message']}")
        return dict(answer["data"])


@dataclass(kw_only=True)
class Launched:
    """Runs jobs in a running Dagster whose instance is ours, too: the round is added there before the first run."""

    settings: Settings
    instance: dg.DagsterInstance
    webserver: Webserver
    wait: Callable[[float], None] = time.sleep
    _is_checked: bool = field(default=False, init=False)

    def run(self, job: str, partition: str, assets: Sequence[str], hear: Callable[[dg.EventLogEntry], None]) -> bool:
        """As `runs.Runner.run`; raises CannotLaunch."""
        keys = partition.keys_by_dimension if isinstance(partition, dg.MultiPartitionKey) else {}
        if not self._is_checked:
            self._check(keys.get("round", partition))
        tags = {"dagster/partition": str(partition)} | {f"dagster/partition/{name}": key for name, key in keys.items()}
        run_id = self.webserver.launch(job, tags, assets)
        try:
            return self._follow(run_id, hear)
        except KeyboardInterrupt as stopped:
            there = f"{self.webserver.url}/runs/{run_id}"
            raise CannotLaunch(f"no longer following the run, which goes on: see {there}") from stopped

    def _check(self, round_key: str) -> None:
        """Raise CannotLaunch unless the other Dagster has our instance and our slices, and starts queued runs."""
        there, slices = self.webserver.partitions(), list(self.settings.slices())
        if round_key not in there.get("round", ()):
            raise CannotLaunch(
                f"the Dagster at {self.webserver.url} keeps its events elsewhere than here, since it has no round "
                f"{round_key}: set DAGSTER_HOME as it has it"
            )
        if list(there.get("slice", ())) != slices:
            raise CannotLaunch(
                f"the Dagster at {self.webserver.url} has other settings: its slices are "
                f"{', '.join(there.get('slice', ())) or 'none'}, these have {', '.join(slices)}; start it with "
                "STEPMILL_SETTINGS naming this file"
            )
        asleep = [name for name, status in self.instance.get_daemon_statuses().items() if not status.healthy]
        if asleep:
            raise CannotLaunch(f"no daemon starts the queued runs ({', '.join(asleep)} is not running): use `make ui`")
        self._is_checked = True

    def _follow(self, run_id: str, hear: Callable[[dg.EventLogEntry], None]) -> bool:
        """Pass on every event of a run until it has ended, and say whether it succeeded."""
        cursor = None
        while True:
            run = self.instance.get_run_by_id(run_id)  # before the events, so that none of an ended run is missed
            found = self.instance.get_records_for_run(run_id, cursor)
            for record in found.records:
                hear(record.event_log_entry)
            cursor = found.cursor
            if run is not None and run.status in _ENDED and not found.has_more:
                return run.status is dg.DagsterRunStatus.SUCCESS
            self.wait(EVERY_S)
