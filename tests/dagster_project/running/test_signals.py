import os
import signal
import threading

import pytest
from dagster._utils.interrupts import capture_interrupts

from dagster_project.running.signals import hangup_as_termination, termination_kept


class Terminated(Exception):
    pass


def terminate(*_):
    raise Terminated


@pytest.fixture
def handlers():
    names = (signal.SIGHUP, signal.SIGTERM)
    before = [signal.getsignal(name) for name in names]
    signal.signal(signal.SIGTERM, terminate)
    yield
    for name, handler in zip(names, before, strict=True):
        signal.signal(name, handler)


def test_a_hangup_does_what_a_termination_does_at_that_moment(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with pytest.raises(Terminated), hangup_as_termination():
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.parametrize("decided", [signal.SIG_IGN, terminate])
def test_what_somebody_else_decided_stays(handlers, decided):
    signal.signal(signal.SIGHUP, decided)
    with hangup_as_termination():
        assert signal.getsignal(signal.SIGHUP) is decided
    assert signal.getsignal(signal.SIGHUP) is decided


def test_outside_of_the_main_thread_nothing_changes(handlers):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    inside = []

    def work():
        with hangup_as_termination():
            inside.append(signal.getsignal(signal.SIGHUP))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [signal.SIG_DFL]


def test_a_run_that_a_script_started_in_the_background_still_ends_by_a_termination(handlers):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with termination_kept(), capture_interrupts():
            pass  # as Dagster does around a run
        assert signal.getsignal(signal.SIGTERM) is terminate
    finally:
        signal.signal(signal.SIGINT, before)
