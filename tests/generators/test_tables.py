import polars as pl
import pytest

from filters.schema import Column, Schema, SchemaError
from generators.attempts.table import ATTEMPTS
from generators.problems.table import PROBLEM_DIFFICULTY, PROBLEMS
from generators.process_labels.table import PROCESS_LABELS
from generators.search.tree_table import SEARCH_TREES

PROBLEM = {"problem_id": "a", "source": "s", "prompt": "2+2?", "answer": "4", "also_accepted": [], "level": None}
ATTEMPT = {
    "problem_id": "a",
    "source": "s",
    "attempt_index": 0,
    "prompt_token_ids": [1],
    "token_ids": [2, 3],
    "text": "4",
    "finish_reason": "eos",
    "verdict": "equal",
    "extracted": "4",
    "found_by": "box",
    "is_right": True,
    "sampling": "{}",
    "max_tokens": 8,
    "policy": "p",
    "round": "r",
    "slice": "s-0",
}
LABELLED = {
    **PROBLEM,
    "attempt_index": 0,
    "prompt_token_ids": [1],
    "token_ids": [2, 3, 4],
    "steps": ["a", "b"],
    "step_ends": [1, 3],
    "n_correct": [2, 0],
    "n_rollouts": [4, 3],
    "n_undecided": [0, 1],
    "n_no_answer": [1, 0],
    "n_further": [0, 2],
    "node_ids": ["n1", "n2"],
    "n_attempts": 8,
    "n_attempts_right": 5,
    "values": [0.5, None],
    "values_low": [0.1, 0.0],
    "values_high": [0.9, 1.0],
    "sound": [0.9, 0.1],
    "stop_reasons": ["sure", "own_outcome"],
    "false_equations": [None, "1 + 1 = 3"],
    "verdict": "different",
    "extracted": None,
    "found_by": None,
    "strategy": "sequential_test",
    "judge_first_error": 1,
    "judge_outcome": "judged",
    "judge": "j",
    "policy": "p",
    "round": "r",
    "slice": "s-0",
}
UNJUDGED = {"judge_first_error": None, "judge_outcome": None, "judge": None}
NODE = {
    "problem_id": "a",
    "node_id": "n1",
    "parent_id": "n0",
    "depth": 1,
    "token_ids": [2],
    "text": "a",
    "is_end": False,
    "n_correct": 2,
    "n_rollouts": 4,
    "n_undecided": 1,
    "n_no_answer": 2,
    "policy": "p",
    "round": "r",
    "slice": "s-0",
}


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (PROBLEMS, PROBLEM),
        (ATTEMPTS, ATTEMPT),
        (PROCESS_LABELS, LABELLED),
        (PROCESS_LABELS, LABELLED | {"sound": None}),
        (PROCESS_LABELS, LABELLED | UNJUDGED),
        (PROCESS_LABELS, LABELLED | UNJUDGED | {"judge_outcome": "failed", "judge": "j"}),
        (SEARCH_TREES, NODE),
        (SEARCH_TREES, NODE | {"depth": 0, "parent_id": None}),
    ],
)
def test_a_sound_row_passes_and_an_empty_table_too(table, row):
    assert table.frame([row]).rows(named=True) == [row]
    assert table.validate(table.frame([])).columns == list(row)
    assert all(column.meaning for column in table.columns.values())


def test_all_problems_of_a_source_have_an_answer_or_none_has():
    open_ended = PROBLEM | {"problem_id": "b", "answer": ""}
    assert PROBLEMS.frame([open_ended, open_ended | {"problem_id": "c", "answer": " "}]).height == 2
    assert PROBLEMS.frame([PROBLEM, open_ended | {"source": "another"}]).height == 2
    with pytest.raises(SchemaError, match=r"problems.answer: of_all_of_a_source_or_none is broken by 2 of 2 rows"):
        PROBLEMS.frame([PROBLEM, open_ended])


@pytest.mark.parametrize(
    ("table", "row", "change", "message"),
    [
        (PROBLEMS, PROBLEM, {"prompt": None}, "problems.prompt: no_nulls is broken by 1 of 1 rows"),
        (ATTEMPTS, ATTEMPT, {"verdict": "maybe"}, "attempts.verdict: known"),
        (ATTEMPTS, ATTEMPT, {"finish_reason": "tired"}, "attempts.finish_reason: known"),
        (ATTEMPTS, ATTEMPT, {"is_right": False}, "attempts.is_right: follows_verdict"),
        (ATTEMPTS, ATTEMPT, {"verdict": "timeout"}, "attempts.is_right: follows_verdict"),
        (ATTEMPTS, ATTEMPT, {"token_ids": [2, None]}, "attempts.token_ids: no_nulls"),
        (PROCESS_LABELS, LABELLED, {"steps": []}, "process_labels.steps: at_least_one"),
        (PROCESS_LABELS, LABELLED, {"n_correct": [2]}, "process_labels.n_correct: one_per_step"),
        (PROCESS_LABELS, LABELLED, {"n_correct": [2, 4]}, "process_labels.n_correct: at_most_n_rollouts"),
        (PROCESS_LABELS, LABELLED, {"n_correct": [2, -1]}, "process_labels.n_correct: not_negative"),
        (PROCESS_LABELS, LABELLED, {"step_ends": [1, 4]}, "process_labels.step_ends: within_token_ids"),
        (PROCESS_LABELS, LABELLED, {"step_ends": [3, 3]}, "process_labels.step_ends: rising"),
        (PROCESS_LABELS, LABELLED, {"step_ends": [0, 3]}, "process_labels.step_ends: rising"),
        (PROCESS_LABELS, LABELLED, {"node_ids": ["n1"]}, "process_labels.node_ids: one_per_step"),
        (PROCESS_LABELS, LABELLED, {"sound": [0.9]}, "process_labels.sound: one_per_step"),
        (PROCESS_LABELS, LABELLED, {"sound": [0.5, 0.6]}, "process_labels.sound: never_rises"),
        (PROCESS_LABELS, LABELLED, {"values_low": [0.95, 0.0]}, "process_labels.values_low: at_most_values_high"),
        (PROCESS_LABELS, LABELLED, {"n_attempts_right": 9}, "process_labels.n_attempts_right: at_most_n_attempts"),
        (PROCESS_LABELS, LABELLED, {"judge_outcome": "maybe"}, "process_labels.judge_outcome: known"),
        (PROCESS_LABELS, LABELLED, {"judge": None}, "process_labels.judge_outcome: of_a_judge"),
        (PROCESS_LABELS, LABELLED, {"judge_first_error": None}, "process_labels.judge_first_error: where_judged"),
        (PROCESS_LABELS, LABELLED, {"judge_outcome": "failed"}, "process_labels.judge_first_error: where_judged"),
        (PROCESS_LABELS, LABELLED, {"judge_first_error": 2}, "judge_first_error: is_a_step_or_minus_one"),
        (SEARCH_TREES, NODE, {"n_correct": 5}, "search_trees.n_correct: at_most_n_rollouts"),
        (SEARCH_TREES, NODE, {"parent_id": None}, "search_trees.parent_id: of_all_but_the_root"),
        (SEARCH_TREES, NODE, {"depth": 0}, "search_trees.parent_id: of_all_but_the_root"),
    ],
)
def test_a_broken_rule_is_named_with_its_table_and_rows(table, row, change, message):
    with pytest.raises(SchemaError, match=message) as error:
        table.frame([{**row, **change}])
    assert "'row': '0'" in str(error.value)


def test_a_key_must_be_unique():
    other = {**LABELLED, "strategy": "exhaustive"}
    assert PROCESS_LABELS.frame([LABELLED, other]).height == 2
    with pytest.raises(SchemaError, match="problem_id, attempt_index, strategy: unique_key is broken by 2 of 2 rows"):
        PROCESS_LABELS.frame([LABELLED, LABELLED])


def test_missing_and_unknown_columns_are_named():
    frame = pl.DataFrame([PROBLEM]).drop("answer").with_columns(colour=pl.lit("red"))
    with pytest.raises(SchemaError, match="problems lacks answer and has colour: its columns are problem_id, source"):
        PROBLEMS.validate(frame)


def test_a_column_of_another_type_is_named():
    frame = PROBLEM_DIFFICULTY.empty().with_columns(pl.col("n_right").cast(pl.Int32))
    with pytest.raises(SchemaError, match=r"problem_difficulty.n_right must be Int64, got Int32"):
        PROBLEM_DIFFICULTY.validate(frame)


def test_a_column_of_nulls_alone_takes_its_declared_type():
    frame = PROBLEMS.validate(PROBLEMS.frame([PROBLEM]).cast({"level": pl.Null}).select(reversed(list(PROBLEM))))
    assert (frame.columns, frame.schema["level"]) == (list(PROBLEM), pl.String)


def test_a_table_may_have_a_column_named_row():
    table = Schema(
        name="seats",
        columns={"row": Column(pl.Int64, "Which.")},
        key=("row",),
        rules={"row: positive": pl.col("row") > 0},
    )
    with pytest.raises(SchemaError, match=r"seats\.row: positive is broken by 1 of 2 rows"):
        table.frame([{"row": 1}, {"row": -1}])
