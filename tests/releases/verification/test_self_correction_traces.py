"""In a release of self-corrections a single fault is found with its row and column."""

from dataclasses import replace

import pytest
from upath import UPath

from generators.dataset import Parameters
from generators.self_correction_traces.dataset import DATASET
from releases.drafting import drafted
from releases.splits import SplitShares
from releases.verification.verify import verify
from tests.releases.corrected import corrections
from tests.releases.forgery import alone, with_cell

SHARD = "data/full/train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def draft(facts):
    tables = {"self_correction_traces": corrections()}
    return drafted(DATASET, tables, facts(), Parameters(), SplitShares(test=0.3))


def test_every_row_and_every_answer_of_a_row_are_checked(draft, folder_of):
    report = verify(folder_of(draft))
    assert report.checks["labels"].n == 16
    assert report.checks["answers"].n == sum(len(verdicts) for verdicts in corrections()["verdicts"])


def changed(draft, config, row, column, value):
    table = draft.tables[config]
    train = with_cell(table.splits["train"], row, column, value)
    return replace(draft, tables={**draft.tables, config: replace(table, splits={**table.splits, "train": train})})


def flipped(row):
    return [1 - row["loss_mask"][0], *row["loss_mask"][1:]]


# what is changed of a row, how, the check that finds it, and what is said
FAULTS = [
    ("full", "loss_mask", flipped, "labels", "column loss_mask: item 0 is "),
    (
        "full",
        "masked_ends",
        lambda row: [row["masked_ends"][0] - 1, *row["masked_ends"][1:]],
        "labels",
        "masked_ends",
    ),
    (
        "full",
        "verdicts",
        lambda row: ["different", *row["verdicts"][1:]],
        "answers",
        "column verdicts: it is different",
    ),
    (
        "full",
        "answers",
        lambda row: ["0", *row["answers"][1:]],
        "answers",
        "column answers: it is '0', the text ends in",
    ),
    ("tokens", "labels", lambda row: [row["input_ids"][0], *row["labels"][1:]], "labels", "column labels: item 0 is "),
]


@pytest.mark.parametrize(("config", "column", "change", "check", "said"), FAULTS)
def test_one_fault_is_found_with_its_row_and_column(draft, folder_of, tmp_path, config, column, change, check, said):
    train = draft.tables["full"].splits["train"]
    row = next(n for n, one in enumerate(train.iter_rows(named=True)) if one["origin"] == "composed")
    value = change(draft.tables[config].splits["train"].row(row, named=True))
    folder = alone(folder_of(changed(draft, config, row, column, value)), UPath(tmp_path / "alone"))
    (finding,) = verify(folder).findings
    ((name, _),) = [(name, one) for name, checked in verify(folder).checks.items() for one in checked.findings]
    assert (name, finding.row) == (check, row)
    assert finding.file == SHARD.replace("full", config)
    assert said in str(finding)
