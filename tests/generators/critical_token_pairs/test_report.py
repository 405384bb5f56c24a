import polars as pl
import pytest

from generators.critical_token_pairs.report import critical_tokens_confirmed, marked
from generators.engine.simulated.vocabulary import EOS, SimulatedTokenizer

TOKENIZER = SimulatedTokenizer()
CONFIRMED = [([[True, False], [], [], [False]], True), ([[True], [], [], [], []], False), ([], False)]


@pytest.mark.parametrize(("confirmed", "passed"), CONFIRMED)
def test_a_quarter_of_the_pairs_must_have_a_confirmed_token(confirmed, passed):
    rows = pl.DataFrame({"critical_confirmed": confirmed}, schema={"critical_confirmed": pl.List(pl.Boolean)})
    assert critical_tokens_confirmed(rows).passed is passed


def test_the_critical_token_is_marked_in_the_solution():
    ids = TOKENIZER.encode("Adding 5 gives 9\n")
    row = {
        "rejected": "Adding 5 gives 9\n",
        "rejected_token_ids": [1, 2, *ids, EOS],
        "response_start": 2,
        "critical_positions": [3, 5],
        "critical_confirmed": [False, True],
    }
    rows = pl.DataFrame([row, row | {"critical_confirmed": [False, False]}])
    assert marked(rows, TOKENIZER) == ["Adding 5 gives⟦ 9⟧\n", "Adding 5 gives 9\n"]
