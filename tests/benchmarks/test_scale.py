"""Exponents are of work that exists."""

import time

import pytest

from benchmarks import scale, scale_filters

SIZES = (10, 20, 40, 80)


def made(rows):
    """A stage that takes 0.5 s and 1 MB a problem beyond a process that does nothing, with rows by size."""

    def stages(size, tokens, only):
        nothing = {"cpu_s": 2.0, "peak_mb": 100.0, "rows": 0}
        stage = {"cpu_s": 2.0 + 0.5 * size, "peak_mb": 1.0 * size, "rows": rows[size]}
        return {name: nothing if name == scale.NOTHING else stage for name in only}

    return stages


@pytest.mark.parametrize(
    ("rows", "exponent", "without_rows"),
    [((1, 2, 4, 8), 1.0, []), ((0, 2, 4, 8), None, ["attempts at 80 tokens"])],
)
def test_a_stage_without_a_row_at_some_size_has_no_exponents_and_is_named(monkeypatch, rows, exponent, without_rows):
    monkeypatch.setattr(scale, "stages", made(dict(zip(SIZES, rows, strict=True))))
    grown = {80: scale.grown(80, SIZES, ("attempts",))}
    assert (grown[80]["attempts"]["time_exponent"], grown[80]["attempts"]["memory_exponent"]) == (exponent, exponent)
    figures = scale.figures(grown, {})
    assert (figures["time_exponent_max"], figures["memory_exponent_max"]) == (exponent, exponent)
    assert figures["without_rows"] == without_rows
    assert ("no rows at some size" in scale.table(grown)) is bool(without_rows)


def test_what_is_too_fast_to_be_told_from_its_surroundings_is_measured_at_larger_sizes(monkeypatch):
    monkeypatch.setattr(scale_filters, "_LEAST_S", 0.001)
    found = scale_filters.growth(lambda size: {"fast": lambda: None, "slow": lambda: spin(0.002 * size)}, [1, 2])
    assert {name: list(figures["cpu_s"]) for name, figures in found.items()} == {"fast": [8, 16], "slow": [1, 2]}
    assert found["slow"]["exponent"] == pytest.approx(1.0, abs=0.2)


def spin(seconds):
    """Keep the processor busy."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
