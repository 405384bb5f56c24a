from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.preview.few import Few, shares
from generators.problems.simulated import SimulatedSource

SIZES = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 40), min_size=1)


@settings(deadline=None)
@given(n=st.integers(1, 60), sizes=SIZES)
def test_problems_are_spread_over_the_sources_as_evenly_as_their_sizes_allow(n, sizes):
    given = shares(n, sizes)
    assert sum(given.values()) == min(n, sum(sizes.values()))
    assert all(0 < share <= sizes[name] for name, share in given.items())
    unfilled = [given.get(name, 0) for name in sizes if given.get(name, 0) < sizes[name]]
    assert not unfilled or max(given.values()) - min(unfilled) <= 1


def test_the_same_seed_draws_the_same_problems_and_another_one_others():
    def drawn(seed):
        few = Few(source=SimulatedSource(name="sums", size=40), n=5, seed=seed)
        return few.candidates().kept["prompt"].to_list()

    assert len(drawn(0)) == 5
    assert drawn(0) == drawn(0) != drawn(1)
