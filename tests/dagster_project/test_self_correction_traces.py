from collections import Counter

import polars as pl
import pytest
from upath import UPath

from dagster_project.assets.self_correction_traces import both_origins, law_over, triggers_do_no_harm
from dagster_project.assets.self_correction_traces_release import transition_figures
from dagster_project.corrections_report import marked
from dagster_project.dataset_settings import SelfCorrectionTracesSettings
from dagster_project.settings.file import SettingsError, load_settings
from generators.engine.protocol import Sampling
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from tests.dagster_project.conftest import SETTINGS, metadata_of
from tests.releases.corrected import corrected

NAME = "self_correction_traces"
STAGES = ["problems", "attempts", "process_labels", NAME]
LAW = Sampling(temperature=1.0, seed=1)


def table(settings, asset=NAME, suffix="", slice_key="sums-0"):
    return pl.read_parquet(f"{settings.data_root}/tables/{asset}/r1/{slice_key}{suffix}.parquet")


def shown(made, name):
    """A table of counts or facts in the metadata, by what it names."""
    return {record.data["what"]: record.data.get("rows", record.data.get("value")) for record in made[name].records}


@pytest.fixture
def make_corrections(make):
    """Makes one slice up to the corrections; gives Dagster's result."""

    def run(settings, slice_key="sums-1", run_config=None):
        result = make(settings, "slice", "r1", slice_key, run_config, only=STAGES)
        assert result.success
        return result

    return run


def test_a_round_becomes_a_release_that_verifies_by_its_folder_alone(settings, make, make_corrections):
    for slice_key in settings.slices():
        make_corrections(settings, slice_key)
    made = metadata_of(make(settings, "release", "r1", only=[f"{NAME}_release"]), f"{NAME}_release")
    folder = LocalRegistry(UPath(settings.data_root) / "releases").latest(NAME).path
    report = verify(folder)
    tables = [table(settings, slice_key=key) for key in settings.slices()]
    assert report.findings == ()
    assert report.checks["labels"].n == made["dagster/row_count"] == sum(rows.height for rows in tables) > 0
    assert {origin for rows in tables for origin in rows["origin"]} == {"sampled", "composed"}
    assert "## What stood before a trigger (rows) and behind it (columns)" in made["card"]


def test_responses_begin_as_the_attempts_do_and_every_one_is_a_row_or_has_its_reason(settings, make_corrections):
    make_corrections(settings)
    tried = table(settings, "attempts", slice_key="sums-1").select("problem_id", "attempt_index", "token_ids")
    attempts = {(problem, index): ids for problem, index, ids in tried.iter_rows()}
    responses = table(settings, "deepened_responses", slice_key="sums-1")
    for row in responses.iter_rows(named=True):
        attempt = attempts[row["problem_id"], row["sample_index"]]
        assert row["token_ids"][: row["attempt_ends"][0]] == attempt[: row["attempt_ends"][0]]
    told = pl.concat(
        [
            table(settings, suffix=suffix, slice_key="sums-1").select("problem_id", "attempt_index", "origin")
            for suffix in ("", ".dropped")
        ]
    )
    sampled = told.filter(pl.col("origin") == "sampled").select("problem_id", "attempt_index").rows()
    composed = told.filter(pl.col("origin") == "composed").select("problem_id", "attempt_index").rows()
    labelled = table(settings, "process_labels", slice_key="sums-1").select("problem_id", "attempt_index").rows()
    assert sorted(sampled) == sorted(attempts) == sorted(responses.select("problem_id", "sample_index").rows())
    assert sorted(composed) == sorted(labelled)


def test_the_metadata_tells_what_the_tables_hold(settings, make_corrections):
    made = metadata_of(make_corrections(settings), NAME)
    rows, responses = table(settings, slice_key="sums-1"), table(settings, "deepened_responses", slice_key="sums-1")
    dropped = table(settings, suffix=".dropped", slice_key="sums-1")
    assert shown(made, "origins") == dict(rows.group_by("origin").len().iter_rows())
    assert shown(made, "dropped") == dict(dropped.group_by("reason").len().iter_rows())
    assert sum(shown(made, "transitions").values()) == responses["n_triggers"].sum() > 0
    assert shown(made, "yields")["responses"] == str(responses.height)
    behind = (responses["generated"].list.last() - responses["generated"].list.first()).sum()
    assert shown(made, "cost")["tokens generated behind the first boundary"] == str(behind)
    assert made["tokens_generated"] >= behind
    assert 0 < float(shown(made, "prefill")["saved"]) < 1
    last = [record.data for record in made["success_by_budget"].records if record.data["budget"] == 400]
    alone = table(settings, "attempts", slice_key="sums-1")["is_right"].mean()
    rates = {record["method"]: float(record["pass_rate"]) for record in last}
    assert rates == pytest.approx({"attempts": alone, "with_triggers": responses["is_right"].mean()}, abs=1e-3)
    assert [record.data["method"] for record in made["one_of_several"].records] == ["attempts", "with_triggers"]
    assert "⟦" in made["sample_rows"] and "→ " in made["sample_rows"]


def test_a_second_run_draws_nothing_and_makes_the_same_rows(settings, make, make_corrections):
    make_corrections(settings)
    before = table(settings, slice_key="sums-1")
    again = make(settings, "slice", "r1", "sums-1", only=[NAME])
    assert metadata_of(again, NAME)["rollouts_drawn"] == 0
    assert table(settings, slice_key="sums-1").equals(before)


def test_a_round_without_a_row_fails_its_release_with_a_sentence_that_says_where_to_look(
    settings, make, make_corrections
):
    for slice_key in settings.slices():
        result = make_corrections(settings, slice_key, {"ops": {"attempts": {"config": {"max_tokens": 8}}}})
    assert table(settings).height == 0
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert checks["both_origins"] is False
    (failure,) = make(settings, "release", "r1", only=[f"{NAME}_release"]).get_step_failure_events()
    message = failure.step_failure_data.error.message
    assert "self_correction_traces: round r1 has no row to release; the asset dropped" in message


# transitions of one problem's responses, the bound, and whether triggers do no harm
HARM = [
    ([("right", "right")] * 9 + [("right", "wrong")], 0.1, True),
    ([("right", "right")] * 8 + [("right", "wrong"), ("right", "no_answer")], 0.1, False),
    ([("right", "undecided"), ("wrong", "wrong")], 0.0, True),
    ([("wrong", "right")], 0.0, True),
]


@pytest.mark.parametrize(("moves", "bound", "passed"), HARM)
def test_triggers_do_harm_where_they_break_more_right_answers_than_the_bound(moves, bound, passed):
    asked = SelfCorrectionTracesSettings(max_broken_share=bound)
    assert triggers_do_no_harm(Counter(moves), asked).passed is passed


@pytest.mark.parametrize(
    ("origins", "passed"),
    [(["sampled", "composed"], True), (["sampled"], False), (["composed"] * 2, False), ([], False)],
)
def test_both_origins_want_a_row_of_each(origins, passed):
    assert both_origins(pl.DataFrame({"origin": origins}, schema={"origin": pl.String})).passed is passed


def test_what_stood_before_and_behind_each_trigger_is_counted_over_all_responses():
    chains = [["different", "equal", "equal"], ["no_answer", "equal"], ["equal"]]
    assert transition_figures(pl.DataFrame({"verdicts": chains})) == {
        "no_answer": {"no_answer": 0, "right": 1, "wrong": 0},
        "right": {"no_answer": 0, "right": 1, "wrong": 0},
        "wrong": {"no_answer": 0, "right": 1, "wrong": 0},
    }
    assert transition_figures(pl.DataFrame({"verdicts": [["equal"]]})) == {}


def test_a_row_is_shown_with_its_mask_in_brackets_and_an_arrow_before_every_trigger():
    assert marked(corrected(1, keeps_beginning=True, again=True)) == (
        "Well it ⟦is \\boxed{4}.⟧\n→ Wait!\n⟦No \\boxed{5}.⟧\n→ Wait!\nSo \\boxed{3}."
    )


def test_no_budget_is_above_a_whole_response():
    asked = SelfCorrectionTracesSettings(first_budget=256, max_budget=2048)
    law = law_over(asked, (LAW, 100), examples=(), seed=3)
    assert law.deepening.budgets == (100,)
    roomy = law_over(asked.model_copy(update={"max_tokens": 600}), (LAW, 100), examples=(), seed=3)
    assert roomy.deepening.budgets == (256, 512, 600)
    assert (roomy.deepening.max_tokens, roomy.composition.max_tokens) == (600, 100)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("max_budget = 100", r"max_budget must be at least first_budget \(256\)"),
        ("cap = 2", r"cap must be at least lot \(4\)"),
        ("growth = 1.0", "growth: Input should be greater than 1, got 1.0"),
        ("triggers = []", "triggers: Tuple should have at least 1 item"),
        ('triggers = [" "]', "triggers.0: String should match pattern"),
        ('mask = "all"', "mask: Input should be 'mistake', 'attempt' or 'none', got 'all'"),
        ('at_max = "stop"', "at_max: Input should be 'cut', 'finish' or 'trigger', got 'stop'"),
    ],
)
def test_settings_out_of_bounds_are_named_with_field_and_value(tmp_path, line, message):
    file = tmp_path / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="") + f"[self_correction_traces]\n{line}\n")
    with pytest.raises(SettingsError, match=message):
        load_settings(file)
