"""A round that another Dagster makes: here one in miniature, which runs the real jobs over the same instance."""

from threading import Thread
from time import sleep
from types import SimpleNamespace

import dagster as dg
import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.running.launching import CannotLaunch, Launched
from dagster_project.running.listener import Listener
from dagster_project.running.selection import select
from dagster_project.runs import InProcess, RoundMaker
from dagster_project.settings.file import load_settings
from tests.dagster_project.conftest import SETTINGS


class Miniature:
    """Runs what is launched in a thread, and has the partitions of the instance."""

    url = "http://dagster"

    def __init__(self, settings, instance, slices=None):
        self.settings, self.instance = settings, instance
        self.slices = list(settings.slices()) if slices is None else slices
        self.tags = []

    def partitions(self):
        return {"round": self.instance.get_dynamic_partitions("rounds"), "slice": self.slices}

    def launch(self, job, tags, assets):
        self.tags.append(tags)
        key = tags["dagster/partition"]
        if "|" in key:
            key = dg.MultiPartitionKey(
                {"round": tags["dagster/partition/round"], "slice": tags["dagster/partition/slice"]}
            )
        ids = []
        inner = InProcess(settings=self.settings, instance=self.instance)
        thread = Thread(target=inner.run, args=(job, key, assets, lambda entry: ids.append(entry.run_id)))
        thread.start()
        while not ids:
            assert thread.is_alive() or ids
            sleep(0.01)
        return ids[0]


class Heard(Listener):
    def __init__(self):
        self.events = []

    def started(self, table):
        self.events.append(("started", str(table)))

    def progressed(self, table, snapshot):
        self.events.append(("progressed", str(table), snapshot.done, snapshot.total))

    def finished(self, made):
        self.events.append(("finished", str(made.table)))


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "stepmill.toml").write_text(SETTINGS.format(policy="").replace("shards = 2", "shards = 1"))
    return load_settings(tmp_path / "stepmill.toml")


@pytest.fixture
def instance(tmp_path, monkeypatch):
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        monkeypatch.setattr(instance, "get_daemon_statuses", lambda: {"SENSOR": SimpleNamespace(healthy=True)})
        yield instance


def launched(settings, instance, log, **miniature):
    listener = Heard()
    webserver = Miniature(settings, instance, **miniature)
    runner = Launched(settings=settings, instance=instance, webserver=webserver, wait=lambda _: sleep(0.01))
    maker = RoundMaker(settings=settings, instance=instance, runner=runner, listener=listener)
    return maker.make("r1", select(settings, only=["process_labels"]), log=log), listener, webserver


def test_a_round_that_another_dagster_makes_is_heard_as_one_that_is_made_here(settings, instance, tmp_path):
    result, listener, webserver = launched(settings, instance, tmp_path / "log")
    assert result.exit_code == 0
    assert [made.table.asset for made in result.tables] == ["problems", "attempts", "process_labels"]
    assert [made.version for made in result.released] == ["v0.1.0"]
    attempts = [event for event in listener.events if event[1] == "attempts [sums-0]"]
    assert attempts == [
        ("started", "attempts [sums-0]"),
        ("progressed", "attempts [sums-0]", 12, 12),
        ("finished", "attempts [sums-0]"),
    ]
    assert [tags["dagster/partition"] for tags in webserver.tags] == ["r1|sums-0", "r1"]


def test_a_dagster_with_other_slices_is_refused_before_a_run(settings, instance, tmp_path):
    with pytest.raises(CannotLaunch, match="has other settings: its slices are more-0, these have sums-0; start it"):
        launched(settings, instance, tmp_path / "log", slices=["more-0"])


def test_a_dagster_with_another_instance_is_refused_before_a_run(settings, instance, tmp_path):
    with (
        dg.DagsterInstance.ephemeral() as other,
        pytest.raises(CannotLaunch, match="since it has no round r1: set DAGSTER_HOME"),
    ):
        runner = Launched(settings=settings, instance=instance, webserver=Miniature(settings, other))
        RoundMaker(settings=settings, instance=instance, runner=runner).make(
            "r1", select(settings), log=tmp_path / "log"
        )


def test_without_a_daemon_nothing_is_queued(settings, instance, tmp_path, monkeypatch):
    monkeypatch.setattr(instance, "get_daemon_statuses", lambda: {"SENSOR": SimpleNamespace(healthy=False)})
    with pytest.raises(CannotLaunch, match=r"no daemon starts the queued runs \(SENSOR is not running\)"):
        launched(settings, instance, tmp_path / "log")


def test_where_no_dagster_answers_the_command_says_so(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    file = str(tmp_path / "stepmill.toml")
    printed = CliRunner().invoke(app, ["run", "--settings", file, "--launch", "http://127.0.0.1:9"])
    assert printed.exit_code == 2
    assert printed.stderr.startswith("stepmill: no Dagster answers at http://127.0.0.1:9 (")
    assert not (tmp_path / "data" / "tables").exists()
