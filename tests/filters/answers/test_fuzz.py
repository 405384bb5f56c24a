import asyncio

import pytest

from benchmarks.fuzz_answers import fuzz_checker, fuzz_exactly, fuzz_filters
from filters.answers.exact import compare_exactly
from filters.answers.extraction import extract_answer

INPUTS = 50_000
SHAPES = ["%s", "-%s", "%s/3", "1.%s", "%s cm", "x+%s", r"\frac{%s}{%s}", "(%s,1)", "%s!", "2^{%s}", r"%s\%"]


@pytest.mark.timeout(1200)
def test_no_part_of_the_checker_raises_on_broken_latex():
    tallies = fuzz_exactly(INPUTS, seed=21)
    for name, tally in tallies.items():
        print(f"{name}: {tally.tried} inputs, {len(tally.raised)} raised, longest {1000 * tally.longest_s:.0f} ms")
    assert tallies["extraction"].tried == tallies["comparison"].tried == INPUTS
    assert [line for tally in tallies.values() for line in tally.raised] == []


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("around", [r"\boxed{%s}", r"-\boxed{%s} and \boxed{%s}", "#### %s", "The answer is %s."])
def test_more_digits_than_python_reads_raise_nothing(shape, around):
    answer = shape.replace("%s", "7" * 6000)
    extract_answer(around.replace("%s", answer))
    compare_exactly(answer, "5")
    compare_exactly(answer, f"{answer}1")


def test_no_broken_latex_leaves_the_checker_as_an_exception():
    verdicts = asyncio.run(fuzz_checker(150, seed=22, seconds=1))
    assert sum(verdicts.values()) == 300
    assert verdicts["raised"] == 0


def test_no_text_filter_raises_on_broken_latex():
    assert fuzz_filters(500, seed=23).raised == []
