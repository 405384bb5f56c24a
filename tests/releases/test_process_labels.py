"""From the asset's rows to the draft: configs, splits, what is left out, what is refused."""

import polars as pl
import pytest

from filters.schema import SchemaError
from generators.process_labels.table import PROCESS_LABELS
from releases.errors import NothingToRelease
from releases.process_labels import DEFAULT, MEANINGS, STEPWISE, Export, build_process_labels
from releases.splits import SplitShares
from tests.releases.conftest import EXPORT


def test_every_column_of_the_asset_is_published_with_a_meaning():
    assert {*MEANINGS, "values"} == set(PROCESS_LABELS.columns)


def test_rows_come_sorted_whatever_their_order(rows, facts):
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=1)
    assert build_process_labels(shuffled, facts()).content == build_process_labels(rows, facts()).content


def test_a_solution_with_an_unlabelled_step_is_left_out_of_stepwise_and_counted(rows, facts):
    draft = build_process_labels(rows, facts())
    full, stepwise = (sum(draft.tables[config].rows.values()) for config in ("default", "stepwise"))
    assert (full, stepwise) == (32, 24)
    assert draft.facts.stages[-2].dropped == {"undecided_step": 8}


def test_stepwise_rows_are_prompt_steps_and_labels(table, facts):
    draft = build_process_labels(table(([4, 0], [4, 4])), facts(), Export(shares=SplitShares(test=0.0)))
    assert draft.tables["stepwise"].splits["train"].rows(named=True) == [
        {"prompt": "What is p00?", "completions": ["Step 0.", "Step 1."], "labels": [True, False]}
    ]


def test_truncated_rows_end_with_the_first_error(table, facts):
    rows = table(([4, 0, 2], [4, 4, 4]), ([4, 4], [4, 4]))
    draft = build_process_labels(rows, facts(), Export(shares=SplitShares(test=0.0)))
    shown = draft.tables["truncated"].splits["train"]
    assert shown["completions"].to_list() == [["Step 0.", "Step 1."], ["Step 0.", "Step 1."]]
    assert shown["labels"].to_list() == [[True, False], [True, True]]


def judged(rows, *said):
    """The rows with what a judge said of each: an index, an outcome that names none, or None where it was off."""
    return rows.with_columns(
        pl.Series("judge_first_error", [one if isinstance(one, int) else None for one in said], dtype=pl.Int64),
        pl.Series(
            "judge_outcome", ["judged" if isinstance(one, int) else one for one in said], dtype=pl.String, strict=True
        ),
        pl.Series("judge", [None if one is None else "judge" for one in said], dtype=pl.String),
    )


def test_consensus_holds_the_truncated_rows_on_which_labels_and_judge_agree(table, facts):
    rows = table(
        ([4, 0, 2], [4, 4, 4]), ([4, 4], [4, 4]), ([4, 0], [4, 4]), ([4, 4], [4, 4]), ([0, 0], [0, 0]), ([4, 0], [4, 4])
    )
    said = (1, -1, 0, "no_verdict", 1, None)
    draft = build_process_labels(judged(rows, *said), facts(), Export(shares=SplitShares(test=0.0)))
    assert draft.tables["consensus"].splits["train"].rows(named=True) == [
        {"prompt": "What is p00?", "completions": ["Step 0.", "Step 1."], "labels": [True, False]},
        {"prompt": "What is p01?", "completions": ["Step 0.", "Step 1."], "labels": [True, True]},
    ]
    stage = draft.facts.stages[-1]
    assert (stage.name, stage.kept) == ("release: consensus", 2)
    assert stage.dropped == {"judge_disagrees": 1, "judge_no_verdict": 1, "label_not_sure": 1, "no_judge": 1}
    assert "2501.07301" in [paper.arxiv for paper in draft.about.papers]


def test_a_judge_that_names_nothing_leaves_its_yield_but_no_config(table, facts):
    draft = build_process_labels(judged(table(([4, 0], [4, 4])), "failed"), facts(), Export())
    assert "consensus" not in draft.tables
    assert (draft.facts.stages[-1].kept, draft.facts.stages[-1].dropped) == (0, {"judge_no_verdict": 1})


def test_without_a_judge_nothing_is_said_of_one(draft):
    assert "consensus" not in draft.tables
    assert [stage.name for stage in draft.facts.stages[-2:]] == ["release: stepwise", "release: truncated"]
    assert "2501.07301" not in [paper.arxiv for paper in draft.about.papers]


def test_values_that_do_not_follow_from_the_counts_are_refused(rows, facts):
    changed = rows.with_columns(pl.col("values").list.eval(pl.element() * 0.5))
    with pytest.raises(SchemaError, match="do not follow from the counts in 24 of 32 rows"):
        build_process_labels(changed, facts())


def test_soundness_without_its_priors_is_refused_with_the_slice(rows, facts):
    sure = rows.with_columns(pl.col("values").list.eval(pl.lit(1.0)).alias("sound"))
    with pytest.raises(SchemaError, match="the recipe of slice sums-0 holds no priors"):
        build_process_labels(sure, facts())


def test_an_empty_split_and_an_empty_config_are_left_out(table, facts):
    draft = build_process_labels(table(([4, 0], [4, 0])), facts(), Export(shares=SplitShares(test=0.0)))
    assert {config: list(table.splits) for config, table in draft.tables.items()} == {"default": ["train"]}


def test_rows_without_a_single_label_still_make_a_release(table, facts, registry):
    release = registry.publish(build_process_labels(table(([0], [0])), facts(), Export(shares=SplitShares(test=0.0))))
    assert release.rows == {"default": {"train": 1}}


def test_both_configs_put_a_problem_on_the_same_side(draft):
    for split, frame in draft.tables["stepwise"].splits.items():
        assert set(frame["prompt"]) <= set(draft.tables["default"].splits[split]["prompt"])


def test_threshold_and_shares_are_told_in_the_settings(rows, facts):
    draft = build_process_labels(rows, facts(), Export(hard_threshold=0.25, shares=SplitShares(test=0.2)))
    assert draft.facts.settings["export"] == {
        "hard_threshold": 0.25,
        "confidence": 0.94,
        "label_ratio": None,
        "priors": {},
        "validation": 0.0,
        "test": 0.2,
    }


def test_what_the_manifest_keeps_of_an_export_gives_it_back(true_draft, registry):
    registry.publish(true_draft)
    assert Export.of(registry.manifest("process_labels", "v0.1.0").facts) == EXPORT


def test_an_equal_table_makes_an_equal_picture(rows, facts):
    first, second = (build_process_labels(rows, facts()).pictures[0].png for _ in range(2))
    assert first.startswith(b"\x89PNG") and first == second


def test_no_rows_are_no_release(rows, facts):
    with pytest.raises(NothingToRelease, match="there are no rows to release"):
        build_process_labels(rows.clear(), facts())


BROKEN = [
    (pl.col("n_correct") + 9, "n_correct: at_most_n_rollouts"),
    (pl.col("steps").list.head(1), "one_per_step"),
    (pl.lit("p00").alias("problem_id"), "unique_key"),
    (pl.lit(None, pl.String).alias("prompt"), "prompt: no_nulls"),
]


@pytest.mark.parametrize(("change", "rule"), BROKEN)
def test_rows_that_break_the_assets_schema_are_refused(rows, facts, change, rule):
    with pytest.raises(SchemaError, match=rule):
        build_process_labels(rows.with_columns(change), facts())


def test_a_published_table_names_the_column_that_is_off(draft):
    released = draft.tables["default"].splits["train"]
    with pytest.raises(SchemaError, match="column first_error must be"):
        DEFAULT.validate(released.with_columns(pl.col("first_error").cast(pl.Float64)))
    with pytest.raises(SchemaError, match="column soft_labels is missing"):
        DEFAULT.validate(released.drop("soft_labels"))
    with pytest.raises(SchemaError, match="rule soft_labels: one_per_step is broken in"):
        DEFAULT.validate(released.with_columns(pl.col("soft_labels").list.head(1)))
    with pytest.raises(SchemaError, match="column labels holds a null in 1 of 1 rows, first row 0"):
        STEPWISE.validate(pl.DataFrame({"prompt": ["p"], "completions": [["a"]], "labels": [[None]]}, schema=_STEPWISE))


_STEPWISE = {"prompt": pl.String, "completions": pl.List(pl.String), "labels": pl.List(pl.Boolean)}


def test_one_label_is_at_most_so_many_times_as_frequent_as_the_other_in_what_is_trained_on(table, facts):
    rows = table(([4, 0], [4, 4]), *[([4, 4], [4, 4])] * 6)
    export = Export(label_ratio=2.0, shares=SplitShares(test=0.0))
    draft = build_process_labels(rows, facts(), export)
    labels = draft.tables["stepwise"].splits["train"]["labels"].explode()
    assert 0 < labels.sum() <= 2 * (~labels).sum()
    assert draft.facts.stages[-2].dropped == {"frequent_label": 6}
    assert draft.tables["default"].rows == {"train": 7}
