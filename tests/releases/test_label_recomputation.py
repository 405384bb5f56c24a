"""Rows of the sequential test, derived again from counts and priors."""

from dataclasses import replace

import polars as pl
import pytest

from generators.dataset import IncompleteParameters
from generators.process_labels.labels import with_labels
from generators.process_labels.release import recompute
from generators.process_labels.table import PROCESS_LABELS
from generators.records import StepCounts
from generators.search.belief import Belief
from generators.search.priors import Priors
from releases.recomputation import differing_columns
from tests.releases.conftest import PARAMETERS

SCHEMA = {name: column.dtype for name, column in PROCESS_LABELS.columns.items()}
PRIORS = {"sums-0": Priors(rise=0.0, even=1.0), "sums-1": Priors(rise=1.0)}
WITH_PRIORS = replace(PARAMETERS, priors=PRIORS)

# confidence, soundness, hard labels, first error
SOUNDNESS = [
    (0.75, [1.0, 0.75], [True, True], -1),
    (0.75, [0.75, 0.25], [True, False], 1),
    (0.75, [0.25, 0.0], [False, False], 0),
    (0.75, [0.9, 0.7, 0.3, 0.2], [True, None, None, False], None),
    (0.75, [0.8, 0.5], [True, None], None),
    (0.94, [0.94, 0.06], [True, False], 1),
    (0.9, [0.9, 0.1], [True, False], 1),
    (0.9, [0.89, 0.11], [None, None], None),
]


@pytest.mark.parametrize(("confidence", "sound", "hard", "first_error"), SOUNDNESS)
def test_hard_labels_follow_soundness_where_there_is_some(table, confidence, sound, hard, first_error):
    n = len(sound)
    rows = table(([0] * n, [4] * n)).with_columns(pl.Series("sound", [sound], dtype=pl.List(pl.Float64)))
    labelled = with_labels(rows, hard_threshold=0.5, confidence=confidence).row(0, named=True)
    assert (labelled["hard_labels"], labelled["first_error"]) == (hard, first_error)


def test_shares_decide_only_the_rows_without_soundness(table):
    rows = table(([4, 0], [4, 4]), ([4, 0], [4, 4])).with_columns(
        pl.Series("sound", [[0.99, 0.98], None], dtype=pl.List(pl.Float64))
    )
    assert PARAMETERS.labelled(rows)["first_error"].to_list() == [-1, 1]


@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_a_confidence_out_of_bounds_is_refused(rows, confidence):
    with pytest.raises(ValueError, match=f"confidence must be above 0.5 and below 1, got {confidence}"):
        with_labels(rows, hard_threshold=0.0, confidence=confidence)


def believed(row, slice_name):
    """The row as the sequential test of its slice would have written it."""
    counts = [
        StepCounts(n_correct=right, n_rollouts=n, n_undecided=0)
        for right, n in zip(row["n_correct"], row["n_rollouts"], strict=True)
    ]
    belief = Belief.of(counts, n_right=row["n_attempts_right"], n_attempts=row["n_attempts"], priors=PRIORS[slice_name])
    values = belief.values()
    return row | {
        "values": list(values.mean),
        "values_low": list(values.low),
        "values_high": list(values.high),
        "sound": list(belief.sound),
        "strategy": "sequential_test",
        "slice": slice_name,
    }


@pytest.fixture
def released(table):
    """Three rows of the sequential test, of two slices, and one of shares."""
    counts = table(([6, 9, 0, 0], [8, 10, 12, 1]), ([5, 5, 1], [8, 8, 1]), ([0, 0], [9, 1]), ([4, 2, 0], [4, 4, 4]))
    *tested, shared = counts.to_dicts()
    rows = [believed(row, name) for row, name in zip(tested, ("sums-0", "sums-1", "sums-0"), strict=True)]
    return PARAMETERS.labelled(pl.DataFrame([*rows, shared], schema=SCHEMA)).drop("values")


def differing(rows, parameters=WITH_PRIORS):
    """The numbers of the rows that differ from their recomputation, each with the columns that do."""
    return differing_columns(rows, recompute(rows, parameters))


def replaced(rows, number, **columns):
    changed = [row | columns if place == number else row for place, row in enumerate(rows.to_dicts())]
    return pl.DataFrame(changed, schema=rows.schema)


def test_rows_are_given_back_by_their_counts_and_priors(released):
    assert differing(released) == {}
    assert released["first_error"][0] == 2


@pytest.mark.parametrize("number", range(4))
def test_a_flipped_label_is_found(released, number):
    labels = released["hard_labels"].to_list()[number]
    flipped = replaced(released, number, hard_labels=[not label for label in labels])
    assert differing(flipped) == {number: ["hard_labels"]}


@pytest.mark.parametrize("number", range(4))
def test_a_changed_first_error_is_found(released, number):
    assert differing(replaced(released, number, first_error=5)) == {number: ["first_error"]}


@pytest.mark.parametrize("number", range(4))
def test_a_changed_count_is_found(released, number):
    right = released["n_correct"].to_list()[number]
    changed = replaced(released, number, n_correct=[right[0] + (1 if right[0] == 0 else -1), *right[1:]])
    assert list(differing(changed)) == [number]


@pytest.mark.parametrize("column", ["soft_labels", "values_low", "values_high", "sound"])
def test_a_changed_value_is_found(released, column):
    shares = released[column].to_list()[1]
    assert differing(replaced(released, 1, **{column: [shares[0] + 0.001, *shares[1:]]})) == {1: [column]}


def test_other_attempts_are_found(released):
    assert list(differing(replaced(released, 1, n_attempts_right=4))) == [1]


def test_other_priors_are_found_in_the_rows_of_their_slice(released):
    swapped = PRIORS | {"sums-1": Priors(rise=0.0)}
    assert list(differing(released, replace(PARAMETERS, priors=swapped))) == [1]


def test_priors_that_are_missing_are_named_with_their_slice(released):
    with pytest.raises(IncompleteParameters, match="there are no priors of slice sums-1"):
        recompute(released, replace(PARAMETERS, priors={"sums-0": PRIORS["sums-0"]}))


def test_published_tables_without_soundness_are_valued_by_their_shares(rows):
    assert differing(PARAMETERS.labelled(rows).drop("values"), PARAMETERS) == {}
