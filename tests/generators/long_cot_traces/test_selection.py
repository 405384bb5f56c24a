import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.texts.contamination import DEFAULT_SETTINGS
from filters.texts.passages import passages_of
from generators.long_cot_traces.selection import (
    FILTERS,
    Yields,
    best_of_each,
    least_scores,
    percentile_of,
    rewarded,
    select_long_cot,
    well_formed,
    well_scored,
)

PASSAGES = passages_of([("e", "These are the long and winding words of an example that nobody else would ever write.")])
COPIED = PASSAGES["text"][0]
# problem_id, sample_index, malformed, thoughts, scored_by, score, verdict
VERIFIED = [
    ("a", 0, "truncated", None, "verifier", None, None),
    ("a", 1, None, "I add.", "verifier", 1.0, "equal"),
    ("a", 2, None, "I add twice.", "verifier", 1.0, "equal"),
    ("b", 0, None, "I guess.", "verifier", 0.0, "different"),
    ("b", 1, None, "I say nothing.", "verifier", 0.0, "no_answer"),
    ("b", 2, None, "I write riddles.", "verifier", None, "timeout"),
    ("c", 0, None, COPIED, "verifier", 1.0, "equal"),
    ("c", 1, "no_opening_tag", None, "verifier", None, None),
    ("c", 2, None, "so on and " * 60, "verifier", 1.0, "equal"),
    ("d", 0, None, "I think.", "verifier", 1.0, "equal"),
]
# Eleven scores: the 30th percentile is the fourth of them from below, 0.2; the 0.1 of problem g lies below it.
REWARDED = [
    ("e", 0, None, "One.", "armorm", 0.9, None),
    ("e", 1, None, "Two.", "armorm", 0.9, None),
    ("e", 2, None, "Three.", "armorm", 0.3, None),
    ("f", 0, None, "Four.", "armorm", 0.2, None),
    ("f", 1, None, "Five.", "armorm", 0.2, None),
    ("f", 2, None, "Six.", "armorm", -4.0, None),
    ("g", 0, None, "Seven.", "armorm", 0.1, None),
    ("g", 1, "empty_solution", None, "armorm", None, None),
    ("h", 0, None, "Eight.", "armorm", 0.5, None),
    ("h", 1, None, "Nine.", "armorm", 0.6, None),
    ("h", 2, None, "Ten.", "armorm", 0.0, None),
    ("i", 0, None, "Eleven.", "armorm", 7.0, None),
]
COLUMNS = {
    "problem_id": pl.String,
    "sample_index": pl.Int64,
    "malformed": pl.String,
    "internal_thoughts": pl.String,
    "scored_by": pl.String,
    "score": pl.Float64,
    "verdict": pl.String,
}


def table(rows):
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return frame.with_columns(pl.lit("It is so.").alias("external_solution"))


def kept(rows, percentile=30):
    examples = {"passages": PASSAGES, "near": DEFAULT_SETTINGS}
    least = least_scores(rewarded(table(rows), **examples), percentile)
    return select_long_cot(table(rows), **examples, least=least)


def yields(*selections):
    found = Yields()
    for selection in selections:
        found.add(selection)
    return found.table()


def names(frame):
    return frame.select("problem_id", "sample_index").rows()


def test_of_each_problem_the_first_right_sample_stays():
    assert names(kept(VERIFIED).kept) == [("a", 1), ("d", 0)]


def test_every_stage_says_what_it_dropped_and_why():
    whole, parts = kept(VERIFIED), (kept(VERIFIED[:3]), kept(VERIFIED[3:]))
    assert yields(whole).rows() == yields(*parts).rows()
    assert yields(whole).rows() == [
        ("format", 10, 7, "no_opening_tag: 1, truncated: 1, word_loop: 1"),
        ("examples", 7, 6, "repeats_example: 1"),
        ("score", 6, 3, "no_answer: 1, verdict_timeout: 1, wrong_answer: 1"),
        ("equations", 3, 3, ""),
        ("best", 3, 2, "not_the_best: 1"),
    ]


def test_a_sample_that_states_a_false_equation_and_does_not_take_it_back_is_dropped():
    thoughts = ["2 + 2 = 5", "2 + 2 = 5? No, 4.", "2 + 2 = 4"]
    rows = [(name, 0, None, text, "verifier", 1.0, "equal") for name, text in zip("abc", thoughts, strict=True)]
    selected = kept(rows)
    assert names(selected.kept) == [("b", 0), ("c", 0)]
    assert selected.dropped.select("stage", "reason").rows() == [("equations", "false_equation")]


TOLD_TWICE = [
    ("2 + 2 = 4\nThe answer is 4.", "2 + 2 = 4\nThe answer is 4.", False),
    ("The answer is 4.", "2 + 2 = 4 \n\n The answer is 4.", False),
    ("2 + 2 = 4\nCheck: 4 - 2 = 2\nThe answer is 4.", "2 + 2 = 4\nThe answer is 4.", True),
    ("2 + 2 = 4", "The answer is 4.", True),
]


@pytest.mark.parametrize(("thoughts", "solution", "is_kept"), TOLD_TWICE)
def test_thoughts_must_say_something_that_the_solution_does_not(thoughts, solution, is_kept):
    rows = table([("a", 0, None, thoughts, "verifier", 1.0, "equal")])
    judged = well_formed(rows.with_columns(external_solution=pl.lit(solution)))
    assert judged.kept.height == is_kept
    assert judged.dropped["reason"].to_list() == ([] if is_kept else ["thoughts_in_solution"])


def test_a_reward_is_cut_at_the_percentile_of_all_scores_then_the_best_of_each_problem_stays():
    selection = kept(REWARDED)
    assert names(selection.kept) == [("e", 0), ("f", 0), ("h", 1), ("i", 0)]
    reasons = {row[:2]: row[2] for row in selection.dropped.select("problem_id", "sample_index", "reason").rows()}
    below = {name for name, reason in reasons.items() if reason == "below_percentile"}
    assert below == {("f", 2), ("g", 0), ("h", 2)}
    assert yields(selection)["stayed"].to_list() == [11, 11, 8, 8, 4]


def test_another_percentile_cuts_elsewhere():
    assert len(names(kept(REWARDED, percentile=0).kept)) == 5
    assert names(kept(REWARDED, percentile=75).kept) == [("e", 0), ("i", 0)]


def test_verified_samples_shift_no_percentile_of_a_reward_model():
    alone, together = kept(REWARDED).kept, kept(VERIFIED + REWARDED).kept
    assert names(together) == [("a", 1), ("d", 0), *names(alone)]


def test_each_reward_model_has_its_own_percentile():
    scored = table(REWARDED).filter(pl.col("score").is_not_null())
    other = scored.with_columns(pl.lit("other").alias("scored_by"), pl.col("score") * 100)
    models = pl.concat([scored, other])
    both = well_scored(models, least=least_scores(models, 30)).kept
    assert both["scored_by"].value_counts().sort("scored_by")["count"].to_list() == [8, 8]


def test_nothing_comes_of_nothing():
    selection = kept([])
    assert selection.kept.is_empty() and selection.dropped.is_empty()
    assert yields(selection).rows() == [(stage, 0, 0, "") for stage in FILTERS]


@pytest.mark.parametrize(
    ("percentile", "scores", "least"),
    [
        (30, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 4),
        (30, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 3),
        (50, [1, 2, 3], 2),
        (0, [3, 1, 2], 1),
        (30, [5], 5),
        (30, [0, 0, 0, 0, 1], 0),
        (99, [1, 2], 2),
        (7, list(range(101)), 7),
        (1, [1, 2], 1),
        (30, [1, 2, 3], 1),
        (34, [1, 2, 3], 2),
    ],
)
def test_a_percentile_is_a_score_that_occurs(percentile, scores, least):
    assert percentile_of(scores, percentile) == least


SCORES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3, 3)), min_size=1, max_size=30)


@given(SCORES, st.integers(0, 99))
def test_a_cut_drops_at_most_its_share_and_only_what_is_worse(drawn, percentile):
    rows = [(name, n, None, "t", "model", float(score), None) for n, (name, score) in enumerate(drawn)]
    cut = well_scored(table(rows), least=least_scores(table(rows), percentile))
    assert cut.dropped.height <= percentile * len(rows) / 100
    if cut.dropped.height:
        assert cut.dropped["score"].max() < cut.kept["score"].min()


@given(SCORES)
def test_the_best_of_each_is_one_row_that_no_other_exceeds(drawn):
    rows = table([(name, n, None, "t", "model", float(score), None) for n, (name, score) in enumerate(drawn)])
    best = best_of_each(rows, within="problem_id", score="score", index="sample_index").kept
    assert sorted(best["problem_id"]) == sorted({name for name, _ in drawn})
    for name, index, score in best.select("problem_id", "sample_index", "score").iter_rows():
        of = [(value, -n) for n, (problem, value) in enumerate(drawn) if problem == name]
        assert (score, -index) == max(of)
