"""Rows in blocks: the same rows in the same order, and no problem in two blocks."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators import rows as of_rows
from generators.rows import Rows, between_problems, blocks_of

PROBLEMS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 6)), unique_by=lambda drawn: drawn[0])


def frame(problems):
    ids = [problem for problem, n in problems for _ in range(n)]
    return pl.DataFrame({"problem_id": ids, "n": range(len(ids))}, schema={"problem_id": pl.String, "n": pl.Int64})


def in_two_blocks(blocks):
    ids = [problem for block in blocks for problem in block["problem_id"].unique()]
    return {problem for problem in ids if ids.count(problem) > 1}


@settings(deadline=None)
@given(PROBLEMS, st.integers(1, 9))
def test_rows_are_cut_between_problems_and_nowhere_else(problems, most):
    rows = frame(problems)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_rows, "BLOCK_ROWS", most)
        blocks = list(blocks_of(rows))
    assert pl.concat(blocks).equals(rows)
    assert in_two_blocks(blocks) == set()
    assert all(block.height <= most or block["problem_id"].n_unique() == 1 for block in blocks)


@settings(deadline=None)
@given(PROBLEMS, st.lists(st.integers(0, 48)))
def test_rows_that_come_in_any_pieces_are_put_together_by_problem(problems, cuts):
    rows = frame(problems)
    ends = sorted({min(cut, rows.height) for cut in cuts} | {rows.height})
    pieces = [rows.slice(start, end - start) for start, end in zip([0, *ends], ends, strict=False)]
    blocks = list(between_problems(pieces))
    assert pl.concat([rows.clear(), *blocks]).equals(rows)
    assert in_two_blocks(blocks) == set()


def test_problems_that_stand_apart_keep_their_places():
    rows = pl.DataFrame({"problem_id": list("aaabbcaa")})
    for size in range(1, 9):
        blocks = list(between_problems(rows.iter_slices(size)))
        assert pl.concat(blocks).equals(rows)
        assert all(one["problem_id"][-1] != other["problem_id"][0] for one, other in pairwise(blocks))


def test_long_rows_lie_in_smaller_blocks(monkeypatch):
    monkeypatch.setattr(of_rows, "BLOCK_BYTES", 10_000)
    rows = pl.DataFrame({"problem_id": [f"p{n}" for n in range(20)], "text": ["x" * 1_000] * 20})
    assert {block.height for block in blocks_of(rows)} <= {8, 9, 4, 2}


def test_some_rows_of_all_are_read_by_their_numbers_or_spread(monkeypatch):
    monkeypatch.setattr(of_rows, "BLOCK_ROWS", 3)
    rows = Rows.of(frame([(name, 1) for name in "abcdefgh"]))
    assert rows.take([0, 2, 3, 7])["n"].to_list() == [0, 2, 3, 7]
    assert rows.take([4], "n").to_dicts() == [{"n": 4}]
    assert rows.spread(3)["n"].to_list() == [0, 2, 4]
    assert (rows.head(5).height, rows.head(50).height, rows.take([]).height) == (5, 8, 0)
    assert Rows.chained([rows, rows]).only("n")["n"].to_list() == [*range(8), *range(8)]
