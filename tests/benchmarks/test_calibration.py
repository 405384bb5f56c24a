import polars as pl
import pytest

from benchmarks.calibration import soundness_bins, standard_error


@pytest.mark.parametrize(
    ("problems", "expected"),
    [
        (["a", "b", "c", "d"], 0.25),  # four steps apart: a half over the root of four
        (["a", "a", "b", "b"], 0.5 / 2**0.5),  # two pairs that go together tell as much as two steps
    ],
)
def test_steps_of_one_problem_count_as_one(problems, expected):
    steps = pl.DataFrame({"problem_id": problems, "holds": [True, True, False, False]})
    assert standard_error(steps, "holds") == pytest.approx(expected)


def test_a_bin_holds_what_is_stated_beside_what_is_true():
    steps = pl.DataFrame({"problem_id": ["a", "b", "c"], "sound": [0.92, 0.98, 0.15], "is_sound": [True, False, False]})
    low, high = soundness_bins(steps)
    assert (low["bin"], low["steps"], low["stated"], low["true"]) == (1, 1, pytest.approx(0.15), 0)
    assert (high["bin"], high["steps"], high["stated"], high["true"]) == (9, 2, pytest.approx(0.95), 0.5)
