"""Dagster as it is deployed: a code server, a webserver and a daemon as processes of their own over one instance.

Runs are children of the code server. What the UI asks over GraphQL a test may ask here too.
"""

import json
import shutil
from contextlib import ExitStack, contextmanager
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.deployment.processes import ROOT, children, command_of, free_port, python, wait_for

LOCATION = "stepmill"
SELECTOR = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
WORKSPACE = """
load_from:
  - grpc_server:
      host: 127.0.0.1
      port: {port}
      location_name: stepmill
"""
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
TERMINATE = "mutation End($id: String!) { terminateRun(runId: $id) { __typename } }"
ADD_ROUND = """
mutation Add($selector: RepositorySelector!, $key: String!) {
  addDynamicPartition(repositorySelector: $selector, partitionsDefName: "rounds", partitionKey: $key) { __typename }
}
"""
ROUNDS = """
query Rounds {
  assetNodeOrError(assetKey: { path: ["problems"] }) {
    ... on AssetNode { partitionKeysByDimension { name partitionKeys } }
  }
}
"""
ON_SCHEDULE = """
mutation On($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) { __typename ... on ScheduleStateResult { scheduleState { id } } }
}
"""
OFF_SCHEDULE = "mutation Off($id: String!) { stopRunningSchedule(id: $id) { __typename } }"
ON_SENSOR = "mutation On($selector: SensorSelector!) { startSensor(sensorSelector: $selector) { __typename } }"
RUNS = "query Runs { runsOrError { ... on Runs { results { jobName status tags { key value } } } } }"
STATUS = "query Status($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
FAILURES = """
query Failures($id: ID!) {
  logsForRun(runId: $id) {
    ... on EventConnection {
      events { __typename ... on ExecutionStepFailureEvent { error { message } } ... on MessageEvent { message } }
    }
  }
}
"""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class DagsterServices:
    """The processes over `home`, a folder with the file `instance` as its dagster.yaml, stopped with the context."""

    def __init__(self, folder, env, instance=ROOT / "deploy" / "local" / "dagster.yaml"):
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        shutil.copy(instance, self.home / "dagster.yaml")
        # A busy machine takes its time to start a run; Dagster's own patience is a minute.
        self._env = {"DAGSTER_HOME": str(self.home), "DAGSTER_GRPC_TIMEOUT_SECONDS": "300"} | env
        self._folder = folder
        self._stack = ExitStack()
        self._web = ExitStack()
        self._code = None
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self):
        with ExitStack() as stack:
            port = free_port()
            workspace = self._folder / "workspace.yaml"
            workspace.write_text(WORKSPACE.format(port=port))
            served = ("api", "grpc", "-m", "dagster_project.definitions", "-h", "127.0.0.1", "-p", port)
            self._code = stack.enter_context(self._process("code", "dagster", *served))
            log = self._folder / "code.log"
            wait_for(
                "code server", lambda: "Started Dagster code server" in log.read_text(), process=self._code, log=log
            )
            stack.enter_context(self._process("daemon", "dagster._daemon", "run", "-w", workspace))
            stack.callback(self._web.close)
            self._start_webserver()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info):
        self._stack.close()

    def restart_webserver(self):
        self._web.close()
        self._start_webserver()

    def _start_webserver(self):
        command = ("-w", self._folder / "workspace.yaml", "-h", "127.0.0.1", "-p", self._port)
        web = self._web.enter_context(self._process("webserver", "dagster_webserver", *command))
        wait_for("webserver", self._answers, process=web, log=self._folder / "webserver.log")

    def _process(self, name, module, *arguments):
        return python("-m", module, *arguments, log=self._folder / f"{name}.log", env=self._env)

    def _answers(self):
        try:
            return urlopen(f"{self.url}/server_info", timeout=5).status == 200
        except (URLError, TimeoutError, ConnectionError):
            return False

    def ask(self, query, **variables):
        """The data of one GraphQL answer."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"{self.url}/graphql", data=body, headers={"Content-Type": "application/json"})
        answer = json.load(urlopen(request, timeout=120))
        assert "errors" not in answer, answer
        return answer["data"]

    def add_round(self, key):
        self.ask(ADD_ROUND, selector=SELECTOR, key=key)

    def rounds(self):
        """The keys of all rounds."""
        dimensions = self.ask(ROUNDS)["assetNodeOrError"]["partitionKeysByDimension"]
        return {key for one in dimensions if one["name"] == "round" for key in one["partitionKeys"]}

    @contextmanager
    def schedule_on(self, name):
        """The schedule runs while the context is entered."""
        answer = self.ask(ON_SCHEDULE, selector=SELECTOR | {"scheduleName": name})["startSchedule"]
        assert answer["__typename"] == "ScheduleStateResult", answer
        yield
        stopped = self.ask(OFF_SCHEDULE, id=answer["scheduleState"]["id"])["stopRunningSchedule"]
        assert stopped["__typename"] == "ScheduleStateResult", stopped

    def switch_sensor_on(self, name):
        answer = self.ask(ON_SENSOR, selector=SELECTOR | {"sensorName": name})["startSensor"]
        assert answer["__typename"] == "Sensor", answer

    def runs(self):
        """Job, status and tags of every run."""
        results = self.ask(RUNS)["runsOrError"]["results"]
        return [(one["jobName"], one["status"], {tag["key"]: tag["value"] for tag in one["tags"]}) for one in results]

    def launch(self, job, tags, only=()):
        """Queue a run of a job, or of some of its assets, for the partition that `tags` name; gives its id."""
        chosen = {"assetSelection": [{"path": [name]} for name in only]} if only else {}
        params = {
            "selector": SELECTOR | {"pipelineName": job} | chosen,
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        answer = self.ask(LAUNCH, params=params)["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def make_slice(self, round_key, slice_key, only=()):
        """Queue the job `slice`, or some of its assets, for one slice of a round."""
        tags = {"dagster/partition": f"{round_key}|{slice_key}", "dagster/partition/round": round_key}
        return self.launch("slice", tags | {"dagster/partition/slice": slice_key}, only)

    def make_release(self, round_key):
        """Queue the job `release` for a round."""
        return self.launch("release", {"dagster/partition": round_key})

    def terminate(self, run_id):
        assert self.ask(TERMINATE, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess"

    def status(self, run_id):
        return self.ask(STATUS, id=run_id)["runOrError"]["status"]

    def wait(self, run_id, within_s=900):
        """The status that the run ends with."""
        wait_for(f"end of run {run_id}", lambda: self.status(run_id) in ENDED, within_s=within_s, every_s=0.5)
        return self.status(run_id)

    def failures(self, run_id):
        """What the failed assets of a run say."""
        events = self.ask(FAILURES, id=run_id)["logsForRun"]["events"]
        return [one["error"]["message"] for one in events if one["__typename"] == "ExecutionStepFailureEvent"]

    def last_words(self, run_id):
        """What the log of a run says of its end."""
        events = self.ask(FAILURES, id=run_id)["logsForRun"]["events"]
        return [one["message"] for one in events if one["__typename"] in ("RunFailureEvent", "RunCanceledEvent")]

    def workers(self):
        """The processes of the runs. Python's own tracker of shared memory belongs to the code server."""
        return [one for one in children(self._code.pid) if "resource_tracker" not in command_of(one)]
