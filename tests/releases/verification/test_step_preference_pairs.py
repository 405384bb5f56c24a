"""In a release of step pairs a changed margin, a changed text and a changed row for training are named."""

from dataclasses import replace

import pytest

from filters.widths import short
from generators.problems.loading import problem_id
from generators.step_preference_pairs.table import STEP_PREFERENCE_PAIRS
from releases.splits import SplitShares
from releases.verification.verify import verify
from tests.releases.forgery import with_value
from tests.releases.test_step_preference_pairs import draft_of, pair

SHARD = "data/full/train-00000-of-00001.parquet"


def true_pair(number):
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    full = {"full_chosen": f"Two.\nSo \\boxed{{{answer}}}.", "full_rejected": f"Three.\nSo \\boxed{{{number}}}."}
    return pair(problem_id(prompt, answer), stable=number != 1) | {"prompt": prompt, "answer": answer, **full}


@pytest.fixture
def draft(facts):
    rows = STEP_PREFERENCE_PAIRS.frame([true_pair(number) for number in range(12)])
    return draft_of(rows, facts(), SplitShares(test=0.3))


def found(folder):
    return [(name, str(one)) for name, checked in verify(folder).checks.items() for one in checked.findings]


def test_a_changed_margin_is_named(draft, folder_of):
    margin = draft.tables["full"].splits["train"]["value_margin"][3]
    ((check, said),) = found(folder_of(with_value(draft, "full", "train", 3, "value_margin", 0.9)))
    assert check == "labels"
    assert said == f"{SHARD}, row 3, column value_margin: it is 0.9, it must be {short(margin)!r} by recomputation"


def test_counts_whose_margin_breaks_a_rule_are_findings_and_stop_nothing(draft, folder_of):
    row = draft.tables["full"].splits["train"]["is_final_step"].to_list().index(False)
    findings = found(folder_of(with_value(draft, "full", "train", row, "chosen_n_correct", 0)))
    assert {check for check, _ in findings} == {"labels"}
    assert any(f"row {row}, column value_margin: " in finding for _, finding in findings)


@pytest.mark.parametrize(
    ("column", "text", "verdicts"),
    [
        ("full_chosen", "Two.\nSo \\boxed{99}.", ("equal", "different")),
        ("full_rejected", "Three.\nSo.", ("different", "no_answer")),
    ],
)
def test_a_solution_that_ends_otherwise_than_its_side_says_is_named(draft, folder_of, column, text, verdicts):
    forged = with_value(draft, "full", "train", 0, column, text)
    stated, verified = verdicts
    labels, (check, told) = found(folder_of(forged))
    side = column.removeprefix("full_")
    assert labels[1].startswith(f"data/default/train-00000-of-00001.parquet, row 0, column {side}: item 0 is ")
    assert check == "answers"
    assert told.startswith(f"{SHARD}, row 0, column {column}: it is {stated};")
    assert told.endswith(verified)


def test_a_changed_row_for_training_is_named(draft, folder_of):
    told = found(folder_of(with_value(draft, "steps", "train", 0, "is_final_step", True)))
    assert told == [
        (
            "labels",
            "data/steps/train-00000-of-00001.parquet, row 0, column is_final_step: it is True, it must be False by "
            "recomputation",
        )
    ]


def test_a_manifest_without_the_shares_of_the_splits_is_named(draft, folder_of):
    lacking = replace(draft, facts=replace(draft.facts, settings={}))
    assert {check for check, said in found(folder_of(lacking)) if "lacks the shares of the splits" in said} == {
        "labels",
        "splits",
    }
