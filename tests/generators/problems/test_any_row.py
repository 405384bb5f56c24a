"""Whatever a row holds, it is read or set aside with a sentence: nothing raises."""

from typing import get_args

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generators.problems.source import AnswerFormat, ColumnMapping, Entry, map_columns

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
WORDS = st.sampled_from([r"\boxed{", "}", "$", "=", ":", "(", "[", "#### 1", r"\approx", "is", "A)", "B)", '["', "##"])
TEXTS = st.lists(WORDS | st.text(max_size=3), max_size=8).map("".join)
NAMES = st.sampled_from(["role", "content", "from", "value", "text", "label", "inputs", "outputs", "a"])
VALUES = st.recursive(
    SCALARS | TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
ROWS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(["prompt", "answer", "choices", "unit", "all", "level"], VALUES)
)
PATHS = st.sampled_from(["prompt", "answer", "choices", "answer.text", "choices.0", "prompt.content", "level", "unit"])
MAPPINGS = st.builds(
    ColumnMapping,
    prompt=PATHS | st.tuples(PATHS, PATHS),
    answer=PATHS,
    level=st.none() | PATHS,
    choices=st.none() | PATHS,
    all_needed=st.none() | st.just("all"),
    unit=st.none() | PATHS,
    tolerance=st.none() | PATHS,
    answer_format=st.sampled_from(get_args(AnswerFormat)),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first draw compiles tables of text
@given(row=ROWS, mapping=MAPPINGS)
def test_any_row_is_read_or_set_aside_with_a_sentence(row, mapping):
    read = map_columns([Entry("row 1", row)], mapping)
    assert read.kept.height + read.dropped.height == 1
    for kept in read.kept.iter_rows(named=True):
        assert kept["prompt"].strip()
        assert bool(kept["answer"].strip()) == mapping.has_answers
        assert None not in kept["also_accepted"] and kept["answer"] not in kept["also_accepted"]
    for dropped in read.dropped.select("reason", pl.col("found").fill_null("")).iter_rows(named=True):
        assert dropped["reason"] and dropped["found"].startswith("column ")
