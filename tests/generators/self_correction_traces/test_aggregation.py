"""One answer out of several samples, on literal tables."""

from dataclasses import dataclass

import pytest

from filters.answers.checker import Verdict
from generators.self_correction_traces.aggregation import by_majority, by_verifier, by_weight


@dataclass(frozen=True)
class Sample:
    text: str
    verdict: Verdict = Verdict.DIFFERENT
    extracted: str | None = None


def samples(*answers):
    return [Sample(text=str(place), extracted=answer) for place, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        (["5", "4", "4"], 1),
        (["5", "4", "4", "5"], 0),
        (["4", "5", "5", "4"], 0),
        ([None, None, "7"], 2),
        (["\\dfrac{1}{2}", "3", "\\frac12", "3", "$\\frac{1}{2}$"], 0),
        (["1,000", "2"], 0),
    ],
)
def test_most_votes_win_and_of_equals_the_answer_given_first(answers, chosen):
    assert by_majority(samples(*answers)).text == str(chosen)


@pytest.mark.parametrize(
    ("weights", "chosen"),
    [([0.9, 0.1, 0.1, 1.0], 0), ([0.1, 0.9, 0.2, 1.0], 1), ([0.5, 0.25, 0.25, 1.0], 0), ([0.0, 0.0, 0.1, 1.0], 1)],
)
def test_an_answer_has_the_weight_of_its_samples_and_no_answer_none(weights, chosen):
    assert by_weight(samples("5", "4", "4", None), weights).text == str(chosen)


def test_without_an_answer_there_is_no_majority():
    assert by_majority(samples(None, None)) is None
    assert by_majority([]) is None


@pytest.mark.parametrize(
    ("verdicts", "chosen"),
    [
        ([Verdict.DIFFERENT, Verdict.EQUAL, Verdict.EQUAL], 1),
        ([Verdict.TIMEOUT, Verdict.DIFFERENT], 0),
        ([], None),
    ],
)
def test_the_verifier_takes_the_first_right_sample_else_the_first(verdicts, chosen):
    found = by_verifier([Sample(text=str(place), verdict=verdict) for place, verdict in enumerate(verdicts)])
    assert (found and found.text) == (None if chosen is None else str(chosen))
