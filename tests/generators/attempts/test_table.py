import pytest
from upath import UPath

from filters.answers.verdicts import DEFAULT_RULE, Verdict
from generators.attempts.table import ATTEMPTS, StoredAttempts, attempts_of, attempts_table, rows_of
from generators.blocks import BlockWriter, StoredTable
from generators.records import Attempt, Problem
from generators.tokens import TokenIds

ORIGIN = {"policy": "p", "round": "r", "slice": "s", "sampling": "{}", "max_tokens": 9}
PROBLEMS = [Problem(problem_id=name, source="s", prompt=f"{name}?", answer="4") for name in "cab"]


def attempt(problem, index, verdict=Verdict.EQUAL):
    return Attempt(
        problem_id=problem.problem_id,
        attempt_index=index,
        prompt_token_ids=TokenIds([1, 2]),
        token_ids=TokenIds(range(index + 3)),
        text=f"{problem.problem_id}{index}",
        finish_reason="eos",
        verdict=verdict,
        extracted="4",
        found_by="box",
    )


@pytest.mark.parametrize("block", [1, 40, 10_000])
def test_attempts_on_disk_are_those_of_the_whole_table_problem_by_problem(tmp_path, block):
    attempts = {problem.problem_id: [attempt(problem, index) for index in range(4)] for problem in PROBLEMS}
    writer = BlockWriter(ATTEMPTS, UPath(tmp_path / "attempts.parquet"), block=block)
    for problem in PROBLEMS:
        writer.add(rows_of(problem, attempts[problem.problem_id], ORIGIN, DEFAULT_RULE))
    stored = StoredAttempts(writer.table())
    assert list(stored) == ["c", "a", "b"]
    assert dict(stored) == attempts == attempts_of(writer.table().frame())
    assert ("a" in stored, "d" in stored, stored.of("d"), stored.get("d", ())) == (True, False, [], ())
    with pytest.raises(KeyError, match="d"):
        stored["d"]


def test_attempts_of_a_problem_that_lie_apart_are_found_in_the_order_of_their_index(tmp_path):
    pairs = [(problem, attempt(problem, index)) for index in (1, 0) for problem in PROBLEMS]
    path = UPath(tmp_path / "attempts.parquet")
    attempts_table(pairs, ORIGIN).write_parquet(path.path, row_group_size=2)
    stored = StoredAttempts(StoredTable(path, ATTEMPTS))
    assert [one.attempt_index for one in stored["a"]] == [0, 1]
    assert len(stored) == 3
