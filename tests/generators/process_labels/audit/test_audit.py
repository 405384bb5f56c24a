import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.process_labels.audit.audit import audit, audit_by_kind

FOUND = [3, 2, 4, 0, 7, -1, None, 0]
PLANTED = [3, 3, 3, 3, 2, 3, 3, 0]


def test_what_was_found_is_counted_by_its_distance_from_what_was_planted():
    report = audit(FOUND, PLANTED)
    assert report.facts() == {
        "n": 8,
        "exact": 2,
        "off_by_one": 2,
        "farther": 2,
        "missed": 1,
        "not_sure": 1,
        "precision": 2 / 6,
        "recall": 2 / 8,
        "mean_distance": 10 / 6,
    }
    assert report.shares() == {"exact": 0.25, "off_by_one": 0.25, "farther": 0.25, "missed": 0.125, "not_sure": 0.125}


def test_each_kind_of_error_has_an_audit_of_its_own():
    kinds = ["number", "number", "operation", "operation", "number", "number", "operation", "operation"]
    by_kind = audit_by_kind(FOUND, PLANTED, kinds)
    assert list(by_kind) == ["number", "operation"]
    assert (by_kind["number"].exact, by_kind["number"].missed, by_kind["number"].n) == (1, 1, 4)
    assert (by_kind["operation"].exact, by_kind["operation"].not_sure, by_kind["operation"].n) == (1, 1, 4)


def test_a_rate_over_nothing_is_none_and_not_zero():
    assert audit([], []).recall is None
    assert audit([], []).shares() == {}
    silent = audit([-1, None], [0, 1])
    assert (silent.precision, silent.recall, silent.mean_distance) == (None, 0.0, None)


@pytest.mark.parametrize(
    ("found", "planted", "message"),
    [
        ([0], [-1], "planted must hold indexes of at least 0, got -1"),
        ([-2], [0], "first_errors must hold indexes of at least -1 or None"),
        ([0, 1], [0], "shorter"),
    ],
)
def test_indexes_that_cannot_be_are_refused(found, planted, message):
    with pytest.raises(ValueError, match=message):
        audit(found, planted)


@given(st.lists(st.tuples(st.none() | st.integers(-1, 9), st.integers(0, 9), st.sampled_from("ab"))))
def test_every_error_is_counted_once_overall_and_by_kind(rows):
    found, planted, kinds = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    report = audit(found, planted)
    assert report.n == len(rows)
    assert sum(one.n for one in audit_by_kind(found, planted, kinds).values()) == len(rows)
    assert sum(one.exact for one in audit_by_kind(found, planted, kinds).values()) == report.exact
