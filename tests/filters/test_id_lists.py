from array import array

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.id_lists import ID_LIST, id_lists
from filters.schema import Column, Schema, SchemaError
from generators.token_columns import ids_of, rows_with_ids
from generators.tokens import TokenIds

LISTS = st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=5), max_size=8)
TOKENS = Schema(name="tokens", columns={"ids": Column(ID_LIST, "Tokens."), "n": Column(pl.Int64, "A number.")})


@given(LISTS, st.sampled_from([list, tuple, TokenIds]))
def test_ids_go_into_a_column_and_come_back(rows, kind):
    column = id_lists("ids", [kind(ids) for ids in rows])
    assert column.dtype == ID_LIST
    assert column.to_list() == rows
    assert [ids.to_list() for ids in ids_of(column)] == rows
    assert [ids.to_list() for ids in ids_of(column[1:4])] == rows[1:4]
    assert [ids.to_list() for ids in ids_of(column.cast(pl.List(pl.Int64)))] == rows


def test_ids_that_come_out_of_a_column_share_its_memory():
    first, second = ids_of(id_lists("ids", [range(10_000), range(5)]))
    assert first.view.obj is second.view.obj
    assert first.view.nbytes == 40_000


def test_rows_come_out_with_their_ids():
    frame = TOKENS.frame([{"ids": [1, 2], "n": 7}, {"ids": (), "n": 8}])
    assert list(rows_with_ids(frame, ["n", "ids"], ["ids"])) == [{"n": 7, "ids": (1, 2)}, {"n": 8, "ids": ()}]


@pytest.mark.parametrize("wrong", [[-1], [2**32], [1.5], ["a"]])
def test_what_is_no_token_id_is_named(wrong):
    with pytest.raises(SchemaError, match=r"tokens\.ids must hold token ids from 0 to 2\^32 - 1"):
        TOKENS.frame([{"ids": wrong, "n": 1}])


@pytest.mark.parametrize("missing", [None, [1, None]])
def test_a_missing_id_breaks_the_rule_against_nulls(missing):
    with pytest.raises(SchemaError, match="ids: no_nulls"):
        TOKENS.frame([{"ids": [1], "n": 1}, {"ids": missing, "n": 1}])


def test_ids_of_64_bits_are_narrowed_unless_one_does_not_fit():
    wide = pl.DataFrame({"ids": [[1, 2]], "n": [1]})
    assert TOKENS.validate(wide).equals(TOKENS.frame([{"ids": array("I", [1, 2]), "n": 1}]))
    with pytest.raises(SchemaError, match=r"tokens\.ids must hold token ids"):
        TOKENS.validate(pl.DataFrame({"ids": [[-1]], "n": [1]}))
