"""A slice whose attempts mostly end without a recognised answer, and how such attempts count."""

import polars as pl
import pytest

from dagster_project.partitions import Cell
from dagster_project.preflight.attempts import attempts_findings
from dagster_project.resources.store import Store
from dagster_project.scorecard import read_scorecard
from generators.attempts.stage import STAGE as ATTEMPTS
from tests.dagster_project.conftest import metadata_of

CELL = Cell(round="r1", slice="sums-0")
SENTENCE = "of the attempts of source sums end without a recognised answer, such as '"


def changed(settings, *, tokens=400, no_answer="wrong", most=0.5):
    """The settings with attempts of so few tokens, and what counts for those that are cut off."""
    attempts = settings.of(ATTEMPTS).model_copy(update={"max_tokens": tokens})
    sources = tuple(source.model_copy(update={"no_answer": no_answer}) for source in settings.sources)
    checks = settings.checks.model_copy(update={"max_no_answer_share": most})
    return settings.model_copy(update={"attempts": attempts, "sources": sources, "checks": checks})


def table(settings, name):
    store = Store(data_root=settings.data_root)
    return store.read(store.table(name, CELL))


@pytest.fixture
def short(settings, make):
    """Settings whose attempts are made, and cut off before most answers."""
    few = changed(settings, tokens=24)
    assert not make(few, "slice", "r1", "sums-0", only=["problems", "attempts"]).success
    return few


def test_the_attempts_fail_their_check_and_say_how_they_end(short):
    checks = {check.name: check for check in read_scorecard(Store(data_root=short.data_root), "attempts", CELL).checks}
    assert not checks["answers_recognised"].passed and checks["answers_recognised"].blocks
    assert SENTENCE in checks["answers_recognised"].why
    assert checks["answers_recognised"].remedy.startswith("Raise max_tokens of [attempts] (24)")
    share = table(short, "attempts").select((pl.col("verdict") == "no_answer").mean()).item()
    assert share > 0.5


def test_labels_are_refused_before_a_rollout_is_drawn(short, make):
    result = make(short, "slice", "r1", "sums-0", only=["process_labels"])
    (failure,) = result.get_step_failure_events()
    message = str(failure.step_failure_data.error.message)
    assert SENTENCE in message and "raise max_tokens of [attempts] (24)" in message


def test_a_higher_bound_only_warns_and_check_tells_of_the_last_round(short, make, caplog):
    lenient = changed(short, tokens=24, most=1.0)
    assert make(lenient, "slice", "r1", "sums-0", only=["process_labels"]).success
    (finding,) = attempts_findings(short, short.sources)
    assert not finding.blocks
    assert finding.sentence.startswith("sources.sums: in round r1, ") and SENTENCE in finding.sentence


def test_attempts_that_have_answers_raise_no_finding(settings, make):
    assert list(attempts_findings(settings, settings.sources)) == []  # no round yet
    result = make(settings, "slice", "r1", "sums-0", only=["problems", "attempts"])
    assert list(attempts_findings(settings, settings.sources)) == []
    shown = {record.data["found_by"]: record.data for record in metadata_of(result, "attempts")["found_by"].records}
    assert set(shown) == {"box"}
    assert shown["box"]["equal"] + shown["box"]["different"] == table(settings, "attempts").height


@pytest.mark.parametrize(("no_answer", "undecided"), [("wrong", False), ("undecided", True)])
def test_without_an_answer_attempts_count_as_the_source_says(settings, make, no_answer, undecided):
    counted = changed(settings, tokens=60, no_answer=no_answer, most=1.0)
    assert make(counted, "slice", "r1", "sums-0", only=["problems", "attempts", "process_labels"]).success
    attempts, rated = table(counted, "attempts"), table(counted, "problem_difficulty")
    lacking = attempts.filter(pl.col("verdict") == "no_answer")
    assert 0 < lacking.height < attempts.height
    assert lacking["is_right"].to_list() == [None if undecided else False] * lacking.height
    assert rated["n_no_answer"].sum() == lacking.height
    assert rated["n_undecided"].sum() == (lacking.height if undecided else 0)
    roots = table(counted, "search_trees").filter(pl.col("depth") == 0)
    assert roots["n_no_answer"].sum() > 0
    assert (roots["n_undecided"].sum() > 0) == undecided
