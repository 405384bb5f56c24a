import asyncio

import pytest

from benchmarks.fuzz_answers import fuzz_checker, fuzz_exactly, fuzz_filters

INPUTS = 200_000


@pytest.mark.timeout(1200)
def test_no_part_of_the_checker_raises_on_broken_latex():
    tallies = fuzz_exactly(INPUTS, seed=21)
    for name, tally in tallies.items():
        print(f"{name}: {tally.tried} inputs, {len(tally.raised)} raised, longest {1000 * tally.longest_s:.0f} ms")
    assert tallies["extraction"].tried == tallies["comparison"].tried == INPUTS
    assert [line for tally in tallies.values() for line in tally.raised] == []


def test_no_broken_latex_leaves_the_checker_as_an_exception():
    verdicts = asyncio.run(fuzz_checker(150, seed=22, seconds=1))
    assert sum(verdicts.values()) == 300
    assert verdicts["raised"] == 0


def test_no_text_filter_raises_on_broken_latex():
    assert fuzz_filters(500, seed=23).raised == []
