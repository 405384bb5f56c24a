import polars as pl
import pytest
from upath import UPath

from dagster_project import checks
from dagster_project.settings.operations import CheckSettings
from filters.schema import Column, Schema
from generators.attempts.stage import STAGE as ATTEMPTS
from generators.attempts.stage import label_balance
from generators.checks import CheckBounds, share_in_bounds, timeouts
from generators.long_cot_traces.dataset import DATASET as LONG_COT_TRACES
from generators.problems.stage import STAGE as PROBLEMS
from generators.problems.stage import gold_answers
from generators.process_labels.dataset import label_balance as step_balance
from generators.process_labels.dataset import planted_errors_found
from generators.process_labels.table import PLANTED_ERRORS

NUMBERS = Schema(name="numbers", columns={"n": Column(pl.Int64, "a number")}, key=("n",))


def outcome(check):
    return check.passed, checks.result(check).severity.value, check.why


def test_a_table_that_breaks_its_schema_as_it_stands_on_disk_blocks(tmp_path):
    path = UPath(tmp_path / "numbers.parquet")
    pl.DataFrame({"n": [1, 2]}).write_parquet(path.path)
    assert checks.schema_holds(path, NUMBERS).passed
    pl.DataFrame({"n": [1, 1]}).write_parquet(path.path)
    passed, severity, why = outcome(checks.schema_holds(path, NUMBERS))
    assert (passed, severity) == (False, "ERROR")
    assert "numbers.n: unique_key is broken by 2 of 2 rows" in why


@pytest.mark.parametrize(
    ("count", "total", "passed"), [(1, 10, True), (0, 10, False), (6, 10, False), (5, 10, True), (0, 0, False)]
)
def test_a_share_is_within_its_bounds_or_the_check_says_which(count, total, passed):
    check = share_in_bounds("yield", count, total, least=0.1, most=0.5, what="problems with a row", remedy="Ask more.")
    assert check.passed is passed
    assert check.why.startswith(f"{count} of {total} problems with a row is ")
    assert check.why.endswith("bounds 0.1 to 0.5")


@pytest.mark.parametrize(
    ("verdicts", "passed"),
    [
        (["equal", "different", "no_answer", None], True),
        (["equal", "timeout", "equal"], False),
        (["equal", "error", "equal"], False),
        ([], True),
    ],
)
def test_answers_that_were_not_judged_in_time_are_bounded(verdicts, passed):
    assert timeouts(pl.Series(verdicts, dtype=pl.String), 0.2).passed is passed


def test_items_that_the_engine_refused_are_bounded():
    dropped = pl.DataFrame({"reason": ["wrong", "refused"], "detail": ["", "a prefix of 99 tokens leaves no room"]})
    assert checks.failed_items(1, 20, dropped, 0.05).passed
    assert checks.failed_items(0, 0, dropped.clear(), 0.05).passed
    passed, severity, why = outcome(checks.failed_items(2, 20, dropped, 0.05))
    assert (passed, severity) == (False, "ERROR")
    assert why.endswith("bounds 0 to 0.05, such as: a prefix of 99 tokens leaves no room")


@pytest.mark.parametrize(
    ("stage", "bounds", "with_row", "passed", "severity"),
    [
        (PROBLEMS, {}, 1, False, "ERROR"),
        (ATTEMPTS, {}, 8, False, "ERROR"),
        (LONG_COT_TRACES.stage, {}, 0, False, "WARN"),
        (LONG_COT_TRACES.stage, {}, 1, True, "ERROR"),
        (LONG_COT_TRACES.stage, {"least_yield": {"problems": 0.5}}, 0, False, "WARN"),
        (LONG_COT_TRACES.stage, {"least_yield": {"long_cot_traces": 0.2}}, 1, False, "ERROR"),
        (LONG_COT_TRACES.stage, {"most_yield": {"long_cot_traces": 0.5}}, 6, False, "ERROR"),
        (LONG_COT_TRACES.stage, {"most_yield": {"long_cot_traces": 0.5}}, 0, False, "WARN"),
    ],
)
def test_too_few_rows_of_a_dataset_warn_unless_the_settings_demand_them(stage, bounds, with_row, passed, severity):
    dropped = pl.DataFrame({"reason": ["wrong", "truncated", "wrong"]})
    check = checks.yield_in_bounds(stage, with_row, 10, dropped, CheckSettings(**bounds))
    assert outcome(check)[:2] == (passed, severity)
    assert check.why.endswith("; dropped: 2 wrong, 1 truncated") is not passed
    assert ("[[sources]]" if stage is PROBLEMS else f"[{stage.name}]") in check.remedy


def test_a_check_that_failed_shows_its_remedy_in_the_ui():
    check = checks.in_line({"yield": 0.4}, [{"yield": 0.9}], 0.5)
    assert checks.result(check).description == f"{check.why}. {check.remedy}"
    passed = checks.in_line({"yield": 0.4}, [], 0.5)
    assert checks.result(passed).description == passed.why


def test_a_row_of_a_problem_that_was_dropped_since_blocks():
    problems = pl.DataFrame({"problem_id": ["a", "b"]})
    assert checks.rows_of_the_slice(pl.DataFrame({"problem_id": ["a", "a"]}), problems).passed
    passed, severity, why = outcome(checks.rows_of_the_slice(pl.DataFrame({"problem_id": ["a", "c"]}), problems))
    assert (passed, severity) == (False, "ERROR")
    assert why.startswith("1 of 2 rows")


@pytest.mark.parametrize(
    ("others", "passed", "why"),
    [
        ([], True, "there is no other round"),
        ([{"yield": 0.5}, {"yield": 0.3}], True, "all figures are near those of other rounds"),
        ([{"yield": 0.9}], False, "yield is 0.4, 0.9 in others"),
        ([{"pass_rate": 0.9}], True, "there is no other round"),
    ],
)
def test_a_figure_far_from_other_rounds_warns_and_does_not_block(others, passed, why):
    assert outcome(checks.in_line({"yield": 0.4}, others, 0.5)) == (passed, "WARN", why)


@pytest.mark.parametrize(("right", "passed"), [([True, False, None], True), ([True, True], False), ([], False)])
def test_a_policy_that_is_always_right_or_never_leaves_nothing_to_learn(right, passed):
    frame = pl.DataFrame({"is_right": right}, schema={"is_right": pl.Boolean})
    assert label_balance(frame, CheckBounds()).passed is passed


@pytest.mark.parametrize(
    ("labels", "passed", "severity"),
    [
        ([True, False], True, "ERROR"),
        ([True, True, None], False, "ERROR"),
        ([None], False, "WARN"),
        ([], False, "WARN"),
    ],
)
def test_labels_of_one_kind_block_and_no_labels_at_all_warn(labels, passed, severity):
    rows = pl.DataFrame({"hard_labels": [labels]}, schema={"hard_labels": pl.List(pl.Boolean)})
    assert outcome(step_balance(rows, CheckBounds()))[:2] == (passed, severity)


@pytest.mark.parametrize(("unverified", "passed"), [(1, True), (2, False)])
def test_gold_answers_that_do_not_verify_are_bounded_in_each_slice(unverified, passed):
    frame = pl.DataFrame({"problem_id": [str(n) for n in range(19)]})
    reasons = {"gold_not_equal_itself": unverified, "duplicate": 40}
    assert gold_answers(frame, reasons, 0.05, has_answers=True).passed is passed


@pytest.mark.parametrize(
    ("found", "passed", "severity"),
    [
        ([1] * 8, True, "ERROR"),
        ([1] * 4 + [2] * 4, True, "ERROR"),
        ([1] * 3 + [2] * 5, False, "ERROR"),
        ([2, 2], False, "WARN"),
        ([], False, "WARN"),
    ],
)
def test_labels_that_miss_the_planted_errors_block_where_there_are_enough_of_them(found, passed, severity):
    columns = PLANTED_ERRORS.empty().schema
    planted = pl.DataFrame({**{name: [None] * len(found) for name in columns}, "planted": 1, "found": found}, columns)
    check = planted_errors_found(planted, CheckBounds())
    assert check.passed is passed
    assert passed or checks.result(check).severity.value == severity
