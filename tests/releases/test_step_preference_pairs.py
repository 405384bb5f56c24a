"""From the asset's pairs to the draft of a release: what is left out, what is refused, what the card says."""

import polars as pl
import pytest

from filters.schema import SchemaError
from generators.dataset import Parameters
from generators.records import Evidence, StepCounts
from generators.search.margins import margin_of
from generators.step_preference_pairs.dataset import DATASET
from generators.step_preference_pairs.release import FULL, recompute
from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS
from releases.drafting import drafted
from releases.recomputation import differing_columns
from releases.splits import SplitShares

PUBLISHED = (
    "dataset",
    "prompt",
    "initial_reason_steps",
    "chosen",
    "rejected",
    "full_chosen",
    "full_rejected",
    "answer",
)
ALL_TRAIN = SplitShares(test=0.0)


def evidence(right, n, own_outcome):
    return Evidence(counts=StepCounts(n_correct=right, n_rollouts=n, n_undecided=0), own_outcome=own_outcome)


def margin_between(chosen, rejected):
    """A margin by counts; a side of None ends its solution."""
    return margin_of(
        evidence(*(chosen or (0, 0)), None if chosen else True),
        evidence(*(rejected or (0, 0)), None if rejected else False),
    )


def pair(problem, *, chosen=(8, 12), rejected=(1, 12), stable=True):
    """A row whose test was luckier than what is published; a side of None ends its solution."""
    margin = margin_between(chosen, rejected)
    better, worse = margin.chosen, margin.rejected
    tested = margin_between(chosen and (4, 4), rejected and (0, 4))
    n_tested = [side.counts.n_rollouts for side in (tested.chosen, tested.rejected)]
    return {
        "dataset": "sums",
        "prompt": f"What is {problem}?",
        "initial_reason_steps": "One.\n",
        "chosen": "Two.\n",
        "rejected": "Three.\n",
        "full_chosen": "Two.\nSo 4.",
        "full_rejected": "Three.\nSo 5.",
        "answer": "4",
        "also_accepted": [],
        "problem_id": problem,
        "attempt_index": 1,
        "step_index": 1,
        "chosen_index": 0,
        "value_margin": margin.value,
        "value_margin_low": margin.low,
        "value_margin_high": margin.high,
        "chosen_value": better.value,
        "rejected_value": worse.value,
        "chosen_n_correct": better.counts.n_correct,
        "chosen_n_rollouts": better.counts.n_rollouts,
        "rejected_n_correct": worse.counts.n_correct,
        "rejected_n_rollouts": worse.counts.n_rollouts,
        "test_chosen_n_correct": tested.chosen.counts.n_correct,
        "test_chosen_n_rollouts": n_tested[0],
        "test_rejected_n_correct": tested.rejected.counts.n_correct,
        "test_rejected_n_rollouts": n_tested[1],
        "test_margin": tested.value,
        "test_margin_low": tested.low,
        "n_rollouts": better.counts.n_rollouts + worse.counts.n_rollouts + sum(n_tested),
        "is_final_step": chosen is None,
        "rejected_is_final_step": rejected is None,
        "prefix_token_ids": [1, 2],
        "chosen_token_ids": [3],
        "rejected_token_ids": [4],
        "templated_prompt": f"<user>What is {problem}?<assistant>One.\n",
        "is_stable": stable,
        "pass_rate": 0.5,
        "localiser": "labels",
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


def draft_of(rows, facts, shares=None):
    return drafted(DATASET, {"step_preference_pairs": rows}, facts, Parameters(), shares)


def table(*rows):
    return STEP_PREFERENCE_PAIRS.frame(list(rows))


def changed(rows, change):
    return rows.with_columns(**{name: pl.lit(value, rows.schema[name]) for name, value in change.items()})


@pytest.fixture
def pairs():
    return table(*(pair(f"p{number:02d}", stable=number % 4 > 0) for number in range(32)))


def test_the_first_eight_columns_are_those_of_the_published_dataset_all_strings():
    assert tuple(FULL.columns)[:8] == PUBLISHED
    assert {FULL.columns[name].words for name in PUBLISHED} == {"string"}


def test_a_release_holds_every_pair_and_its_view_for_training_the_stable_ones(pairs, facts):
    draft = draft_of(pairs, facts())
    assert [sum(draft.tables[config].rows.values()) for config in ("full", "steps")] == [32, 24]
    assert draft.facts.stages[-1].dropped == {"unstable_boundary": 8}
    for split, frame in draft.tables["steps"].splits.items():
        held = set(draft.tables["full"].splits[split]["templated_prompt"])
        assert set(frame["prompt"]) <= held


def test_a_row_for_training_is_a_templated_prompt_and_two_steps(facts):
    draft = draft_of(table(pair("p", chosen=None)), facts(), ALL_TRAIN)
    assert draft.tables["steps"].splits["train"].rows(named=True) == [
        {
            "prompt": "<user>What is p?<assistant>One.\n",
            "chosen": "Two.\n",
            "rejected": "Three.\n",
            "is_final_step": True,
            "rejected_is_final_step": False,
        }
    ]


def test_without_a_stable_boundary_there_are_whole_solutions_and_no_steps(facts):
    draft = draft_of(table(pair("p", stable=False)), facts(), ALL_TRAIN)
    assert list(draft.tables) == ["full", "default"]


@pytest.mark.parametrize("sides", [{}, {"chosen": None}, {"rejected": None}, {"chosen": None, "rejected": None}])
def test_margins_follow_from_counts_and_ends(sides):
    rows = table(pair("p", **sides))
    assert differing_columns(rows, recompute(rows, Parameters())) == {}


CHANGED = [
    {"chosen_n_correct": 9},
    {"rejected_n_correct": 0},
    {"value_margin": 0.9},
    {"value_margin_low": 0.01},
    {"value_margin_high": 0.99},
    {"chosen_value": 0.7},
    {"rejected_value": 0.0},
    {"test_chosen_n_correct": 3},
    {"test_margin": 0.9},
    {"test_margin_low": 0.1},
]
TEST = [name for name in STEP_PREFERENCE_PAIRS.columns if name.startswith("test_")]


@pytest.mark.parametrize("change", CHANGED)
def test_a_row_that_does_not_follow_from_its_counts_is_refused_by_name(pairs, facts, change):
    rows = pl.concat([pairs.head(31), changed(pairs.tail(1), change)])
    with pytest.raises(SchemaError, match="in 1 of 32 rows, first problem_id p31, attempt_index 1, chosen_index 0: m"):
        draft_of(rows, facts())


def test_a_pair_whose_published_margin_is_below_zero_is_released_as_it_is(facts):
    rows = table(pair("p", chosen=(1, 12), rejected=(3, 12)))
    assert rows["value_margin"].item() < 0 < rows["test_margin_low"].item()
    assert draft_of(rows, facts(), ALL_TRAIN).tables["full"].splits["train"].height == 1


def test_a_pair_of_an_older_stepmill_has_no_figures_of_a_test_and_follows_from_its_counts():
    older = table(pair("p")).drop(TEST).with_columns(pl.lit(24, pl.Int64).alias("n_rollouts"))
    rows = STEP_PREFERENCE_PAIRS.validate(STEP_PREFERENCE_PAIRS.completed(older))
    assert rows.select(pl.col(TEST).is_null().all()).row(0) == (True,) * len(TEST)
    assert differing_columns(rows, recompute(rows, Parameters())) == {}


BROKEN = [
    ({"full_rejected": "", "rejected": ""}, "rejected: not_blank"),
    ({"full_rejected": "Else."}, "full_rejected: begins_with_the_step"),
    ({"rejected": "Two. ", "full_rejected": "Two. So 5."}, "chosen: differs_from_rejected"),
    ({"test_margin_low": -0.1}, "test_margin_low: above_zero"),
    ({"test_rejected_n_correct": 5}, "test_rejected_n_correct: at_most_n_rollouts"),
    ({"n_rollouts": 3}, "n_rollouts: of_both_sides"),
    ({"is_final_step": True}, "is_final_step: takes_no_rollouts"),
    ({"pass_rate": 1.0}, "pass_rate: between_never_and_always"),
    ({"templated_prompt": "?"}, "templated_prompt: ends_with_the_steps"),
    ({"localiser": "guess"}, "localiser: known"),
]


@pytest.mark.parametrize(("change", "rule"), BROKEN)
def test_rows_that_break_a_rule_of_the_table_are_refused(pairs, facts, change, rule):
    with pytest.raises(SchemaError, match=rule):
        draft_of(changed(pairs, change), facts())


def test_the_card_tells_what_to_do_about_the_end_of_text_token(pairs, facts, registry):
    release = registry.publish(draft_of(pairs, facts()))
    card = (release.path / "README.md").read_text()
    for line in (
        "stock trainer appends the end-of-text token to both sides",
        "| release: steps | 24 | 8 unstable_boundary |",
        "(pictures/margins.png)",
        "arXiv:2406.18629",
    ):
        assert line in card
    assert (release.path / "pictures" / "margins.png").read_bytes().startswith(b"\x89PNG")
