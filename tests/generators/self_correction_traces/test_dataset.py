"""The checks of a slice, and what it keeps of the labels and drops with a reason."""

from collections import Counter

import polars as pl
import pytest

from generators.process_labels.labels import with_labels
from generators.records import Problem
from generators.sampling.runner import Failure
from generators.self_correction_traces.corrections import NotCorrected
from generators.self_correction_traces.dataset import both_origins, dropped_rows, locate, triggers_do_no_harm

PROBLEM = Problem(problem_id="p", source="s", prompt="2 + 2?", answer="4")

# the answers before and after each trigger, the bound, and whether triggers do no harm
HARM = [
    ([("right", "right")] * 9 + [("right", "wrong")], 0.1, True),
    ([("right", "right")] * 8 + [("right", "wrong"), ("right", "no_answer")], 0.1, False),
    ([("right", "undecided"), ("wrong", "wrong")], 0.0, True),
    ([("wrong", "right")], 0.0, True),
]


@pytest.mark.parametrize(("pairs", "bound", "passed"), HARM)
def test_triggers_do_harm_where_they_break_more_right_answers_than_the_bound(pairs, bound, passed):
    check = triggers_do_no_harm(Counter(pairs), bound)
    assert (check.passed, check.blocks) == (passed, False)


@pytest.mark.parametrize(
    ("origins", "passed"),
    [({"sampled": 1, "composed": 1}, True), ({"sampled": 1}, False), ({"composed": 2}, False), ({}, False)],
)
def test_both_origins_need_a_row_of_each(origins, passed):
    assert both_origins(origins).passed is passed


def labels(confidence):
    """Labels of five solutions of two steps, as a sequential test leaves them, in two blocks."""
    rows = [
        ("equal", [0.99, 0.99]),
        ("no_answer", [0.99, 0.01]),
        ("different", [0.5, 0.01]),
        ("different", [0.99, 0.99]),
        ("different", [0.99, 0.08]),
    ]
    table = [
        {"problem_id": "p", "attempt_index": index, "verdict": verdict, "sound": sound, "values": sound}
        | {"n_correct": [1, 1], "n_rollouts": [2, 2], "false_equations": [None, None]}
        for index, (verdict, sound) in enumerate(rows)
    ]
    rows = pl.DataFrame(table, schema_overrides={"false_equations": pl.List(pl.String)})
    return with_labels(rows, hard_threshold=0.0, confidence=confidence).iter_slices(3)


def test_a_wrong_solution_is_kept_where_its_first_error_is_known_by_the_thresholds_of_its_labels():
    sure, strict = (locate(labels(confidence)) for confidence in (0.9, 0.95))
    assert sure.kept.select("attempt_index", "first_error").rows() == [(4, 1)]
    assert sure.dropped["reason"].to_list() == [
        "right_at_once",
        "no_wrong_answer",
        "first_error_not_sure",
        "no_first_error",
    ]
    assert strict.kept.is_empty()


def test_everything_that_gave_no_correction_is_dropped_with_its_reason():
    passed = NotCorrected("p", "sampled", 2, "never_right")
    failed = Failure(PROBLEM, "the prompt is too long")
    assert dropped_rows(locate(labels(0.9)), [passed], [failed]).rows() == [
        ("p", "composed", 0, "right_at_once", ""),
        ("p", "composed", 1, "no_wrong_answer", ""),
        ("p", "composed", 2, "first_error_not_sure", ""),
        ("p", "composed", 3, "no_first_error", ""),
        ("p", "sampled", 2, "never_right", ""),
        ("p", None, None, "refused", "the prompt is too long"),
    ]
