"""A release of short right attempts: what its sides are among the attempts, and what its card says of length."""

import polars as pl
import pytest

from generators.short_right.dataset import DATASET
from generators.short_right.length_effect import LENGTH_COLUMNS, length_effects, lengths_of
from generators.short_right.release import ATTEMPTS, COST, EFFECT, cost
from releases.manifest import read_manifest
from releases.registry.local import LocalRegistry

SIDES = {
    "attempt_index": ("response", "n_tokens", "equal"),
    "control_index": ("control_response", "control_tokens", "equal"),
    "longer_right_index": ("longer_right", "longer_right_tokens", "equal"),
    "longer_wrong_index": ("longer_wrong", "longer_wrong_tokens", "different"),
}


@pytest.fixture
def release(world):
    return LocalRegistry(world.store.releases).open(DATASET.name, "v0.1.0").path


@pytest.fixture
def attempts(world):
    root = world.settings.data_root
    return pl.read_parquet(f"{root}/tables/attempts/r1/sums-[0-9].parquet")


def test_every_side_is_an_attempt_that_ended_with_its_verdict_and_length(release, attempts):
    rows = pl.read_parquet(f"{release}/data/full/*.parquet")
    for index, (text, tokens, verdict) in SIDES.items():
        wanted = rows.filter(pl.col(index).is_not_null())
        found = wanted.join(
            attempts.select(
                "problem_id", pl.col("attempt_index").cast(pl.Int32).alias(index), "text", *LENGTH_COLUMNS[1:]
            ),
            on=["problem_id", index],
        )
        assert found.height == wanted.height > 0
        assert (found["text"] == found[text]).all() and (found["token_ids"].list.len() == found[tokens]).all()
        assert set(found["verdict"]) == {verdict} and "length" not in set(found["finish_reason"])


def test_right_rejected_attempts_are_half_as_long_again_without_exception(release):
    ratios = pl.read_parquet(f"{release}/data/full/*.parquet")["longer_right_ratio"].drop_nulls()
    assert len(ratios) and ratios.min() >= 1.5


def test_the_card_gives_the_effect_of_length_within_problems_and_says_that_the_shortest_is_a_selection(
    release, attempts
):
    figures = read_manifest((release / "manifest.json").read_bytes(), where="v0.1.0").facts.figures
    effects = length_effects(lengths_of([attempts.select(LENGTH_COLUMNS)]))
    assert {name: dict(row) for name, row in figures[EFFECT].items()} == {
        name: pytest.approx(effect.figures) for name, effect in effects.items()
    }
    assert sum(figures[ATTEMPTS]["all"].values()) == attempts.height
    card = (release / "README.md").read_text()
    assert all(f"## {title}" in card for title in (EFFECT, ATTEMPTS, COST))
    assert "Its length is no estimate" in card


def test_the_cost_is_the_tokens_of_all_attempts_over_those_that_the_short_ones_save():
    lengths = pl.DataFrame({"n_tokens": [10, 20, 30, 40]})
    rows = pl.DataFrame({"n_tokens": [10, 20], "control_tokens": [20, 20]})
    assert cost(lengths, rows)["all"] == {
        "attempts": 100,
        "shortest": 30,
        "control": 40,
        "attempts_per_token_saved": 10.0,
    }
    assert cost(lengths, rows.head(0))["all"]["attempts_per_token_saved"] is None
