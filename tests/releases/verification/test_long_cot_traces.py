from dataclasses import replace

import pytest

from releases.verification.verify import verify
from tests.releases.forgery import with_manifest, with_value
from tests.releases.long_cot_rows import draft_of, rewarded, tables

TRACES = "data/full/train-00000-of-00001.parquet"
PAIRS = "data/full_pairs/train-00000-of-00001.parquet"


def findings(folder):
    return [(name, str(finding)) for name, checked in verify(folder).checks.items() for finding in checked.findings]


@pytest.fixture(scope="module")
def draft(facts):
    return draft_of(facts, *tables())


def test_traces_and_both_sides_of_pairs_are_checked(draft, folder_of):
    report = verify(folder_of(draft))
    assert (report.checks["labels"].n, report.checks["answers"].n) == (16 + 8, 16 + 8 + 4)


def test_pairs_for_training_without_those_that_they_follow_from_are_named(draft, folder_of):
    tables = {name: table for name, table in draft.tables.items() if name != "full_pairs"}
    named = [said for name, said in findings(folder_of(replace(draft, tables=tables))) if name == "labels"]
    assert any(said.endswith("no row of pairs/train follows from full_pairs") for said in named)


def test_problems_without_answers_pass_where_a_reward_model_scored_and_no_answer_is_verified(facts, folder_of):
    report = verify(folder_of(draft_of(facts, *rewarded())))
    assert report.findings == ()
    assert (report.checks["labels"].n, report.checks["answers"].n) == (16 + 16, 0)


@pytest.mark.parametrize(
    ("config", "column", "value"),
    [
        ("full", "scored_by", "verifier"),
        ("full_pairs", "scored_by", "verifier"),
        ("full", "answer", "4"),
        ("full", "verdict", "equal"),
    ],
)
def test_a_blank_answer_that_a_verifier_is_said_to_have_scored_is_named(facts, folder_of, config, column, value):
    draft = draft_of(facts, *rewarded())
    named = findings(folder_of(with_value(draft, config, "train", 1, column, value)))
    place = f"{TRACES if config == 'full' else PAIRS}, row 1, column "
    assert [said for name, said in named if name == "rules" and said.startswith(place)]


# config, column, what it is changed to, and the check that names it there
FAULTS = [
    ("full", "score", 0.0, "labels"),
    ("full", "behaviour_starts", [0, 1], "labels"),
    ("full", "verdict", "different", "rules"),
    ("full", "extracted", "99", "answers"),
    ("full", "external_solution", "It is \\boxed{99}.", "labels"),
    ("full", "external_solution", "It is \\boxed{99}.", "answers"),
    ("full", "thoughts_closed_by", "recipe", "rules"),
    ("full", "answer", "", "rules"),
    ("full", "scored_by", "armorm", "rules"),
    ("full_pairs", "answer", "", "rules"),
    ("full_pairs", "scored_by", "armorm", "rules"),
    ("full_pairs", "chosen_thoughts_closed_by", "recipe", "labels"),
    ("full_pairs", "reward_margin", 3.0, "rules"),
    ("full_pairs", "chosen_reward", 2.5, "rules"),
    ("full_pairs", "rejected_malformed", "empty_solution", "labels"),
    ("full_pairs", "answer", "99", "answers"),
    ("full_pairs", "chosen", [{"role": "assistant", "content": "<think>\na\n</think>\n\n\\boxed{99}"}], "answers"),
]


@pytest.mark.parametrize(("config", "column", "value", "check"), FAULTS)
def test_a_changed_value_is_named_by_its_place(draft, folder_of, config, column, value, check):
    named = findings(folder_of(with_value(draft, config, "train", 1, column, value)))
    place = f"{TRACES if config == 'full' else PAIRS}, row 1, column "
    assert [said for name, said in named if name == check and said.startswith(place)]


def test_a_pair_whose_sides_are_worth_the_other_way_round_is_named_by_all_that_follows(draft, folder_of):
    changed = with_value(draft, "full_pairs", "train", 0, "chosen_score", 0.0)
    ((check, said),) = findings(folder_of(changed))
    assert check == "labels"
    assert said == f"{PAIRS}, row 0, column chosen_score: it is 0.0, it must be 1.0 by recomputation"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda export: export["makings"].clear(), "settings.export.makings lacks the slice sums-0, which has rows"),
        (lambda export: export.pop("makings"), "settings.export lacks what the rows are derived with"),
    ],
)
def test_a_manifest_without_what_rows_are_derived_with_is_named(draft, folder_of, change, complaint):
    folder = with_manifest(folder_of(draft), lambda manifest: change(manifest["facts"]["settings"]["export"]))
    assert any(complaint in said for check, said in findings(folder) if check == "labels")
