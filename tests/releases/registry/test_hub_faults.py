"""Publishing to a Hub that fails: killed publishers, lost answers, rate limits, tokens; nothing is ever half there."""

import logging
import subprocess
import sys
import traceback
from contextlib import contextmanager
from dataclasses import replace

import pytest
from huggingface_hub import get_session

from releases.errors import HubDenied, HubError, PublishContested
from releases.registry.hub import HubRegistry
from releases.registry.retry import RetryPolicy
from tests.hub.faults import Fault
from tests.hub.reading import versions, whole
from tests.hub.server import READER, WRITER
from tests.hub.state import Blob

ID = "lab/process_labels"
API = f"/api/datasets/{ID}"


class Killed(BaseException):
    """No code of the publisher runs after this."""


@contextmanager
def killed_at(number, moment):
    """Kill whoever makes request `number` from now on, before it is sent or when it is answered."""
    session = get_session()
    hooks = session.event_hooks
    left = [number]

    def die(_):
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    kind = "request" if moment == "before" else "response"
    session.event_hooks = {**hooks, kind: [*hooks[kind], die]}
    try:
        yield left
    finally:
        session.event_hooks = hooks


@pytest.fixture(scope="module")
def small(draft):
    """A draft of one file a config, without pictures."""
    stepwise = draft.tables["default"]
    return replace(
        draft, tables={"default": replace(stepwise, splits={"train": stepwise.splits["train"]})}, pictures=()
    )


@pytest.fixture(scope="module")
def next_one(small):
    """Other rows of the same round."""
    table = small.tables["default"]
    return replace(small, tables={"default": replace(table, splits={"train": table.splits["train"].head(5)})})


@pytest.fixture
def waits():
    return []


@pytest.fixture
def registry(hub, waits):
    return HubRegistry("lab", retry=RetryPolicy(sleep=waits.append))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_publisher_killed_at_any_request_leaves_old_or_new_whole_and_the_next_completes(hub, small, next_one, moment):
    old, new = ("v0.1.0", small.content), ("v0.1.1", next_one.content)
    seen = set()
    for number in range(100):
        namespace = f"lab{number}"
        registry = HubRegistry(namespace)
        registry.publish(small)
        repository = hub.state.repository(f"{namespace}/process_labels")
        try:
            with killed_at(number, moment) as left:
                registry.publish(next_one)
        except Killed:
            pass
        assert whole(repository, "main") in (old, new)
        assert versions(repository) in (dict([old]), dict([old, new]))
        seen.add((whole(repository, "main") == new, "v0.1.1" in repository.tags))
        finished = registry.publish(next_one)
        assert finished.version == "v0.1.1"
        assert versions(repository) == dict([old, new])
        assert len(repository.commits) == 3
        if left[0] > 0:
            break
    assert number > 12
    assert seen == {(False, False), (True, False), (True, True)}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_publisher_killed_while_it_makes_the_repository_is_completed_too(hub, small, moment):
    for number in range(3):
        registry = HubRegistry(f"lab{number}")
        with pytest.raises(Killed), killed_at(number, moment):
            registry.publish(small)
        assert registry.publish(small).is_new
        repository = hub.state.repository(f"lab{number}/process_labels")
        assert versions(repository) == {"v0.1.0": small.content}


PUBLISH = """
import sys
import polars as pl
from releases.facts import ReleaseFacts
from releases.registry.hub import HubRegistry
from tests.releases.conftest import labels_draft

facts = ReleaseFacts(policy="tiny", round="first", sources=(), stages=())
HubRegistry("lab").publish(labels_draft(pl.read_parquet(sys.argv[1]), facts))
"""


def test_a_process_that_is_killed_between_commit_and_tag_is_completed_by_another_draft(hub, rows, next_one, tmp_path):
    rows.write_parquet(tmp_path / "rows.parquet")
    publisher = None
    hub.faults = [Fault("POST " + API + "/commit/", moment="after", then=lambda: publisher.kill())]
    publisher = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PUBLISH, str(tmp_path / "rows.parquet")], stderr=subprocess.DEVNULL
    )
    assert publisher.wait(100) == -9
    repository = hub.state.repository(ID)
    assert (len(repository.commits), repository.tags) == (2, {})
    assert HubRegistry("lab").publish(next_one).version == "v0.1.1"
    assert list(repository.tags) == ["v0.1.0", "v0.1.1"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "where", [f"GET {API}/refs", "GET /datasets", "POST /api/repos/create", f"POST {API}/commit/", f"POST {API}/tag/"]
)
def test_a_lost_connection_is_made_again_and_its_request_counts_once(hub, registry, small, waits, where, moment):
    hub.faults = [Fault(where, moment=moment)]
    assert registry.publish(small).is_new
    repository = hub.state.repository(ID)
    assert len(repository.commits) == 2
    assert versions(repository) == {"v0.1.0": small.content}
    assert len(waits) == 1
    assert 0.5 <= waits[0] <= 1


@pytest.mark.parametrize("headers", [{"Retry-After": "37"}, {"RateLimit": '"api";r=0;t=37'}])
@pytest.mark.parametrize("where", [f"{API}/refs", f"{API}/commit/", "/api/validate-yaml"])
def test_a_rate_limit_is_waited_out_as_long_as_the_hub_says(hub, registry, small, waits, where, headers):
    hub.faults = [Fault(where, status=429, headers=headers)]
    assert registry.publish(small).is_new
    assert [37 <= wait <= 38 for wait in waits] == [True]


def test_a_wait_beyond_the_hubs_own_window_is_refused(hub, registry, small, waits):
    hub.faults = [Fault(f"{API}/refs", status=429, headers={"Retry-After": "301"})]
    with pytest.raises(HubError, match=r"did not list the tags of lab/process_labels \(429: .* publish again to go on"):
        registry.publish(small)
    assert waits == []


def test_a_rate_limit_on_an_upload_is_waited_out_by_the_client_alone(hub, registry, small, waits):
    hub.faults = [Fault("/preupload/", status=429, headers={"Retry-After": "0"})]
    assert registry.publish(small).is_new
    assert waits == []


def test_errors_of_the_hub_are_tried_with_doubling_waits_and_then_told(hub, registry, small, waits):
    hub.faults = [Fault(f"{API}/commit/", status=503, body="<html>", times=5)]
    assert registry.publish(small).is_new
    assert [0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits)] == [True] * 5
    hub.faults = [Fault(f"{API}/refs", status=503, times=6)]
    with pytest.raises(HubError, match="did not list the tags of lab/process_labels"):
        registry.publish(small)


def test_an_error_page_in_place_of_the_cards_check_is_asked_again(hub, registry, small, waits):
    hub.faults = [Fault("/api/validate-yaml", status=502, body="<html>Bad gateway</html>")]
    assert registry.publish(small).is_new
    assert len(waits) == 1


def test_what_the_hub_refuses_for_good_is_told_at_once(hub, registry, small, waits):
    hub.faults = [Fault(f"{API}/commit/", status=400, body='{"error": "the name is too long"}')]
    with pytest.raises(HubError, match=r"did not commit to lab/process_labels \(.*the name is too long"):
        registry.publish(small)
    assert waits == []


def test_an_upload_that_breaks_off_goes_on_where_it_stopped(hub, registry, draft):
    hub.faults = [Fault("PUT /large/", status=400, skip=2)]
    with pytest.raises(HubError, match="did not upload data/default"):
        registry.publish(draft)
    sent = len(hub.state.large_files)
    assert sent == 2
    hub.requests.clear()
    registry.publish(draft)
    puts = [request for request in hub.requests if request.startswith("PUT")]
    assert len(puts) == len(hub.state.large_files) - sent


def test_a_commit_that_loses_the_race_is_made_anew_on_the_new_head(hub, registry, small):
    def somebody_commits():
        hub.state.repository(ID).commit("a licence", {"LICENSE": Blob(b"MIT", False)}, [], None)

    hub.faults = [Fault("/objects/batch", status=500, headers={"Retry-After": "0"}, then=somebody_commits)]
    registry.publish(small)
    assert [commit.title for commit in hub.state.repository(ID).commits] == [
        "initial commit",
        "a licence",
        "process_labels v0.1.0",
    ]
    assert sum("/commit/" in request for request in hub.requests) == 2


def test_a_publisher_that_always_loses_is_told(hub, registry, small):
    hub.faults = [Fault(f"{API}/commit/", status=412, times=99)]
    with pytest.raises(PublishContested, match=r"other publishers were faster .* publish again"):
        registry.publish(small)


def test_a_commit_that_lacks_files_is_never_tagged(hub, registry, small):
    def a_file_goes_missing():
        repository = hub.state.repository(ID)
        files = {path: blob for path, blob in repository.head.files.items() if "data/" not in path}
        repository.commits[-1] = replace(repository.head, files=files)

    hub.faults = [Fault(f"GET {API}/refs", skip=2, then=a_file_goes_missing)]
    with pytest.raises(HubError, match=r"does not hold the files that were committed as v0\.1\.0: its \.gitignore"):
        registry.publish(small)
    assert hub.state.repository(ID).tags == {}


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("where", ["/refs", "/repos/create", "/preupload/", "/large/", "/commit/", "/tag/"])
def test_a_refusal_names_the_variable_and_the_right_and_not_the_token(hub, registry, small, waits, where, status):
    hub.faults = [Fault(where, status=status, times=9, body=f'{{"error": "not with {WRITER}"}}')]
    with pytest.raises(HubDenied, match=rf"\({status}\): set HF_TOKEN to a token with write access to lab") as told:
        registry.publish(small)
    assert WRITER not in str(told.value)
    assert waits == []


def test_a_token_that_may_only_read_or_none_is_refused_before_anything_is_made(hub, registry, small, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", READER)
    with pytest.raises(HubDenied, match="its token may not"):
        registry.publish(small)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubDenied, match="it is not set"):
        registry.publish(small)
    assert hub.state.repositories == {}


def test_the_token_stands_in_no_log_repr_or_error(hub, registry, small, caplog):
    caplog.set_level(logging.DEBUG)
    registry.publish(small)
    hub.faults = [Fault("/refs", status=400, body=f'{{"error": "bad token {WRITER}"}}')]
    with pytest.raises(HubError) as told:
        registry.publish(small)
    release = registry.open("process_labels", "v0.1.0")
    said = [caplog.text, repr(registry), repr(vars(registry)), repr(release), str(told.value), repr(release.path)]
    assert caplog.records
    assert [place for place, text in enumerate(said) if WRITER in text] == []
    assert WRITER not in "".join(traceback.format_exception_only(told.value))
