"""From a table of corrections to its release: what is derived, what is refused, what trl trains on."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from filters.schema import SchemaError
from generators.dataset import MoreFacts, Parameters
from generators.rows import Rows
from generators.self_correction_traces.dataset import DATASET
from generators.self_correction_traces.release import TOKENS, TRANSITIONS, more_facts, transition_figures
from generators.self_correction_traces.table import SELF_CORRECTION_TRACES
from releases.drafting import drafted
from releases.splits import SplitShares
from tests.releases.corrected import TRIGGER, corrected, corrections
from tests.releases.forgery import with_cell

ROOT = str(Path(__file__).parents[2])
ALL_TRAIN = SplitShares(test=0.0)

TRAIN = """
import json, sys
from pathlib import Path
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer
from tests.tiny_policy import tiny_policy

folder = tiny_policy(Path(sys.argv[2]), vocabulary=128)
tokenizer = AutoTokenizer.from_pretrained(folder, eos_token="0")
trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_pretrained(folder),
    args=SFTConfig(output_dir=sys.argv[2], report_to=[], use_cpu=True, bf16=False),
    train_dataset=load_dataset("self_correction_traces/v0.1.0", "tokens", split="train"),
    processing_class=tokenizer,
)
prepared = trainer.train_dataset.select_columns(["input_ids", "labels"]).to_list()
batch = trainer.data_collator(prepared)
json.dump({"prepared": prepared, "labels": batch["labels"].tolist()}, open(sys.argv[1], "w"))
"""


@pytest.fixture(scope="module")
def rows():
    return corrections()


def output_of(program, registry, folder):
    """What a program in a process of its own writes of the released version."""
    environment = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin:/bin", "PYTHONPATH": ROOT}
    command = [sys.executable, "-W", "ignore", "-c", program, str(folder / "output.json"), str(folder / "model")]
    done = subprocess.run(command, cwd=registry.root.path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "output.json").read_text())


def draft_of(rows, facts, shares=None):
    return drafted(DATASET, {"self_correction_traces": rows}, facts, Parameters(), shares)


def table(*rows):
    return SELF_CORRECTION_TRACES.frame(list(rows))


def test_the_prompt_ends_with_the_last_masked_character_and_the_completion_is_the_mending(facts):
    mended, given = "\nWait!\nSo \\boxed{7}.", "What is 5 + 2?\nWell it is \\boxed{8}."
    again = corrected(6, again=True)
    unmasked = corrected(3) | {"masked_starts": [], "masked_ends": [], "masked_token_starts": []}
    unmasked |= {"masked_token_ends": [], "loss_mask": [1] * len(unmasked["token_ids"])}
    unstable = corrected(1) | {"is_stable": False}
    draft = draft_of(table(corrected(5, keeps_beginning=True), again, unmasked, unstable), facts(), ALL_TRAIN)
    ready = {row["prompt"]: row["completion"] for row in draft.tables["default"].splits["train"].to_dicts()}
    assert ready == {
        given: mended,
        f"What is 6 + 2?\n{again['text'].rpartition(TRIGGER)[0]}": f"{TRIGGER}So \\boxed{{8}}.",
        "What is 3 + 2?\n": unmasked["text"],
    }
    assert draft.facts.stages[-3].dropped == {"unstable_boundary": 1}


def test_a_row_for_training_is_the_whole_chat_in_tokens_with_labels_on_what_is_learnt(facts):
    row = corrected(5, keeps_beginning=True)
    ((name, ready),) = draft_of(table(row), facts(), ALL_TRAIN).tables["tokens"].splits.items()
    assert row["text"] == "Well it is \\boxed{8}.\nWait!\nSo \\boxed{7}."
    assert (name, ready.rows(named=True)) == (
        "train",
        [
            {
                "input_ids": [7, 8, 100, 101, 102, 103, 104, 105, 106],
                "attention_mask": [1] * 9,
                "labels": [-100, -100, 100, 101, -100, -100, 104, 105, 106],
            }
        ],
    )


BROKEN = [
    ([1], "labels: one_per_token"),
    ([-100, 3], "labels: the_token_or_ignored"),
    ([-100, -100], "labels: something_to_learn"),
]


@pytest.mark.parametrize(("labels", "rule"), BROKEN)
def test_labels_are_tokens_or_ignored_and_not_all_ignored(labels, rule):
    frame = pl.DataFrame({"input_ids": [[1, 2]], "attention_mask": [[1, 1]], "labels": [labels]})
    with pytest.raises(SchemaError, match=rule):
        TOKENS.validate(frame)


def test_a_release_counts_both_origins_by_split(rows, facts):
    draft = draft_of(rows, facts(), SplitShares(test=0.3))
    counted = [sum(counts[origin] for counts in draft.label_counts.values()) for origin in ("sampled", "composed")]
    assert counted == [8, 8]
    assert draft.tables["tokens"].rows == draft.tables["full"].rows
    assert len(draft.label_counts) == 2


# a row, what is changed in it, and which column does not follow then
FORGED = [
    (corrected(1), {"loss_mask": [0, 0, 0, 1, 1, 1, 1]}, "loss_mask"),
    (corrected(1), {"masked_starts": [2]}, "masked_starts"),
    (corrected(1), {"masked_ends": [5]}, "masked_ends"),
    (corrected(1), {"masked_token_ends": [3]}, "masked_token_ends"),
    (corrected(1, keeps_beginning=True), {"masked_starts": [0]}, "masked_starts"),
    (corrected(1, keeps_beginning=True), {"masked_token_starts": [1]}, "loss_mask"),
    (corrected(1, again=True), {"masked_token_starts": [0, 4]}, "masked_token_starts"),
    (corrected(1), {"attempts": ["It is \\boxed{4}.", "So \\boxed{3}."]}, "text"),
    (corrected(1), {"triggers": ["\nStop!\n"]}, "text"),
    (corrected(1), {"messages": corrected(2)["messages"][:2] + corrected(1)["messages"][2:]}, "messages"),
]


@pytest.mark.parametrize(("row", "change", "column"), FORGED)
def test_a_row_whose_columns_do_not_follow_from_its_parts_is_refused_by_name(facts, row, change, column):
    complaint = rf"\b{column}\b.* of config full do not follow from the others in 1 of 1 rows, first problem_id"
    with pytest.raises(SchemaError, match=complaint):
        draft_of(table(row | change), facts())


@pytest.mark.parametrize(
    "spans",
    [
        {"masked_starts": [], "masked_ends": [], "masked_token_starts": [], "masked_token_ends": []},
        {"masked_starts": [0], "masked_ends": [41], "masked_token_starts": [0], "masked_token_ends": [7]},
    ],
    ids=["none", "attempt"],
)
def test_rows_under_every_mask_follow_from_their_parts(facts, spans):
    row = corrected(1, again=True)
    n_masked = sum(spans["masked_token_ends"])
    row |= spans | {"loss_mask": [0] * n_masked + [1] * (len(row["token_ids"]) - n_masked)}
    assert row["text"][41:].startswith("\nWait!\nSo")
    assert draft_of(table(row), facts()).tables["full"].schema.name.endswith("full")


ORDER = [
    (["equal", "equal"], "verdicts: right_at_the_end_alone"),
    (["different", "different"], "verdicts: right_at_the_end_alone"),
    (["no_answer", "equal"], "verdicts: wrong_before_it_where_sampled"),
]


@pytest.mark.parametrize(("verdicts", "rule"), ORDER)
def test_a_row_that_is_not_wrong_before_and_right_after_the_trigger_is_refused(rows, facts, verdicts, rule):
    place = rows.with_row_index().filter(pl.col("origin") == "sampled", pl.col("n_triggers") == 1)["index"][0]
    with pytest.raises(SchemaError, match=rule):
        draft_of(with_cell(rows, place, "verdicts", verdicts), facts())


def test_the_card_has_origins_transitions_limits_and_the_paper(rows, facts, registry):
    counts = {"wrong": {"right": 3, "wrong": 5}, "right": {"right": 7, "wrong": 1}}
    draft = draft_of(rows, facts(figures={"What the triggers did": counts}))
    card = (registry.publish(draft).path / "README.md").read_text()
    for line in (
        "| split | sampled | composed |",
        "## What the triggers did\n\n| | right | wrong |\n|---|---|---|\n| right | 7 | 1 |\n| wrong | 3 | 5 |",
        "A weak policy's corrections often show no insight",
        "| release: tokens | 16 | 0 |",
        "arXiv:2502.05449",
    ):
        assert line in card


class RoundOf:
    """A round whose deepened responses are given."""

    key = "r1"

    def __init__(self, *verdicts):
        self.verdicts = list(verdicts)

    def rows(self, name):
        assert name == "deepened_responses"
        return Rows.of(pl.DataFrame({"verdicts": self.verdicts}))


def test_triggers_are_counted_over_all_responses_by_the_answers_before_and_after_them():
    chains = [["different", "equal", "equal"], ["no_answer", "equal"], ["equal"]]
    figures = {
        "no_answer": {"no_answer": 0, "right": 1, "wrong": 0},
        "right": {"no_answer": 0, "right": 1, "wrong": 0},
        "wrong": {"no_answer": 0, "right": 1, "wrong": 0},
    }
    assert transition_figures(pl.DataFrame({"verdicts": chains})) == figures
    assert more_facts(RoundOf(*chains), Rows.of(pl.DataFrame()), {}) == MoreFacts(figures={TRANSITIONS: figures})
    assert more_facts(RoundOf(["equal"]), Rows.of(pl.DataFrame()), {}) == MoreFacts()


def test_trl_trains_on_the_rows_as_they_are_and_only_on_what_is_learnt(rows, facts, registry, tmp_path):
    draft = draft_of(rows, facts(), ALL_TRAIN)
    registry.publish(draft)
    output = output_of(TRAIN, registry, tmp_path)
    ready = draft.tables["tokens"].splits["train"].select("input_ids", "labels").to_dicts()
    longest = max(len(row["labels"]) for row in ready)
    assert output["prepared"] == ready
    assert output["labels"] == [row["labels"] + [-100] * (longest - len(row["labels"])) for row in ready]
