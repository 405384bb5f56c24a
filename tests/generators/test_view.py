import pytest

from generators.datasets import DATASETS
from generators.view import OF_TRAINERS, Counts, Pair, Side, Steps, Turns

PAIR = Pair(
    chosen=Side(text="chosen", value=Counts(share="value", n_right="right", n="n")),
    rejected=Side(text="rejected"),
    before="before",
)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_column_that_a_view_names_is_one_of_a_config(dataset):
    known = {name for config in dataset.configs for name in config.schema.columns}
    named = {name for panel in dataset.view.panels for name in panel.columns()} | set(dataset.view.facts)
    assert named <= known


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_panel_of_a_view_is_drawn_for_some_config(dataset):
    for panel in dataset.view.panels:
        assert any(panel.within(frozenset(config.schema.columns)) for config in dataset.configs), panel


def test_a_panel_names_the_columns_of_its_parts():
    assert PAIR.columns() == ["chosen", "n", "right", "value", "rejected", "before"]


@pytest.mark.parametrize(
    ("columns", "drawn"),
    [
        ("chosen rejected before n right value", PAIR),
        ("chosen rejected", Pair(chosen=Side(text="chosen"), rejected=Side(text="rejected"))),
        ("chosen before", None),
        ("rejected", None),
        ("", None),
    ],
)
def test_a_panel_leaves_out_what_a_config_lacks_and_is_none_without_one_that_it_must_have(columns, drawn):
    assert PAIR.within(frozenset(columns.split())) == drawn


def test_unknown_notes_are_left_out():
    steps = Steps(texts="steps", notes=("sound", "why"))
    assert steps.within(frozenset({"steps", "why"})).notes == ("why",)


def test_a_panel_is_json_with_its_kind():
    assert Turns(parts="a", between="b").to_json() == {
        "kind": "turns",
        "parts": "a",
        "between": "b",
        "verdicts": None,
        "answers": None,
        "masked": None,
    }
    assert [panel.to_json()["kind"] for panel in OF_TRAINERS] == ["steps", "pair", "chat", "prose", "prose", "learnt"]
